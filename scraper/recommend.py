"""From a mood to a list of films: the best source that answers in time, ranked, and a reason for each film."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil

from scraper import moods
from scraper.catalogue import Catalogue
from scraper.errors import ImdbEmpty, ImdbError, ImdbUnavailable, QueryError
from scraper.film import Film, Pick
from scraper.imdb import ImdbClient, SearchResult
from scraper.moods import Intent
from scraper.notice import Source, SourceKind, describe_search, describe_table
from scraper.query import FilmQuery, Sort, weighted_rating

MIN_FILMS = 12  # with fewer films the next source is asked, and the notice gives their number
MIN_LEADING_PROBABILITY = 0.5  # a mood less probable than this is not named in the reason
SECOND_PAGE_S = 1.5  # needed for a second page: a second between requests, then the answer

MIN_RELATIVE_WEIGHT = 0.08  # of the best genre's; a genre with less weight does not make a film fit
BANDS = 4  # films with a score in the top quarter come first, then the second quarter, and so on
SCREEN_SIZE = 12  # films seen at a time ...
MAX_SAME_GENRE = 4  # ... and how many of them may share their first genre

_NUMBER = re.compile(
    r"[\s,]+(?:(?:part|chapter|vol\.?|volume|episode)\s+\w+|[ivx]{2,}|v|\d{1,2})$", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list of films and what the page says about it.

    Attributes:
        picks: the films, best first.
        source: where they came from.
        genres: genre to weight, best first.
        reason: why these genres, as one sentence.
    """

    picks: tuple[Pick, ...]
    source: Source
    genres: Mapping[str, float]
    reason: str


