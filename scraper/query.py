"""One query for every source: validated filters that become an IMDb address or a test of a single film."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal
from urllib.parse import urlencode

from scraper.errors import QueryError, shorten
from scraper.film import GENRES, Film
from scraper.tone import CHIPS, has_chips, suits_kids

PAGE_SIZE = 50  # films on one IMDb page
LIVE_MIN_VOTES = 1_000  # keeps films that nobody has seen off a page sorted by date
LIVE_MIN_VOTES_RATING = 10_000  # otherwise five friends make a film the best of all

BOUNDS = {
    "from_year": (1874, 2100), "to_year": (1874, 2100), "min_votes": (0, 10**9), "max_minutes": (1, 1_000),
    "limit": (1, 100),
}  # fmt: skip  # inclusive
NAMES: dict[str, Collection[str]] = {"genres": GENRES, "not_genres": GENRES, "tones": CHIPS, "languages": ()}
RATING_PRIOR = 6.5  # the weighted rating of a film without votes ...
PRIOR_VOTES = 10_000  # ... and how many votes move it halfway to the film's own rating


class Sort(StrEnum):
    """The orders a list can have; the best are a mix of fitting, new and loved films, another one every day."""

    BEST = "best"
    LATEST = "latest"
    POPULAR = "popular"
    RATING = "rating"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmQuery:
    """Which films to look for; every filter is off by default.

    Raises:
        QueryError: when a value is impossible or two filters contradict each other.
    """

    genres: tuple[str, ...] = ()  # best first; a film needs one of them
    not_genres: tuple[str, ...] = ()
    from_year: int | None = None
    to_year: int | None = None
    min_rating: float | None = None  # 0 to 10
    min_votes: int | None = None
    max_minutes: int | None = None
    languages: tuple[str, ...] = ()  # original ones, of which a film must have one, as lower-case ISO 639 codes
    lead: Literal["woman", "man", "any"] = "any"
    tones: tuple[str, ...] = ()  # what a film must be, all of it, in words of scraper.tone.CHIPS
    kids: bool = False  # whether films must be good with kids
    sort: Sort = Sort.BEST
    day: date | None = None  # whose list of best films it is; None is today
    interest: str | None = None  # number of a sub-genre of IMDb, which only a search there understands
    limit: int = 24  # how many films, 1 to 100

    def __post_init__(self) -> None:
        values: dict[str, object] = {name: _read_int(name, getattr(self, name)) for name in BOUNDS}
        values |= {name: _read_names(name, getattr(self, name)) for name in NAMES}
        values["day"] = _read_day(self.day)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        rating = 0 if self.min_rating is None else self.min_rating
        if isinstance(rating, bool) or not isinstance(rating, int | float) or not 0 <= rating <= 10:  # noqa: PLR2004
            raise QueryError(f"min_rating must be from 0 to 10, not {shorten(self.min_rating)}")
        if not isinstance(self.kids, bool):
            raise QueryError(f"kids must be true or false, not {shorten(self.kids)}")
        if self.lead not in ("woman", "man", "any"):
            raise QueryError(f"lead must be woman, man or any, not {shorten(self.lead)}")
        if self.sort not in tuple(Sort):
            raise QueryError(f"sort must be one of {', '.join(Sort)}, not {shorten(self.sort)}")
        object.__setattr__(self, "sort", Sort(self.sort))
        if self.from_year and self.to_year and self.from_year > self.to_year:
            raise QueryError(f"from_year {self.from_year} is after to_year {self.to_year}; swap them")
        both = sorted(set(self.genres) & set(self.not_genres))
        if both:
            raise QueryError(f"{both[0]} is both wanted and unwanted; take it out of one list")

    def to_url(self, base: str, after: str = "") -> str:
        """Return the address of IMDb's advanced title search for this query.

        IMDb can only require all of several genres, so the address has the first one, or the sub-genre in place of it,
        and the genres that no film may have; filters that IMDb lacks are left to `accepts`. After a page comes the one
        with its cursor as `after`.
        """
        votes = LIVE_MIN_VOTES_RATING if self.sort is Sort.RATING else LIVE_MIN_VOTES
        years = (self.from_year and f"{self.from_year}-01-01", self.to_year and f"{self.to_year}-12-31")
        orders = {Sort.LATEST: "release_date,desc", Sort.RATING: "user_rating,desc"}
        wanted = [] if self.interest else [genre.lower() for genre in self.genres[:1]]
        parameters = {
            "title_type": "feature",
            "genres": ",".join(wanted + [f"!{genre.lower()}" for genre in self.not_genres]),
            "interests": self.interest or "",
            "release_date": _span(*years),
            "user_rating": _span(self.min_rating and f"{self.min_rating:g}", None),
            "num_votes": _span(votes if self.min_votes is None else self.min_votes, None),
            "runtime": _span(None, self.max_minutes),
            "primary_language": ",".join(self.languages),
            "certificates": "US:G,US:PG" if self.kids else "",
            "sort": orders.get(self.sort, "moviemeter,asc"),
            "count": str(PAGE_SIZE),
            "after": after,
        }
        used = {name: value for name, value in parameters.items() if value}
        return f"{base.rstrip('/')}/search/title/?{urlencode(used, safe=',!:')}"

    def accepts(self, film: Film) -> bool:
        """Return whether a film passes every filter; an unknown fact does not pass a filter on it."""
        return (
            (not self.genres or not set(self.genres).isdisjoint(film.genres))
            and not set(self.not_genres) & set(film.genres)
            and _within(film.year, self.from_year, self.to_year)
            and _within(film.rating, self.min_rating, None)
            and _within(film.votes, self.min_votes, None)
            and _within(film.runtime_min, None, self.max_minutes)
            and (not self.languages or film.language in self.languages)
            and self.lead in {"any", film.lead}
            and has_chips(film, self.tones)
            and (not self.kids or suits_kids(film))
        )

    def sort_key(self, film: Film) -> float:
        """Return by what a film is sorted, the highest first."""
        if self.sort is Sort.LATEST:
            return film.year or 0
        return film.votes or 0 if self.sort is Sort.POPULAR else weighted_rating(film)


def weighted_rating(film: Film) -> float:
    """Return the rating, drawn toward the average the fewer votes there are."""
    votes, rating = film.votes or 0, film.rating or RATING_PRIOR
    return (rating * votes + RATING_PRIOR * PRIOR_VOTES) / (votes + PRIOR_VOTES)


def _read_names(name: str, values: object) -> tuple[str, ...]:
    """Return a list of names, each once and in our spelling."""
    if not isinstance(values, tuple | list):
        raise QueryError(f"{name} must be a list of texts, not {shorten(values)}")
    spelling = {known.lower(): known for known in NAMES[name]}
    names = []
    for value in values:
        text = value.strip().lower() if isinstance(value, str) else ""
        if name == "languages" and not re.fullmatch("[a-z]{2,3}", text):
            raise QueryError(f"languages must be ISO 639 codes such as en or fr, not {shorten(value)}")
        if name != "languages" and text not in spelling:
            kind = name.removeprefix("not_").removesuffix("s")
            raise QueryError(f"unknown {kind} {shorten(value)}; choose from {', '.join(NAMES[name])}")
        names.append(spelling.get(text, text))
    return tuple(dict.fromkeys(names))


def _read_day(value: object) -> date | None:
    """Return a day, which may be given as a text such as 2026-11-28."""
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise QueryError(f"day must look like 2026-11-28, not {shorten(value)}") from None


def _read_int(name: str, value: object) -> int | None:
    """Return a whole number within its BOUNDS; sliders send it as a float."""
    if value is None and name != "limit":
        return None
    low, high = BOUNDS[name]
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and value == int(value):
        return int(value)
    raise QueryError(f"{name} must be a whole number from {low} to {high}, not {shorten(value)}")


def _span(low: object, high: object) -> str:
    span = f"{low or ''},{high or ''}"
    return "" if span == "," else span


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)
