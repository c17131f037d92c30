"""The order of a list: how well each film fits by genres and tone, and screens that are varied."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from scraper.film import Film
from scraper.query import FilmQuery, Sort, weighted_rating
from scraper.tone import ADULT_CERTIFICATES

SCREEN_SIZE = 12  # films seen at a time
MAX_SAME_GENRE = 4  # of them may share their first genre ...
MAX_SAME_LEAD = 7  # ... and the gender of their lead
OLD_BEFORE = 2000  # a screen has an older film, ...
NEW_YEARS = 2  # ... some of this and the last year ...
MIN_NEW = 2  # ... so many, and one that is not in English

GENRE_BASE = 0.15  # fit of a film with none of the genres, but the right tone
UNKNOWN_GENRES = 0.3  # fit of a film whose genres are not known
UNKNOWN_TONE = 0.5
AVOIDED = 0.4  # for each genre that the mood would rather avoid
NEWNESS = 1.5  # for films of this and the last year
SHARPNESS = 2.5  # how much fit counts against the chance of the day; with 0 it is all chance
RATING_POWER = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What films should be like.

    Attributes:
        genres: genre to weight; without any, every film fits.
        tones: wanted tones with their weight, of which a film needs one; without any, every film fits.
        never: tones that no film may have.
        avoid: genres that films of unknown tone may not have, and that count against the others.
        least: how well a film must fit by its tones; below that, the wanted one is but its third.
        seed: of the chance; the same seed gives the same order.
        apart: id of a film that is left out, as the others should be like it.
    """

    genres: Mapping[str, float]
    tones: Mapping[str, float]
    never: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()
    least: float = 0.0
    seed: str = ""
    apart: str = ""

    def fit(self, film: Film) -> float:
        """Return how well a film fits, at most 1: by all of its genres times all of its tones; 0 if it does not."""
        tone = self._tone_fit(film)
        if not tone:
            return 0.0
        genres = film.genres
        best = max(self.genres.values(), default=0.0)
        if not genres or not best:
            return tone * (UNKNOWN_GENRES if best else 1.0)
        share = sum(self.genres.get(genre, 0.0) for genre in genres) / len(genres) / best
        if not share and not film.tone:
            return 0.0
        avoided = sum(genre in self.avoid for genre in genres)
        return tone * (GENRE_BASE + (1 - GENRE_BASE) * share) * AVOIDED**avoided

    def _tone_fit(self, film: Film) -> float:
        if not film.tone:
            too_hard = film.certificate in ADULT_CERTIFICATES and bool({"dark", "crude"} & self.never)
            return 0.0 if too_hard or not self.avoid.isdisjoint(film.genres) else UNKNOWN_TONE
        if not self.never.isdisjoint(film.tone):
            return 0.0
        if not self.tones:
            return 1.0
        weights = [1 / (place + 1) for place in range(len(film.tone))]
        wanted = sum(self.tones.get(tone, 0.0) * weight for tone, weight in zip(film.tone, weights, strict=True))
        fit = wanted / sum(weights) / max(self.tones.values())
        return fit if fit >= self.least else 0.0


def rank(
    films: Iterable[Film], wish: Wish, query: FilmQuery, exclude: Collection[str] = (),
    series: Mapping[str, str] = MappingProxyType({}), others: bool = False,
) -> tuple[list[Film], int]:  # fmt: skip
    """Order films for a list; the same input always gives the same order.

    Args:
        films: candidates that pass the filters, sorted as the query asks.
        wish: what they should be like.
        query: the filters; the variety of the screens is only for what they leave open.
        exclude: ids of films to leave out; the others continue the list that these were on.
        series: IMDb id to the name of the series, for films that belong to one.
        others: whether films follow that do not fit.

    Returns:
        As many films as the query wants, and how many films there are that do not fit (0 if they follow).
    """
    fits: dict[tuple[object, ...], float] = {}  # there are fewer kinds of films than films
    fitting: list[tuple[float, Film]] = []
    beyond: list[Film] = []
    for film in films:
        if film.imdb_id in exclude or film.imdb_id == wish.apart:
            continue
        kind = film.genres, film.tone, film.certificate in ADULT_CERTIFICATES
        if kind not in fits:
            fits[kind] = wish.fit(film)
        if fits[kind]:
            fitting.append((fits[kind], film))
        else:
            beyond.append(film)
    if query.sort is Sort.BEST:
        today = query.day or date.min
        ordered = _draw(fitting, wish.seed, today.year)
        ordered = _in_order_of_series(ordered, series)
        chosen = _vary(ordered, query, today.year, series)
    else:
        chosen = [film for _, film in fitting]
        if query.sort is Sort.RATING:
            chosen.sort(key=weighted_rating, reverse=True)
    if others:
        chosen += sorted(beyond, key=weighted_rating, reverse=True) if query.sort is Sort.BEST else beyond
    return chosen[: query.limit], 0 if others else len(beyond)


