"""One query for every source: validated filters that become an IMDb address, SQL, or a test of a single film."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlencode

from scraper.errors import QueryError, shorten
from scraper.film import GENRES, Film
from scraper.tone import CHIPS, has_chips, suits_kids

PAGE_SIZE = 50  # films on one IMDb page
LIVE_MIN_VOTES = 1_000  # keeps films that nobody has seen off a page sorted by date
LIVE_MIN_VOTES_RATING = 10_000  # otherwise five friends make a film the best of all
CANDIDATES = 5_000  # most films that a table hands to the ranking

BOUNDS = {
    "from_year": (1874, 2100), "to_year": (1874, 2100), "min_votes": (0, 10**9), "max_minutes": (1, 1_000),
    "limit": (1, 100),
}  # fmt: skip  # inclusive
RATING_PRIOR = 6.5  # the weighted rating of a film without votes ...
PRIOR_VOTES = 10_000  # ... and how many votes move it halfway to the film's own rating

SQL = """
SELECT imdb_id
FROM films
WHERE ($genres = 0 OR genre_bits & $genres <> 0)
  AND genre_bits & $not_genres = 0
  AND ($from_year::INTEGER IS NULL OR year >= $from_year)
  AND ($to_year::INTEGER IS NULL OR year <= $to_year)
  AND ($min_rating::DOUBLE IS NULL OR rating >= $min_rating)
  AND ($min_votes::INTEGER IS NULL OR votes >= $min_votes)
  AND ($max_minutes::INTEGER IS NULL OR runtime_min <= $max_minutes)
  AND (len($languages::VARCHAR[]) = 0 OR list_contains($languages::VARCHAR[], language))
  AND ($lead::VARCHAR IS NULL OR lead = $lead)
ORDER BY CASE $sort::VARCHAR
           WHEN 'latest' THEN year
           WHEN 'popular' THEN votes
           ELSE (rating * votes + $prior * $prior_votes) / (votes + $prior_votes) END DESC NULLS LAST,
         votes DESC NULLS LAST, imdb_id
