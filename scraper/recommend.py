"""From a mood to a list of films: the best source that answers in time, ranked, each film with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from scraper import moods
from scraper.catalogue import Catalogue, FilmTable
from scraper.errors import ImdbError
from scraper.film import Film, Pick, Source, SourceKind
from scraper.imdb import Answer, ImdbClient
from scraper.moods import Intent
from scraper.query import FilmQuery
from scraper.ranking import rank

FEW = 12  # fewer films than this are worth a word, and worth asking the next source


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

    @classmethod
    def make(cls, probabilities: Mapping[str, float], intent: Intent, filters: FilmQuery) -> Plan:
        """Join mood and filters; genres that the visitor named come before those of the mood."""
        blended = moods.blend(probabilities, intent, filters.from_year)
        avoid = set(moods.avoided(probabilities, intent)) - set(filters.genres)
        weights = blended | dict.fromkeys(filters.genres, 1.0)
        weights = {genre: weight for genre, weight in weights.items() if genre not in filters.not_genres}
        wanted = sorted(filters.genres or weights, key=lambda genre: -blended.get(genre, 0.0))
        unwanted = (*filters.not_genres, *sorted(avoid - set(filters.not_genres)))
        query = replace(filters, genres=tuple(wanted), not_genres=unwanted)
        return cls(probabilities, intent, dict(sorted(weights.items(), key=lambda item: -item[1])), query)

    def why(self, film: Film) -> str:
        """Say in a few words why a film is on the list, by the genre that speaks for it most."""
        genre = max(film.genres, key=lambda g: self.weights.get(g, 0.0), default=None)
        if genre is None or genre not in self.weights:
            return "Fits your filters"
        return f"{genre}: {moods.reason(genre, self.probabilities, self.intent) or 'as you asked'}"

    def reason(self) -> str:
        """Say why these genres, as one sentence."""
        genres = ", ".join(list(self.weights)[:4])
        probable = moods.read_probabilities(self.probabilities)
        if not probable:
            return f"{genres}: as you asked." if genres else "Films that fit your filters."
        mood = max(probable, key=lambda m: probable[m])
        aim = "To stay with" if self.intent is Intent.MATCH else "To lift"
        article = "an" if mood.adjective[0] in "aeiou" else "a"
        return f"{aim} {article} {mood.adjective} mood: {genres} ({moods.TABLE[mood][self.intent].reason})."


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
        plan = Plan.make(probabilities, intent, filters)
        enough = min(FEW, filters.limit)
        best: tuple[list[Film], Source] | None = None
        for films, source in self._lists(plan.query, exclude):
            ranked = rank(films, plan.weights, filters.sort)[: filters.limit]
            if best is None or len(ranked) > len(best[0]):
                best = ranked, source
            if len(ranked) >= enough:
                break
        assert best is not None, "the bundled list always answers"
        picks = tuple(Pick(film, plan.why(film)) for film in best[0])
        return Recommendation(picks, _with_count(best[1], len(picks), enough), plan.weights, plan.reason())

    def _lists(self, query: FilmQuery, exclude: Collection[str]) -> Iterator[tuple[list[Film], Source]]:
        """Yield the sources in order of preference, each asked only when the one before was not enough."""
        kept = self._client.cached(query)
        if kept and kept.is_fresh:
            yield self._filter(kept, query, exclude), _of_page(SourceKind.CACHE, kept, query, "")
            why = "Too few films on IMDb's page fit your filters, so "
        else:
            try:
                answer = self._client.live(query)
                yield self._filter(answer, query, exclude), _of_page(SourceKind.IMDB, answer, query, "")
                why = "Too few films on IMDb's page fit your filters, so "
            except ImdbError as error:
                why = f"{error}, so "
                if kept:
                    yield self._filter(kept, query, exclude), _of_page(SourceKind.CACHE, kept, query, why)
        if self._catalogue.imported:
            yield (
                self._catalogue.imported.find(query, exclude),
                _of_tables(self._catalogue.imported, query, why),
            )
        yield self._catalogue.bundled.find(query, exclude), _of_bundled(self._catalogue.bundled, query, why)

    def _filter(self, answer: Answer, query: FilmQuery, exclude: Collection[str]) -> list[Film]:
        """Apply on our side what IMDb left out; the lead's gender is known from our own lists only."""
        films: Iterable[Film] = answer.films
        if query.lead != "any":
            leads = self._catalogue.leads([film.imdb_id for film in films])
            films = (replace(film, lead=leads.get(film.imdb_id)) for film in films)
        return [film for film in films if film.imdb_id not in exclude and query.accepts(film)]


def _of_page(kind: SourceKind, answer: Answer, query: FilmQuery, why: str) -> Source:
    unapplied = query.unapplied(kind)
    notice = f"{why}this is IMDb's page as of {_moment(answer.fetched_at)}"
    if "any of several genres" in unapplied:
        notice += f", searched under {query.genres[0]}"
    if "lead" in unapplied:
        notice += ", with the films whose lead our own list knows"
    return Source(kind, answer.fetched_at, _sentence(notice), unapplied)


def _of_tables(table: FilmTable, query: FilmQuery, why: str) -> Source:
    unapplied = query.unapplied(SourceKind.IMPORTED)
    notice = f"{why}this is from IMDb's official tables as of {table.as_of:%-d %B %Y}"
    if "language" in unapplied:
        notice += ", with the films whose language our own list knows"
    return Source(SourceKind.IMPORTED, table.as_of, _sentence(notice), unapplied)


def _of_bundled(table: FilmTable, query: FilmQuery, why: str) -> Source:
    notice = f"{why}this is our own list as of {table.as_of:%B %Y}"
    return Source(SourceKind.BUNDLED, table.as_of, _sentence(notice), query.unapplied(SourceKind.BUNDLED))


def _with_count(source: Source, found: int, enough: int) -> Source:
    if found >= enough:
        return source
    count = f"Only {found} film{'s fit' if found > 1 else ' fits'}" if found else "No film fits"
    return replace(source, notice=f"{source.notice} {count} these filters; loosen one to see more.")


def _moment(moment: datetime) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."
