"""The way from a mood to a ranked list of films: chooses a source, ranks its films, and says why each is there."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from scraper import moods
from scraper.catalogue import Catalogue
from scraper.errors import ImdbEmpty, ImdbError, ImdbUnavailable, QueryError, shorten
from scraper.film import Film, Pick
from scraper.imdb import IMDB, ImdbClient, SearchResult, utc_now
from scraper.moods import Intent
from scraper.notice import Source, SourceKind, describe_saved_page, describe_search, describe_table
from scraper.parse import Page
from scraper.query import FilmQuery
from scraper.rank import Wish, rank
from scraper.series import find_series
from scraper.tone import CHIPS, HEAVY, describe

MIN_FILMS = 12  # with fewer films the next source is asked, and the notice gives their number
MIN_LEADING_PROBABILITY = 0.5  # a mood less probable than this is not named in the reason
SECOND_PAGE_S = 1.5  # needed for a second page: a second between requests, then the answer
MIN_LIFT = 0.2  # how much of a film's tone must lift
BRIGHT = {"warm": 1.0, "funny": 1.0, "calm": 0.7, "wonder": 0.7}  # tones of a lighter film


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list of films and what the page says about it.

    Attributes:
        picks: the films, best first.
        source: where they came from.
        genres: genre to weight, best first.
        reason: why these films, as one sentence.
        others: how many more films pass the filters, but do not feel as the mood wants.
        address: this search at IMDb, for the visitor's own browser.
    """

    picks: tuple[Pick, ...]
    source: Source
    genres: Mapping[str, float]
    reason: str
    others: int = 0
    address: str = ""


class Candidates(NamedTuple):
    """Films to choose from, the series among them by id, and where they come from."""

    films: list[Film]
    series: Mapping[str, str]
    source: Source


