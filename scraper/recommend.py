"""The way from a mood to a ranked list of films: chooses a source, ranks its films, and says why each is there."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from scraper import moods, notice
from scraper.catalogue import Catalogue
from scraper.errors import ImdbEmpty, ImdbError, ImdbUnavailable, QueryError, shorten
from scraper.film import Film, Pick
from scraper.imdb import IMDB, ImdbClient, SearchResult, utc_now
from scraper.moods import Intent
from scraper.notice import Source, SourceKind
from scraper.parse import Page
from scraper.query import FilmQuery
from scraper.rank import Wish, rank
from scraper.series import find_series
from scraper.tone import CHIPS, HEAVY, describe

Candidates = tuple[list[Film], Mapping[str, str], Source]  # with the series among the films by id

MIN_FILMS = 12  # with fewer films the next source is asked, and the notice gives their number
MIN_LEADING_PROBABILITY = 0.5  # a mood less probable than this is not named in the reason
SECOND_PAGE_S = 1.5  # needed for a second page: a second between requests, then the answer
MIN_LIFT = 0.2  # how much of a film's tone must lift
LIGHTER = {"warm": 1.0, "funny": 1.0, "calm": 0.7, "wonder": 0.7}  # tones of a lighter film


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list of films, best first, and what the page says about it."""

    picks: tuple[Pick, ...]
    source: Source
    genres: Mapping[str, float]  # with their weights, best first
    reason: str  # why these films, as one sentence
    others: int = 0  # how many more films pass the filters, but do not feel as the mood wants
    address: str = ""  # this search at IMDb, for the visitor's own browser


