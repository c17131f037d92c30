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
    """What films should be like."""

    genres: Mapping[str, float]  # with their weights; without any, every film fits
    tones: Mapping[str, float]  # with their weights; a film needs one of them, unless there are none
    never: frozenset[str] = frozenset()  # tones that no film may have
    avoid: frozenset[str] = frozenset()  # genres that films of unknown tone may not have; they count against the others
    least: float = 0.0  # how well a film must fit by its tones; below that, the wanted one is but its third
    seed: str = ""  # of the chance
    apart: str = ""  # id of a film that is left out, as the others should be like it

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
    """Order films that pass the filters, sorted as the query asks; the same input always gives the same order.

    The variety of the screens is only for what the query leaves open. Films left out by `exclude` are those before: the
    others continue that list. If `others` is true, films that do not fit follow.

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
        year = (query.day or date.min).year
        chosen = _vary(_in_order_of_series(_draw(fitting, wish.seed, year), series), query, year, series)
        beyond.sort(key=weighted_rating, reverse=True)
    else:
        chosen = [film for _, film in fitting]
        if query.sort is Sort.RATING:
            chosen.sort(key=weighted_rating, reverse=True)
    if others:
        chosen += beyond
    return chosen[: query.limit], 0 if others else len(beyond)


def _draw(fitting: Iterable[tuple[float, Film]], seed: str, year: int) -> list[Film]:
    """Draw all films, the sooner the better they fit, the more they are liked, and if they are new (Gumbel's trick)."""

    def key(pair: tuple[float, Film]) -> tuple[float, str]:
        fit, film = pair
        liked = (weighted_rating(film) / 10) ** RATING_POWER
        new = NEWNESS if (film.year or 0) > year - NEW_YEARS else 1.0
        number = int.from_bytes(hashlib.blake2b((seed + film.imdb_id).encode(), digest_size=6).digest()) + 0.5
        chance = -math.log(-math.log(number / 2**48))
        return SHARPNESS * math.log(fit * liked * new) + chance, film.imdb_id

    return [film for _, film in sorted(fitting, key=key, reverse=True)]


def _in_order_of_series(films: list[Film], series: Mapping[str, str]) -> list[Film]:
    """Let the parts of a series take their places in the order of their years."""
    parts: dict[str, list[Film]] = {}
    for film in films:
        if name := series.get(film.imdb_id):
            parts.setdefault(name, []).append(film)
    ordered = {name: iter(sorted(group, key=lambda film: film.year or 0)) for name, group in parts.items()}
    return [next(ordered[name]) if (name := series.get(film.imdb_id, "")) in ordered else film for film in films]


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
        places = _take_screen(films, needs, query, series)
        result += [films[place] for place in sorted(places)]
        films = [film for place, film in enumerate(films) if place not in places]
    return result


def _take_screen(
    films: list[Film], needs: list[tuple[int, Callable[[Film], bool]]], query: FilmQuery, series: Mapping[str, str]
) -> set[int]:
    """Return the places of the first films that are varied enough, then of the first others if these are too few."""
    places: set[int] = set()
    taken: Counter[object] = Counter()  # first genres, leads and series

    def take(wanted: Callable[[Film], bool], count: int) -> None:
        """Take so many of the films that are wanted and make the screen no less varied."""
        for place, film in enumerate(films):
            if count <= 0:
                return
            if place in places or not wanted(film):
                continue
            limits: dict[object, int] = {film.genres[:1]: MAX_SAME_GENRE}
            if query.lead == "any" and film.lead:
                limits["lead", film.lead] = MAX_SAME_LEAD
            if name := series.get(film.imdb_id):
                limits["series", name] = 1
            if all(taken[one] < most for one, most in limits.items()):
                places.add(place)
                taken.update(limits.keys())
                count -= 1

    for least, is_such in needs:
        take(is_such, least - sum(is_such(films[place]) for place in places))
    take(lambda _: True, SCREEN_SIZE - len(places))
    others = [place for place in range(len(films)) if place not in places]
    return places | set(others[: max(0, SCREEN_SIZE - len(places))])