class Recommender:
    """Recommends films by mood, from IMDb or from the lists on this machine; one instance serves every thread."""

    def __init__(self, client: ImdbClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    def recommend(
        self, probabilities: Mapping[str, float], intent: Intent, filters: FilmQuery, exclude: Collection[str] = (), *,
        page: Page | None = None, lighter_than: str | None = None, others: bool = False,
    ) -> Recommendation:  # fmt: skip
        """Recommend films.

        Args:
            probabilities: mood name to probability; {"sad": 1.0} for a mood that was picked, {} for none.
            intent: stay with the mood or leave it.
            filters: what else the visitor asks for.
            exclude: ids of films to leave out, such as those already shown.
            page: a page of IMDb that the visitor saved, to take the films from.
            lighter_than: id of a film; the list is then of films like it, but lighter, from the lists on this machine.
            others: whether films follow that pass the filters, but do not feel as the mood wants.

        Returns:
            The list of the first source with enough films, else of the source with the most.

        Raises:
            QueryError: for an unknown mood or film, numbers that are not probabilities, or filters that leave no genre.
        """
        deadline = time.monotonic() + self._client.settings.timeout_s
        filters = replace(filters, day=filters.day or utc_now().date())
        if lighter_than is None:
            plan = Plan.make(probabilities, intent, filters)
        else:
            plan = Plan.make_lighter(self._find(lighter_than), filters)
        if page is not None:
            lists = iter([_of_page(self._catalogue.complete(page.films), describe_saved_page(utc_now()))])
        elif lighter_than is not None:
            lists = self._tables(plan, [])
        else:
            lists = self._lists(plan, deadline)
        enough = min(MIN_FILMS, filters.limit)
        best: tuple[list[Film], int, Source] | None = None
        for candidates, series, source in lists:
            films, beyond = rank(candidates, plan.wish, filters, frozenset(exclude), series, others)
            if best is None or len(films) > len(best[0]) or (not best[0] and beyond > best[1]):
                best = films, beyond, source
            if len(films) >= enough:
                break
        assert best is not None, "the bundled list always answers"
        films, beyond, source = best
        picks = tuple(Pick(film, plan.why(film)) for film in films)
        if len(picks) < enough and (beyond or not (exclude and picks)):
            source = replace(source, notice=f"{source.notice} {_count(len(picks), beyond, bool(exclude))}")
        return Recommendation(picks, source, plan.weights, plan.reason(), beyond, plan.query.to_url(IMDB))

    def films(self) -> Iterator[Film]:
        """Yield every film of the lists on this machine."""
        for table in (self._catalogue.imported, self._catalogue.bundled):
            yield from table.by_id.values() if table else ()

    def _find(self, imdb_id: str) -> Film:
        for table in (self._catalogue.bundled, self._catalogue.imported):
            if table and imdb_id in table.by_id:
                return table.by_id[imdb_id]
        raise QueryError(f"lighter_than must be the IMDb id of a film that our own list has, not {shorten(imdb_id)}")

    def _lists(self, plan: Plan, deadline: float) -> Iterator[Candidates]:
        """Yield the sources in order of preference; the next one is asked only if the caller goes on."""
        cached = self._client.cached(plan.query)
        reasons: list[str] = []
        try:
            if cached and cached.is_fresh:
                kind, result = SourceKind.CACHE, cached
            else:
                kind, result = SourceKind.IMDB, self._client.fetch(plan.query, timeout_s=deadline - time.monotonic())
            source = describe_search(kind, result.fetched_at, plan.query, plan.searched)
            yield _of_page(self._filter(plan, result), source)
            reasons = ["too few films on IMDb's page fit your filters"]
            if result.cursor:
                result += self._second_page(plan.query, result.cursor, deadline)
                source = describe_search(kind, result.fetched_at, plan.query, plan.searched, pages=2)
                yield _of_page(self._filter(plan, result), source)
                reasons = ["too few films on IMDb's first two pages fit your filters"]
        except ImdbError as error:
            reasons.append(str(error))
            if cached and not cached.is_fresh:
                source = describe_search(SourceKind.CACHE, cached.fetched_at, plan.query, plan.searched, reasons)
                yield _of_page(self._filter(plan, cached), source)
        yield from self._tables(plan, reasons)

    def _tables(self, plan: Plan, reasons: list[str]) -> Iterator[Candidates]:
        for table in (self._catalogue.imported, self._catalogue.bundled):
            if table:
                query = plan.query if table.kind is SourceKind.IMPORTED else plan.filters
                source = describe_table(table.kind, table.as_of, plan.query, reasons)
                yield Candidates(table.find(query), table.series, source)

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

    def _filter(self, plan: Plan, result: SearchResult) -> list[Film]:
        """Apply the filters that IMDb does not have, with what our own lists know; the language is left to IMDb."""
        accepts = replace(plan.filters, languages=()).accepts
        return list(filter(accepts, self._catalogue.complete(result.films)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a mood and the filters amount to.

    Attributes:
        wish: genres and tones by which films are ranked.
        filters: what the visitor asks for.
        query: the same with the genres of the mood, for sources that hold more films than can be ranked.
        searched: the genre or sub-genre of IMDb that the query is reduced to there.
        genres_named: whether the visitor named genres.
        like: the film that all others should be like, but lighter.
    """

    probabilities: Mapping[str, float]
    intent: Intent
    wish: Wish
    filters: FilmQuery
    query: FilmQuery
    searched: str = ""
    genres_named: bool = False
    like: Film | None = None

    @property
    def weights(self) -> Mapping[str, float]:
        """Genre to weight, best first."""
        return self.wish.genres

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
        return cls(probabilities, intent, wish, filters, query, searched, bool(filters.genres))

    @classmethod
    def make_lighter(cls, film: Film, filters: FilmQuery) -> Plan:
        """Look for films with the genres and the bright tones of a film, but nothing heavy."""
        wanted = BRIGHT | {tone: 2.0 for tone in film.tone if tone not in HEAVY}
        genres = dict.fromkeys(film.genres, 1.0)
        never = HEAVY | ({"crude"} - set(film.tone))
        wish = Wish(genres, wanted, never, frozenset({"Horror", "War"}), MIN_LIFT, seed=f"{filters.day}{film.imdb_id}")
        wish = replace(wish, apart=film.imdb_id)
        names = filters.genres or tuple(genre for genre in film.genres if genre not in filters.not_genres)
        query = replace(filters, genres=names)
        return cls({}, Intent.LIFT, wish, filters, query, like=film)

    def why(self, film: Film) -> str:
        """Return in a few words how a film feels; if that is not known, the genre that brought it here."""
        genre = max(film.genres, key=lambda g: self.weights.get(g, 0.0), default=None)
        fallback = genre if genre in self.weights else "Fits your filters"
        return describe(film.tone) or fallback or ""

    def reason(self) -> str:
        """Return why these films, as one sentence."""
        if self.like:
            return f"Like {self.like.title}, but lighter."
        genres = ", ".join(self.query.genres[:4])
        probable = moods.read_probabilities(self.probabilities)
        if not probable:
            return f"{genres}: as you asked." if genres else "Films that fit your filters."
        mood = max(probable, key=lambda m: probable[m])
        aim = "To stay with" if self.intent is Intent.MATCH else "To lift"
        because = ", as you asked" if self.genres_named else ""
        if probable[mood] < MIN_LEADING_PROBABILITY:
            return f"{aim} a mix of moods: {genres}{because}."
        article = "an" if mood.adjective[0] in "aeiou" else "a"
        because = because or f" ({moods.TABLE[mood][self.intent].reason})"
        return f"{aim} {article} {mood.adjective} mood: {genres}{because}."


def _of_page(films: list[Film], source: Source) -> Candidates:
    return Candidates(films, find_series(films), source)


def _count(films: int, others: int, goes_on: bool) -> str:
    """Say that there are few films, or no more if others were shown before, and why."""
    if not others:
        fit = f"Only {films} film{'s fit' if films > 1 else ' fits'}" if films else "No film fits"
        return f"{fit} these filters; loosen one to see more."
    feel = f"Only {films} feel" if films > 1 else "Only one feels" if films else "None feels"
    feel = "No more films feel" if goes_on else feel
    more = f"{others} more pass your filters but feel" if others > 1 else "one more passes your filters but feels"
    return f"{feel} right for this mood; {more} different."
