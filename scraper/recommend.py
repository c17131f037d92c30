"""From a mood to a list of films: the best source that answers in time, ranked, each film with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from scraper import moods, sources
from scraper.catalogue import Catalogue, FilmTable
from scraper.errors import ImdbEmpty, ImdbError, ImdbUnavailable, QueryError
from scraper.film import Film, Pick, Source, SourceKind
from scraper.imdb import Answer, ImdbClient
from scraper.moods import Intent
from scraper.query import FilmQuery
from scraper.ranking import rank
from scraper.transport import Deadline

FEW = 12  # fewer films than this are worth a word, and worth asking the next source
LEADING = 0.5  # probability from which one mood is named in the reason
PAGE_NEEDS_S = 1.5  # a second page is not asked for with less time left: a second between requests, then the answer


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list of films and everything a page says about it.

    Attributes:
        picks: the films, best first.
        source: where they came from.
        genres: the weights used, best genre first.
        reason: why these genres, as one sentence.
    """

    picks: tuple[Pick, ...]
    source: Source
    genres: Mapping[str, float]
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a mood and the filters come to: the genre weights, and the query for every source."""

    probabilities: Mapping[str, float]
    intent: Intent
    weights: Mapping[str, float]
    query: FilmQuery
    as_asked: bool  # whether the visitor named the genres

    @classmethod
    def make(cls, probabilities: Mapping[str, float], intent: Intent, filters: FilmQuery) -> Plan:
        """Join mood and filters; genres that the visitor named come before those of the mood.

        Raises:
            QueryError: the filters leave none of the mood's genres, so that any film would do.
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
        return cls(probabilities, intent, weights, query, as_asked=bool(filters.genres))

    def why(self, film: Film) -> str:
        """Say in a few words why a film is on the list, by the genre that speaks for it most."""
        genre = max(film.genres, key=lambda g: self.weights.get(g, 0.0), default=None)
        if genre is None or genre not in self.weights:
            return "Fits your filters"
        return f"{genre}: {moods.reason(genre, self.probabilities, self.intent) or 'as you asked'}"

    def reason(self) -> str:
        """Say why these genres, as one sentence."""
        genres = ", ".join(self.query.genres[:4])
        probable = moods.read_probabilities(self.probabilities)
        if not probable:
            return f"{genres}: as you asked." if genres else "Films that fit your filters."
        mood = max(probable, key=lambda m: probable[m])
        aim = "To stay with" if self.intent is Intent.MATCH else "To lift"
        article = "an" if mood.adjective[0] in "aeiou" else "a"
        leads = probable[mood] >= LEADING
        felt = f"{article} {mood.adjective} mood" if leads else "a mix of moods"
        because = ", as you asked" if self.as_asked else f" ({moods.TABLE[mood][self.intent].reason})" if leads else ""
        return f"{aim} {felt}: {genres}{because}."


class Recommender:
    """Recommends films by mood; one instance serves every thread.

    Args:
        client: the way to IMDb and to the pages kept from it.
        catalogue: the lists on this machine.
    """

    def __init__(self, client: ImdbClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    def recommend(
        self,
        probabilities: Mapping[str, float],
        intent: Intent,
        filters: FilmQuery,
        exclude: Collection[str] = (),
    ) -> Recommendation:
        """Recommend films.

        Args:
            probabilities: mood name to probability; {"sad": 1.0} for a mood that was picked, {} for none.
            intent: stay with the mood or leave it.
            filters: what the visitor asks for besides.
            exclude: ids of films not to show, such as those already shown.

        Returns:
            The list of the first source that has enough films, else of the one that has most.

        Raises:
            QueryError: for an unknown mood or numbers that are no probabilities.
        """
        deadline = self._client.deadline()
        plan = Plan.make(probabilities, intent, filters)
        enough = min(FEW, filters.limit)
        best: tuple[list[Film], Source] | None = None
        for films, source in self._lists(plan, frozenset(exclude), deadline):
            if best is None or len(films) > len(best[0]):
                best = films, source
            if len(films) >= enough:
                break
        assert best is not None, "the bundled list always answers"
        picks = tuple(Pick(film, plan.why(film)) for film in best[0][: filters.limit])
        source = best[1] if exclude and picks else sources.with_count(best[1], len(picks), enough)
        return Recommendation(picks, source, plan.weights, plan.reason())

    def _lists(self, plan: Plan, exclude: frozenset[str], deadline: Deadline) -> Iterator[tuple[list[Film], Source]]:
        """Yield the sources in order of preference, each asked only when the one before was not enough."""
        kept = self._client.cached(plan.query)
        fresh = kept if kept and kept.is_fresh else None
        own: list[tuple[list[Film], FilmTable]] = []
        reasons: list[str] = []
        try:
            if not fresh:
                flight = self._client.ask(plan.query, deadline)
                own = self._own(plan, exclude)  # ready when IMDb fails, however many visitors wait for it
            kind = SourceKind.CACHE if fresh else SourceKind.IMDB
            answer = fresh or self._client.wait(flight)
            yield self._ranked(plan, answer, exclude), sources.of_page(kind, answer, plan.query)
            reasons.append("too few films on IMDb's page fit your filters")
            if answer.cursor:
                answer += self._second_page(plan.query, answer.cursor, deadline)
                yield self._ranked(plan, answer, exclude), sources.of_page(kind, answer, plan.query, pages=2)
                reasons = ["too few films on IMDb's first two pages fit your filters"]
        except ImdbError as error:
            reasons.append(str(error))
            if kept and not fresh:
                source = sources.of_page(SourceKind.CACHE, kept, plan.query, reasons)
                yield self._ranked(plan, kept, exclude), source
        for films, table in own or self._own(plan, exclude):
            yield films, sources.of_table(table, plan.query, reasons)

    def _second_page(self, query: FilmQuery, cursor: str, deadline: Deadline) -> Answer:
        kept = self._client.cached(query, cursor)
        if kept and kept.is_fresh:
            return kept
        if deadline.left_s < PAGE_NEEDS_S:
            raise ImdbUnavailable("there was no time left for its second page")
        try:
            return self._client.wait(self._client.ask(query, deadline, cursor))
        except ImdbEmpty:
            raise ImdbEmpty("its second page has none") from None

    def _own(self, plan: Plan, exclude: frozenset[str]) -> list[tuple[list[Film], FilmTable]]:
        """Rank the lists on this machine, the imported one first."""
        tables = (self._catalogue.imported, self._catalogue.bundled)
        return [
            (rank(table.find(plan.query), plan.weights, plan.query.sort, exclude), table) for table in tables if table
        ]

    def _ranked(self, plan: Plan, answer: Answer, exclude: frozenset[str]) -> list[Film]:
        """Apply on our side what IMDb left out; the lead's gender is known from our own lists only."""
        films: Iterable[Film] = answer.films
        if plan.query.lead != "any":
            leads = self._catalogue.leads([film.imdb_id for film in films])
            films = (replace(film, lead=leads.get(film.imdb_id)) for film in films)
        return rank(filter(plan.query.accepts, films), plan.weights, plan.query.sort, exclude)
