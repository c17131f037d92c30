"""The order of a list: bands of how well films suit the mood, the chosen order within, variety on each screen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from math import ceil

from scraper.film import Film
from scraper.query import Sort, weighted_rating

CLEARLY = 0.08  # of the best genre's weight: one that a reading wants less than this does not speak for a film
BANDS = 4  # of the best film's score: a film of the first quarter comes before all of the second, and so on
SCREEN = 12  # films seen at a time ...
SAME_FIRST_GENRE = 4  # ... and how many of them may share their first genre

_NUMBER = re.compile(
    r"[\s,]+(?:(?:part|chapter|vol\.?|volume|episode)\s+\w+|[ivx]{2,}|v|\d{1,2})$", re.IGNORECASE | re.ASCII
)


def fit(film: Film, weights: Mapping[str, float]) -> float:
    """Return how well a film's genres fit: the weight of the best one, times the share of them that are wanted."""
    enough = CLEARLY * max(weights.values(), default=0.0)
    wanted = [weights[genre] for genre in film.genres if weights.get(genre, 0.0) >= enough]
    return max(wanted) * len(wanted) / len(film.genres) if wanted else 0.0


def rank(films: Iterable[Film], weights: Mapping[str, float], sort: Sort, exclude: Collection[str] = ()) -> list[Film]:
    """Order films for a list; the same input always gives the same order.

    Args:
        films: candidates, already in the order that was asked for.
        weights: genre weights of the mood; without any, every film fits.
        sort: the order that was asked for; a rating is weighed by its votes here, which IMDb does not do.
        exclude: ids of films not to show; what remains continues the list that they were on.

    Returns:
        Films that fit at all, in bands, one of a series, every screen varied.
    """
    chosen = sorted(films, key=weighted_rating, reverse=True) if sort is Sort.RATING else films
    kept = one_of_each_series(in_bands(chosen, weights))
    return vary([film for film in kept if film.imdb_id not in exclude])


def in_bands(films: Iterable[Film], weights: Mapping[str, float]) -> list[Film]:
    """Put films into bands by fit and rating, which counts twice; within a band their order stays as it was."""
    if not weights:
        return list(films)
    scored = [(score * weighted_rating(film) ** 2, film) for film in films if (score := fit(film, weights))]
    best = max((score for score, _ in scored), default=0.0)
    return [film for _, film in sorted(scored, key=lambda pair: ceil(BANDS * pair[0] / best), reverse=True)]


def series(title: str) -> str:
    """Return what the titles of a series have in common, for instance "rocky" of "Rocky II".

    Examples:
        >>> series("The Lord of the Rings: The Two Towers")
        'lord of the rings'
        >>> series("Toy Story 3") == series("Toy Story")
        True
        >>> series("1917")
        '1917'
    """
    name = re.split(r":\s|\s-\s", title.casefold(), maxsplit=1)[0].strip()
    name = re.sub(r"^((?!the )\w+ \w+) (?:and|&) the .*", r"\1", name).removeprefix("the ")
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
    """Let at most SAME_FIRST_GENRE of each screen share a first genre, as far as the films allow."""
    varied: list[Film] = []
    while films:
        screen, films = _next_screen(films)
        varied += screen
    return varied


def _next_screen(films: list[Film]) -> tuple[list[Film], list[Film]]:
    """Return the next screen and what remains after it."""
    screen: list[Film] = []
    spare: list[Film] = []
    seen: Counter[str] = Counter()
    for n, film in enumerate(films, 1):
        genre = film.genres[0] if film.genres else ""
        seen[genre] += 1
        (screen if seen[genre] <= SAME_FIRST_GENRE else spare).append(film)
        if len(screen) == SCREEN:
            return screen, spare + films[n:]
    room = SCREEN - len(screen)
    return screen + spare[:room], spare[room:]