class Recommender:
    """Recommends films by mood, from IMDb or from the lists on this machine; one instance serves every thread."""

    def __init__(self, client: ImdbClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    def recommend(
        self, probabilities: Mapping[str, float], intent: Intent, filters: FilmQuery, exclude: Collection[str] = (), *,
        page: Page | None = None, lighter_than: str | None = None, others: bool = False,
    ) -> Recommendation:  # fmt: skip
        """Return the list of the first source with enough films, else of the source with the most.

        Args:
            probabilities: mood name to probability; {"sad": 1.0} for a mood that was picked, {} for none.
            intent: stay with the mood or leave it.
            filters: what else the visitor asks for.
            exclude: ids of films to leave out, such as those already shown.
            page: a page of IMDb that the visitor saved, to take the films from.
            lighter_than: id of a film; the list is then of films like it, but lighter, from the lists on this machine.
            others: whether films follow that pass the filters, but do not feel as the mood wants.

        Raises:
            QueryError: for an unknown mood or film, numbers that are not probabilities, or filters that leave no genre.
        """
        deadline = time.monotonic() + self._client.settings.timeout_s
        filters = replace(filters, day=filters.day or utc_now().date())
        if lighter_than is None:
            plan = Plan.make(probabilities, intent, filters)
        else:
            film = next((film for film in self.films() if film.imdb_id == lighter_than), None)
            if film is None:
                own = f"of a film that our own list has, not {shorten(lighter_than)}"
                raise QueryError(f"lighter_than must be the IMDb id {own}")
            plan = Plan.make_lighter(film, filters)
        if page is not None:
            saved = Source(SourceKind.IMDB, utc_now(), "These films are on the page of IMDb that you saved.")
            lists = iter([_of_page(self._catalogue.complete(page.films), saved)])
        elif lighter_than is not None:
            lists = self._tables(plan, [])
        else:
            lists = self._lists(plan, deadline)
        enough = min(MIN_FILMS, filters.limit)
        results: list[tuple[list[Film], int, Source]] = []
        for candidates, series, source in lists:
            results.append((*rank(candidates, plan.wish, filters, frozenset(exclude), series, others), source))
            if len(results[-1][0]) >= enough:
                break
        films, beyond, source = max(results, key=lambda result: (len(result[0]), 0 if result[0] else result[1]))
        picks = tuple(Pick(film, plan.why(film)) for film in films)
        if len(picks) < enough and (beyond or not (exclude and picks)):
            source = replace(source, notice=f"{source.notice} {_count(len(picks), beyond, bool(exclude))}")
        return Recommendation(picks, source, plan.wish.genres, plan.reason(), beyond, plan.query.to_url(IMDB))

    def films(self) -> Iterator[Film]:
        """Yield every film of the lists on this machine."""
        for table in self._catalogue.tables:
            yield from table.by_id.values()

    def _lists(self, plan: Plan, deadline: float) -> Iterator[Candidates]:
        """Yield the sources in order of preference; the next one is asked only if the caller goes on."""
        cached = self._client.cached(plan.query)
        reasons: list[str] = []
        describe = partial(notice.describe, query=plan.query, searched=plan.searched)
        try:
            if cached and cached.is_fresh:
                kind, result = SourceKind.CACHE, cached
            else:
                kind, result = SourceKind.IMDB, self._client.fetch(plan.query, timeout_s=deadline - time.monotonic())
            yield _of_page(self._filter(plan, result), describe(kind, result.fetched_at))
            reasons = ["too few films on IMDb's page fit your filters"]
            if result.cursor:
                result += self._second_page(plan.query, result.cursor, deadline)
                yield _of_page(self._filter(plan, result), describe(kind, result.fetched_at, pages=2))
                reasons = ["too few films on IMDb's first two pages fit your filters"]
        except ImdbError as error:
            reasons.append(str(error))
            if cached and not cached.is_fresh:
                source = describe(SourceKind.CACHE, cached.fetched_at, reasons=reasons)
                yield _of_page(self._filter(plan, cached), source)
        yield from self._tables(plan, reasons)

    def _tables(self, plan: Plan, reasons: list[str]) -> Iterator[Candidates]:
        for table in self._catalogue.tables:
            query = plan.query if table.kind is SourceKind.IMPORTED else plan.filters
            yield table.find(query), table.series, notice.describe(table.kind, table.as_of, query, reasons)

    def _second_page(self, query: FilmQuery, cursor: str, deadline: float) -> SearchResult:
        cached = self._client.cached(query, cursor)
        if cached and cached.is_fresh:
            return cached
        timeout_s = deadline - time.monotonic()
        if timeout_s < SECOND_PAGE_S:
            raise ImdbUnavailable("there was no time left for its second page")
        try:
            return self._client.fetch(query, cursor, timeout_s)
        except ImdbEmpty:
            raise ImdbEmpty("its second page has none") from None

    def _filter(self, plan: Plan, result: SearchResult) -> Iterable[Film]:
        """Apply the filters that IMDb does not have, with what our own lists know; the language is left to IMDb."""
        return filter(replace(plan.filters, languages=()).accepts, self._catalogue.complete(result.films))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a mood and the filters amount to."""

    probabilities: Mapping[str, float]
    intent: Intent
    wish: Wish  # genres and tones by which films are ranked
    filters: FilmQuery  # what the visitor asks for
    query: FilmQuery  # the same with the genres of the mood, for sources that hold more films than can be ranked
    searched: str = ""  # the genre or sub-genre of IMDb that the query is reduced to there
    like: Film | None = None  # the film that all others should be like, but lighter

    @classmethod
    def make(cls, probabilities: Mapping[str, float], intent: Intent, filters: FilmQuery) -> Plan:
        """Combine mood and filters; genres and tones that the visitor named come before those of the mood.

        Raises:
            QueryError: the filters exclude every genre of the mood.
        """
        blended = moods.blend(probabilities, intent, filters.from_year)
        avoided = set(moods.avoided(probabilities, intent))
        weights = blended | dict.fromkeys(filters.genres, 1.0)
        avoid = avoided - set(filters.genres)
        weights = {genre: weight for genre, weight in weights.items() if genre not in avoid | {*filters.not_genres}}
        if blended and not weights:
            raise QueryError("not_genres leaves no genre that fits this mood; take one out of it")
        wanted, never = moods.tones(probabilities, intent)
        if avoided & set(filters.genres):  # whoever asks for such a genre does not want it harmless
            wanted, never = {}, frozenset()
        asked = {tone for chip in filters.tones for tone in CHIPS[chip]}
        wanted = wanted | dict.fromkeys(asked, 1.0)
        names = tuple(sorted(filters.genres or weights, key=lambda genre: -blended.get(genre, 0.0)))
        unwanted = (*filters.not_genres, *sorted(avoid - set(filters.not_genres)))
        interest = None if filters.genres else moods.interest(probabilities, intent)
        query = replace(filters, genres=names, not_genres=unwanted, interest=interest[1] if interest else None)
        searched = interest[0] if interest else names[0] if len(names) > 1 else ""
        weights = dict(sorted(weights.items(), key=lambda item: -item[1]))
        leading = max(probabilities, key=lambda mood: probabilities[mood], default="")
        least = MIN_LIFT if intent is Intent.LIFT and not asked else 0.0
        wish = Wish(weights, wanted, never - asked, frozenset(avoid), least, seed=f"{filters.day}{intent}{leading}")
        return cls(probabilities, intent, wish, filters, query, searched)

    @classmethod
    def make_lighter(cls, film: Film, filters: FilmQuery) -> Plan:
        """Look for films with the genres and the bright tones of a film, but nothing heavy."""
        wanted = LIGHTER | {tone: 2.0 for tone in film.tone if tone not in HEAVY}
        genres = dict.fromkeys(film.genres, 1.0)
        never = HEAVY | ({"crude"} - set(film.tone))
        seed, avoid = f"{filters.day}{film.imdb_id}", frozenset({"Horror", "War"})
        wish = Wish(genres, wanted, never, avoid, MIN_LIFT, seed, apart=film.imdb_id)
        names = filters.genres or tuple(genre for genre in film.genres if genre not in filters.not_genres)
        query = replace(filters, genres=names)
        return cls({}, Intent.LIFT, wish, filters, query, like=film)

    def why(self, film: Film) -> str:
        """Return in a few words how a film feels; if that is not known, the genre that brought it here."""
        genre = max(film.genres, key=lambda genre: self.wish.genres.get(genre, 0.0), default="")
        return describe(film.tone) or (genre if genre in self.wish.genres else "Fits your filters")

    def reason(self) -> str:
        """Return why these films, as one sentence."""
        if self.like:
            return f"Like {self.like.title}, but lighter."
        *others, last = self.query.genres[:4] or [""]
        genres = f"{', '.join(others)} and {last}" if others else last
        probable = moods.read_probabilities(self.probabilities)
        if not probable:
            return f"{genres}: as you asked." if genres else "Films that fit your filters."
        mood = max(probable, key=lambda m: probable[m])
        aim = "For" if self.intent is Intent.MATCH else "To lift"
        because = ", as you asked" if self.filters.genres else ""
        if probable[mood] < MIN_LEADING_PROBABILITY:
            return f"{aim} a mix of moods: {genres}{because}."
        article = "an" if mood.adjective[0] in "aeiou" else "a"
        because = because or f", {moods.TABLE[mood][self.intent].reason}"
        return f"{aim} {article} {mood.adjective} mood: {genres}{because}."


def _of_page(films: Iterable[Film], source: Source) -> Candidates:
    films = list(films)
    return films, find_series(films), source


def _count(films: int, others: int, goes_on: bool) -> str:
    """Say that there are few films, or no more if others were shown before, and why."""
    if not others:
        fit = f"Only {films} film{'s fit' if films > 1 else ' fits'}" if films else "No film fits"
        return f"{fit} these filters; loosen one to see more."
    feel = f"Only {films} feel" if films > 1 else "Only one feels" if films else "None feels"
    feel = "No more films feel" if goes_on else feel
    more = f"{others} more pass your filters but feel" if others > 1 else "one more passes your filters but feels"
    return f"{feel} right for this mood; {more} different."
