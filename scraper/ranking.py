"""The order of a list: how well each film's genres fit, then variety among those that come first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from scraper.film import Film
from scraper.query import Sort, weighted_rating

FITS_WELL = 0.5  # share of the best film's fit from which the chosen order decides alone
FIRST_SCREEN = 12  # films seen without scrolling ...
SAME_FIRST_GENRE = 4  # ... and how many of them may share their first genre

_NUMBER = re.compile(
    r"[\s,]+(?:(?:part|chapter|vol\.?|volume|episode)\s+\w+|[ivx]{2,}|v|\d{1,2})$", re.IGNORECASE | re.ASCII
)


def fit(film: Film, weights: Mapping[str, float]) -> float:
    """Return how much of a film is what the mood asks for: the mean weight of its genres, 0 to 1."""
    return sum(weights.get(genre, 0.0) for genre in film.genres) / len(film.genres) if film.genres else 0.0


def rank(films: Iterable[Film], weights: Mapping[str, float], sort: Sort) -> list[Film]:
    """Order films for a list; the same input always gives the same order.

    Args:
        films: candidates, already in the order that was asked for.
        weights: genre weights of the mood; without any, every film fits.
        sort: the order that was asked for; a rating is weighed by its votes here, which IMDb does not do.

    Returns:
        Films that fit at all: the well-fitting before the others, one of a series, the first screen varied.
    """
    fitting = [(fit(film, weights), film) for film in films]
    if weights:
        fitting = [(score, film) for score, film in fitting if score > 0]
    if sort is Sort.RATING:
        fitting.sort(key=lambda pair: -weighted_rating(pair[1]))
    best = max((score for score, _ in fitting), default=0.0)
    fitting.sort(key=lambda pair: pair[0] < FITS_WELL * best)  # stable: keeps the order within both halves
    return vary(one_of_each_series(film for _, film in fitting))


def series(title: str) -> str:
    """Return what the titles of a series have in common, for instance "rocky" of "Rocky II".

    Examples:
        >>> series("The Lord of the Rings: The Two Towers")
        'the lord of the rings'
        >>> series("Toy Story 3") == series("Toy Story")
        True
        >>> series("1917")
        '1917'
    """
    name = re.split(r":\s|\s-\s", title.casefold(), maxsplit=1)[0].strip()
    name = re.sub(r"^(\w+ \w+) (?:and|&) the .*", r"\1", name)
    while (shorter := _NUMBER.sub("", name)) != name:
        name = shorter
    return name


def one_of_each_series(films: Iterable[Film]) -> list[Film]:
    """Keep of every series the film that comes first."""
    first: dict[str, Film] = {}
    for film in films:
        first.setdefault(series(film.title), film)
    return list(first.values())


def vary(films: list[Film]) -> list[Film]:
    """Let at most SAME_FIRST_GENRE of the first screen share a first genre, as far as the films allow."""
    screen: list[Film] = []
    seen: Counter[str] = Counter()
    for film in films:
        genre = film.genres[0] if film.genres else ""
        if len(screen) < FIRST_SCREEN and seen[genre] < SAME_FIRST_GENRE:
            screen.append(film)
            seen[genre] += 1
    shown = {film.imdb_id for film in screen}
    return screen + [film for film in films if film.imdb_id not in shown]
