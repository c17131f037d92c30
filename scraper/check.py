"""Checks the bundled list: against itself, against the moods it has to serve, and against other facts."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from scraper.catalogue import BUNDLED_CSV, load_bundled
from scraper.errors import CatalogueError
from scraper.film import GENRES, Film
from scraper.moods import Intent, Mood
from scraper.query import FilmQuery
from scraper.ranking import rank
from scraper.recommend import Plan

ENOUGH = 40  # films for every mood and intent ...
ENOUGH_RECENT = 10  # ... and of them this many
RECENT = 2015  # ... from this year on
ENOUGH_FILTERED = 12  # films for every mood and intent with any one of these filters:
USUAL_FILTERS: dict[str, Callable[[Film], bool]] = {
    "since 2010": FilmQuery(from_year=2010).accepts,
    "rated 7 or more": FilmQuery(min_rating=7).accepts,
    "under two hours": FilmQuery(max_minutes=119).accepts,
    "not English": lambda film: film.language not in {None, "en"},
    "lead a woman": FilmQuery(lead="woman").accepts,
}
RATING_SLACK = 0.35  # ratings move
VOTES_SLACK = 2.0  # times as many or as few; votes grow
RUNTIME_SLACK = 5  # minutes; versions differ
FACTS = ("imdb_id", "title", "year", "genres", "rating", "votes", "runtime_min")


def check(path: Path = BUNDLED_CSV, against: Path | None = None) -> list[str]:
    """Return one line for every problem of a list of films, none if it is sound.

    Args:
        path: the list.
        against: a CSV of facts with the columns FACTS; films it does not have are counted, not judged.

    Raises:
        CatalogueError: when a file cannot be read as what it should be.
    """
    try:
        films = load_bundled(path).films()
    except ValueError as error:
        raise CatalogueError(f"{path}: {error}; put that right first") from error
    problems = [*find_duplicates(films), *find_bad_facts(films), *find_thin_moods(films)]
    try:
        return problems + list(compare(films, read_facts(against)) if against else ())
    except ValueError as error:
        raise CatalogueError(f"{against} is no table of facts in UTF-8: {error}") from error


def find_duplicates(films: Iterable[Film]) -> Iterator[str]:
    """Yield ids and title-year pairs that stand there twice."""
    films = list(films)
    for imdb_id, count in Counter(film.imdb_id for film in films).items():
        if count > 1:
            yield f"{imdb_id}: stands there {count} times"
    for (title, year), count in Counter((film.title.casefold(), film.year) for film in films).items():
        if count > 1:
            yield f"{title} ({year}): stands there {count} times"


def find_bad_facts(films: Iterable[Film]) -> Iterator[str]:
    """Yield facts that are missing or impossible."""
    for film in films:
        unknown = sorted(set(film.genres) - set(GENRES))
        if unknown:
            yield f"{film.imdb_id}: unknown genre {unknown[0]!r}"
        if not film.genres:
            yield f"{film.imdb_id}: no genre"
        if not film.title or film.year is None:
            yield f"{film.imdb_id}: no title or no year"
        if film.rating is not None and not 1 <= film.rating <= 10:  # noqa: PLR2004  IMDb's scale
            yield f"{film.imdb_id}: rating {film.rating} is not from 1 to 10"
        if film.lead not in {"woman", "man", None}:
            yield f"{film.imdb_id}: lead {film.lead!r} is not woman, man or empty"


def find_thin_moods(films: Iterable[Film]) -> Iterator[str]:
    """Yield every mood and intent that the list cannot serve well, by itself or with one more filter."""
    films = list(films)
    for mood in Mood:
        for intent in Intent:
            plan = Plan.make({mood: 1.0}, intent, FilmQuery())
            fitting = rank(filter(plan.query.accepts, films), plan.weights, plan.query.sort)
            recent = sum(film.year is not None and film.year >= RECENT for film in fitting)
            if len(fitting) < ENOUGH or recent < ENOUGH_RECENT:
                yield f"{mood}, {intent}: {len(fitting)} films, {recent} of them since {RECENT}"
            for name, accepts in USUAL_FILTERS.items():
                filtered = sum(map(accepts, fitting))
                if filtered < ENOUGH_FILTERED:
                    yield f"{mood}, {intent}, {name}: {filtered} films"


def read_facts(path: Path) -> dict[str, dict[str, str]]:
    """Read a table of facts by id.

    Raises:
        CatalogueError: when it is missing or lacks a column.
    """
    if not path.is_file():
        raise CatalogueError(f"{path} is missing; give a CSV with the columns {', '.join(FACTS)}")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = sorted(set(FACTS) - set(reader.fieldnames or ()))
        if missing:
            raise CatalogueError(f"{path} has no column {missing[0]}; it needs {', '.join(FACTS)}")
        return {row["imdb_id"]: row for row in reader}


def compare(films: Iterable[Film], facts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield every fact that disagrees, and how many films the facts do not know."""
    films = list(films)
    for film in films:
        if film.imdb_id in facts:
            yield from _disagreements(film, facts[film.imdb_id])
    unknown = [film for film in films if film.imdb_id not in facts]
    if unknown:
        yield f"{len(unknown)} films are not among the facts, the first is {unknown[0].imdb_id}"


def _disagreements(film: Film, facts: Mapping[str, str]) -> Iterator[str]:
    differs = {
        "title": film.title.casefold() != facts["title"].casefold(),
        "year": bool(facts["year"]) and film.year != int(float(facts["year"])),
        "genres": bool(facts["genres"]) and set(film.genres) != set(facts["genres"].split("|")),
        "rating": _apart(film.rating, facts["rating"]) > RATING_SLACK,
        "runtime_min": _apart(film.runtime_min, facts["runtime_min"]) > RUNTIME_SLACK,
        "votes": _times(film.votes, facts["votes"]) > VOTES_SLACK,
    }
    for name, wrong in differs.items():
        if wrong:
            yield f"{film.imdb_id}: {name} is {getattr(film, name)!r}, the facts say {facts[name]!r}"


def _apart(ours: float | None, theirs: str) -> float:
    return abs(ours - float(theirs)) if ours is not None and theirs else 0.0


def _times(ours: int | None, theirs: str) -> float:
    if not ours or not theirs or not float(theirs):
        return 1.0
    ratio = ours / float(theirs)
    return max(ratio, 1 / ratio)