LIMIT $candidates
"""


class Sort(StrEnum):
    """The orders a list can have; the best are a mix of fitting, new and loved films, another one every day."""

    BEST = "best"
    LATEST = "latest"
    POPULAR = "popular"
    RATING = "rating"


IMDB_SORT = {
    Sort.BEST: "moviemeter,asc", Sort.LATEST: "release_date,desc", Sort.POPULAR: "moviemeter,asc",
    Sort.RATING: "user_rating,desc",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmQuery:
    """Which films to look for; every filter is off by default.

    Attributes:
        genres: wanted genres, best first; a film needs one of them.
        not_genres: genres that no film may have.
        from_year: earliest year of release.
        to_year: latest year of release.
        min_rating: lowest IMDb rating, 0 to 10.
        min_votes: lowest number of IMDb votes.
        max_minutes: longest running time.
        languages: original languages of which a film must have one, as lower-case ISO 639 codes.
        lead: gender of the first-billed lead.
        tones: what a film must be, all of it, in words of scraper.tone.CHIPS.
        kids: whether the films must be good with kids.
        sort: the order of the list.
        day: whose list of best films it is; None is today.
        interest: number of a sub-genre of IMDb, which only a search there understands.
        limit: how many films, 1 to 100.

    Raises:
        QueryError: when a value is impossible or two filters contradict each other.
    """

    genres: tuple[str, ...] = ()
    not_genres: tuple[str, ...] = ()
    from_year: int | None = None
    to_year: int | None = None
    min_rating: float | None = None
    min_votes: int | None = None
    max_minutes: int | None = None
    languages: tuple[str, ...] = ()
    lead: Literal["woman", "man", "any"] = "any"
    tones: tuple[str, ...] = ()
    kids: bool = False
    sort: Sort = Sort.BEST
    day: date | None = None
    interest: str | None = None
    limit: int = 24

    def __post_init__(self) -> None:
        self._read_values()
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
        if self.limit is None:
            raise QueryError("limit must be a number from 1 to 100")
        if self.from_year and self.to_year and self.from_year > self.to_year:
            raise QueryError(f"from_year {self.from_year} is after to_year {self.to_year}; swap them")
        both = sorted(set(self.genres) & set(self.not_genres))
        if both:
            raise QueryError(f"{both[0]} is both wanted and unwanted; take it out of one list")

    def _read_values(self) -> None:
        """Replace values by the proper ones, such as IMDb's spelling of a genre, or refuse them."""
        values: dict[str, object] = {name: _read_genres(name, getattr(self, name)) for name in ("genres", "not_genres")}
        values |= {name: _read_int(name, getattr(self, name)) for name in BOUNDS}
        values["languages"] = _read_names("languages", self.languages)
        values["tones"] = _read_names("tones", self.tones)
        values["day"] = _read_day(self.day)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        for language in self.languages:
            if not re.fullmatch("[a-z]{2,3}", language):
                raise QueryError(f"languages must be ISO 639 codes such as en or fr, not {shorten(language)}")
        for tone in self.tones:
            if tone not in CHIPS:
                raise QueryError(f"unknown tone {shorten(tone)}; choose from {', '.join(CHIPS)}")

    def to_url(self, base: str, after: str = "") -> str:
        """Return the address of IMDb's advanced title search for this query.

        IMDb can only require all of several genres, so the address has the first one, or the sub-genre in place of it,
        and the genres that no film may have; filters that IMDb lacks are left to `accepts`.

        Args:
            base: scheme and host, such as https://www.imdb.com.
            after: the cursor of the previous page, to get the next one.
        """
        votes = LIVE_MIN_VOTES_RATING if self.sort is Sort.RATING else LIVE_MIN_VOTES
        years = (self.from_year and f"{self.from_year}-01-01", self.to_year and f"{self.to_year}-12-31")
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
            "sort": IMDB_SORT[self.sort],
            "count": str(PAGE_SIZE),
            "after": after,
        }
        used = {name: value for name, value in parameters.items() if value}
        return f"{base.rstrip('/')}/search/title/?{urlencode(used, safe=',!:')}"

    def to_sql(self) -> tuple[str, dict[str, Any]]:
        """Return a statement over a table `films` and its named parameters; the statement is always the same.

        It yields the ids of the films that pass all filters but those on the tone, which are left to `accepts_tone`.
        """
        same = ("from_year", "to_year", "min_rating", "min_votes", "max_minutes")
        parameters: dict[str, Any] = {name: getattr(self, name) for name in same} | {
            "genres": genre_bits(self.genres),
            "not_genres": genre_bits(self.not_genres),
            "languages": list(self.languages),
            "lead": None if self.lead == "any" else self.lead,
            "sort": self.sort.value,
            "prior": RATING_PRIOR,
            "prior_votes": PRIOR_VOTES,
            "candidates": CANDIDATES,
        }
        return SQL, parameters

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
            and self.accepts_tone(film)
        )

    def accepts_tone(self, film: Film) -> bool:
        """Return whether a film feels as asked, and is good with kids if that is asked."""
        return has_chips(film, self.tones) and (not self.kids or suits_kids(film))


def genre_bits(genres: Iterable[str]) -> int:
    """Return genres as the bits of a number, as the tables store them: four times as fast as lists of names."""
    return sum(1 << GENRES.index(genre) for genre in genres)


def weighted_rating(film: Film) -> float:
    """Return the rating, drawn toward the average the fewer votes there are."""
    votes, rating = film.votes or 0, film.rating or RATING_PRIOR
    return (rating * votes + RATING_PRIOR * PRIOR_VOTES) / (votes + PRIOR_VOTES)


def _read_genres(name: str, values: object) -> tuple[str, ...]:
    """Return IMDb's spelling of genres, each once."""
    if not isinstance(values, tuple | list):
        raise QueryError(f'{name} must be a list, such as ["Comedy"], not {shorten(values)}')
    by_lower_name = {genre.lower(): genre for genre in GENRES}
    for value in values:
        if not isinstance(value, str) or value.strip().lower() not in by_lower_name:
            raise QueryError(f"unknown genre {shorten(value)}; choose from {', '.join(GENRES)}")
    return tuple(dict.fromkeys(by_lower_name[value.strip().lower()] for value in values))


def _read_names(name: str, values: object) -> tuple[str, ...]:
    """Return a list of texts, each once."""
    if not isinstance(values, tuple | list) or not all(isinstance(value, str) for value in values):
        raise QueryError(f"{name} must be a list of texts, not {shorten(values)}")
    return tuple(dict.fromkeys(values))


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
    if value is None:
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