def _draw(fitting: Iterable[tuple[float, Film]], seed: str, year: int) -> list[Film]:
    """Draw all films, the sooner the better they fit, the more they are liked, and if they are new (Gumbel's trick)."""
    keys: list[tuple[float, str, Film]] = []
    for fit, film in fitting:
        liked = (weighted_rating(film) / 10) ** RATING_POWER
        new = NEWNESS if (film.year or 0) > year - NEW_YEARS else 1.0
        number = int.from_bytes(hashlib.blake2b((seed + film.imdb_id).encode(), digest_size=6).digest()) + 0.5
        chance = -math.log(-math.log(number / 2**48))
        keys.append((SHARPNESS * math.log(fit * liked * new) + chance, film.imdb_id, film))
    keys.sort(key=lambda key: key[:2], reverse=True)
    return [film for _, _, film in keys]


def _in_order_of_series(films: list[Film], series: Mapping[str, str]) -> list[Film]:
    """Let the parts of a series take their places in the order of their years."""
    places: dict[str, list[int]] = {}
    for place, film in enumerate(films):
        if name := series.get(film.imdb_id):
            places.setdefault(name, []).append(place)
    result = list(films)
    for taken in places.values():
        parts = sorted((films[place] for place in taken), key=lambda film: film.year or 0)
        for place, film in zip(taken, parts, strict=True):
            result[place] = film
    return result


def _vary(films: list[Film], query: FilmQuery, year: int, series: Mapping[str, str]) -> list[Film]:
    """Take films screen by screen so that each is varied in what the query leaves open, as far as there are others."""
    needs: list[tuple[int, Callable[[Film], bool]]] = []
    if query.from_year is None and query.to_year is None:
        needs.append((1, lambda film: (film.year or year) < OLD_BEFORE))
        needs.append((MIN_NEW, lambda film: (film.year or 0) > year - NEW_YEARS))
    if not query.languages:
        needs.append((1, lambda film: film.language not in {None, "en"}))
    result: list[Film] = []
    while films and len(result) < query.limit:
        screen = _take_screen(films, needs, query, series)
        result += screen
        taken = {film.imdb_id for film in screen}
        films = [film for film in films if film.imdb_id not in taken]
    return result


def _take_screen(
    films: list[Film], needs: list[tuple[int, Callable[[Film], bool]]], query: FilmQuery,
    series: Mapping[str, str],
) -> list[Film]:  # fmt: skip
    """Take the first films that are varied enough, then the first of the others if these are too few."""
    screen: dict[int, Film] = {}  # by the place in the list
    genres: Counter[str] = Counter()
    leads: Counter[str | None] = Counter()
    parts: set[str | None] = set()

    def take(wanted: Callable[[Film], bool], count: int) -> None:
        """Take so many of the films that are wanted and make the screen no less varied."""
        for place, film in enumerate(films):
            if count <= 0:
                return
            genre, name = film.genres[0] if film.genres else "", series.get(film.imdb_id)
            same_lead = query.lead == "any" and film.lead and leads[film.lead] >= MAX_SAME_LEAD
            if place in screen or same_lead or genres[genre] >= MAX_SAME_GENRE or name in parts or not wanted(film):
                continue
            screen[place] = film
            genres[genre] += 1
            leads[film.lead] += 1
            if name:
                parts.add(name)
            count -= 1

    for least, is_such in needs:
        take(is_such, least - sum(map(is_such, screen.values())))
    take(lambda _: True, SCREEN_SIZE - len(screen))
    for place, film in enumerate(films):
        if len(screen) >= SCREEN_SIZE:
            break
        screen.setdefault(place, film)
    return [screen[place] for place in sorted(screen)]