class Recommender:
    """Recommends films by mood, from IMDb or from the lists on this machine; one instance serves every thread."""

    def __init__(self, client: ImdbClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    def recommend(
        self, probabilities: Mapping[str, float], intent: Intent, filters: FilmQuery, exclude: Collection[str] = ()
    ) -> Recommendation:
        """Recommend films.

        Args:
            probabilities: mood name to probability; {"sad": 1.0} for a mood that was picked, {} for none.
            intent: stay with the mood or leave it.
            filters: what else the visitor asks for.
            exclude: ids of films to leave out, such as those already shown.

        Returns:
            The list of the first source with enough films, else of the source with the most.

        Raises:
            QueryError: for an unknown mood, numbers that are not probabilities, or filters that leave no genre.
        """
        deadline = time.monotonic() + self._client.settings.timeout_s
        plan = Plan.make(probabilities, intent, filters)
        enough = min(MIN_FILMS, filters.limit)
        best: tuple[list[Film], Source] | None = None
        for films, source in self._lists(plan, frozenset(exclude), deadline):
            if best is None or len(films) > len(best[0]):
                best = films, source
            if len(films) >= enough:
                break
        assert best is not None, "the bundled list always answers"
        films, source = best
        picks = tuple(Pick(film, plan.why(film)) for film in films[: filters.limit])
        if len(picks) < enough and not (exclude and picks):
            count = f"Only {len(picks)} film{'s fit' if len(picks) > 1 else ' fits'}" if picks else "No film fits"
            source = replace(source, notice=f"{source.notice} {count} these filters; loosen one to see more.")
        return Recommendation(picks, source, plan.weights, plan.reason())

    def _lists(self, plan: Plan, exclude: frozenset[str], deadline: float) -> Iterator[tuple[list[Film], Source]]:
        """Yield the sources in order of preference; the next one is asked only if the caller goes on."""
        cached = self._client.cached(plan.query)
        reasons: list[str] = []
        try:
            if cached and cached.is_fresh:
                kind, result = SourceKind.CACHE, cached
            else:
                kind, result = SourceKind.IMDB, self._client.fetch(plan.query, timeout_s=deadline - time.monotonic())
            yield self._rank_result(plan, result, exclude), describe_search(kind, result.fetched_at, plan.query)
            reasons = ["too few films on IMDb's page fit your filters"]
            if result.cursor:
                result += self._second_page(plan.query, result.cursor, deadline)
                yield (
                    self._rank_result(plan, result, exclude),
                    describe_search(kind, result.fetched_at, plan.query, pages=2),
                )
                reasons = ["too few films on IMDb's first two pages fit your filters"]
        except ImdbError as error:
            reasons.append(str(error))
            if cached and not cached.is_fresh:
                source = describe_search(SourceKind.CACHE, cached.fetched_at, plan.query, reasons)
                yield self._rank_result(plan, cached, exclude), source
        for table in (self._catalogue.imported, self._catalogue.bundled):
            if table:
                films = rank(table.find(plan.query), plan.weights, plan.query.sort, exclude)
                yield films, describe_table(table.kind, table.as_of, plan.query, reasons)

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

    def _rank_result(self, plan: Plan, result: SearchResult, exclude: frozenset[str]) -> list[Film]:
        """Apply the filters that IMDb does not have; only our own lists know the lead's gender."""
        films: Iterable[Film] = result.films
        if plan.query.lead != "any":
            leads = self._catalogue.leads([film.imdb_id for film in films])
            films = (replace(film, lead=leads.get(film.imdb_id)) for film in films)
        return rank(filter(plan.query.accepts, films), plan.weights, plan.query.sort, exclude)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a mood and the filters amount to: genre to weight, best first, and the filters with these genres."""

    probabilities: Mapping[str, float]
    intent: Intent
    weights: Mapping[str, float]
    query: FilmQuery
    genres_named: bool  # by the visitor

    @classmethod
    def make(cls, probabilities: Mapping[str, float], intent: Intent, filters: FilmQuery) -> Plan:
        """Combine mood and filters; genres that the visitor named replace those of the mood.

        Raises:
            QueryError: the filters exclude every genre of the mood.
        """
        blended = moods.blend(probabilities, intent, filters.from_year)
        avoid = set(moods.avoided(probabilities, intent)) - set(filters.genres)
        weights = blended | dict.fromkeys(filters.genres, 1.0)
        weights = {genre: weight for genre, weight in weights.items() if genre not in avoid | {*filters.not_genres}}
        if blended and not weights:
            raise QueryError("not_genres leaves no genre that fits this mood; take one out of it")
        wanted = sorted(filters.genres or weights, key=lambda genre: -blended.get(genre, 0.0))
        unwanted = (*filters.not_genres, *sorted(avoid - set(filters.not_genres)))
        query = replace(filters, genres=tuple(wanted), not_genres=unwanted)
        weights = dict(sorted(weights.items(), key=lambda item: -item[1]))
        return cls(probabilities, intent, weights, query, genres_named=bool(filters.genres))

    def why(self, film: Film) -> str:
        """Return in a few words why a film is on the list, by its genre with the most weight."""
        genre = max(film.genres, key=lambda g: self.weights.get(g, 0.0), default=None)
        if genre is None or genre not in self.weights:
            return "Fits your filters"
        return f"{genre}: {moods.reason(genre, self.probabilities, self.intent) or 'as you asked'}"

    def reason(self) -> str:
        """Return why these genres, as one sentence."""
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


# --- ranking ---


def rank(films: Iterable[Film], weights: Mapping[str, float], sort: Sort, exclude: Collection[str] = ()) -> list[Film]:
    """Order films for a list; the same input always gives the same order.

    Args:
        films: candidates, already sorted as requested.
        weights: genre weights of the mood; without any, every film fits.
        sort: the requested order; for RATING the candidates are sorted again by the weighted rating, which IMDb lacks.
        exclude: ids of films to leave out; the others continue the list that these were on.

    Returns:
        The films that fit at all, in bands by fit and rating, one of each series, every screen varied.
    """
    films = sorted(films, key=weighted_rating, reverse=True) if sort is Sort.RATING else list(films)
    if weights:
        scored = [(score * weighted_rating(film) ** 2, film) for film in films if (score := genre_fit(film, weights))]
        best = max((score for score, _ in scored), default=0.0)
        films = [film for _, film in sorted(scored, key=lambda pair: ceil(BANDS * pair[0] / best), reverse=True)]
    first_of_series: dict[str, Film] = {}
    for film in films:
        first_of_series.setdefault(series(film.title), film)
    return _diversify([film for film in first_of_series.values() if film.imdb_id not in exclude])


def genre_fit(film: Film, weights: Mapping[str, float]) -> float:
    """Return how well a film's genres fit: the weight of the best one, times the share of them that have weight."""
    enough = MIN_RELATIVE_WEIGHT * max(weights.values(), default=0.0)
    wanted = [weights[genre] for genre in film.genres if weights.get(genre, 0.0) >= enough]
    return max(wanted) * len(wanted) / len(film.genres) if wanted else 0.0


def series(title: str) -> str:
    """Return what the titles of a series have in common, for instance "rocky" for "Rocky II"."""
    name = re.split(r":\s|\s-\s", title.casefold(), maxsplit=1)[0].strip()
    name = re.sub(r"^((?!the )\w+ \w+) (?:and|&) the .*", r"\1", name).removeprefix("the ")
    while (shorter := _NUMBER.sub("", name)) != name:
        name = shorter
    return name


def _diversify(films: list[Film]) -> list[Film]:
    """Let at most MAX_SAME_GENRE films of each screen share their first genre, if there are enough others."""
    result: list[Film] = []
    while films:
        screen: list[Film] = []
        spare: list[Film] = []
        seen: Counter[str] = Counter()
        for n, film in enumerate(films):
            if len(screen) == SCREEN_SIZE:
                spare += films[n:]
                break
            genre = film.genres[0] if film.genres else ""
            seen[genre] += 1
            (screen if seen[genre] <= MAX_SAME_GENRE else spare).append(film)
        room = SCREEN_SIZE - len(screen)
        result += screen + spare[:room]
        films = spare[room:]
    return result
