"""One query for every source: validated filters that become an IMDb address, SQL, or a test of a single film."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlencode

from scraper.errors import QueryError, shorten
from scraper.film import GENRES, Film

PAGE_SIZE = 50  # films on one IMDb page
LIVE_MIN_VOTES = 1_000  # keeps films that nobody has seen off a page sorted by date
LIVE_MIN_VOTES_RATING = 10_000  # otherwise five friends make a film the best of all
CANDIDATES = 600  # most films that a table hands to the ranking

BOUNDS = {
    "from_year": (1874, 2100), "to_year": (1874, 2100), "min_votes": (0, 10**9), "max_minutes": (1, 1_000),
    "limit": (1, 100),
}  # fmt: skip  # inclusive
RATING_PRIOR = 6.5  # the weighted rating of a film without votes ...
PRIOR_VOTES = 10_000  # ... and how many votes move it halfway to the film's own rating

SQL = """
SELECT imdb_id, title, year, genres, rating, votes, runtime_min, language, lead
FROM films
WHERE ($genres = 0 OR genre_bits & $genres <> 0)
  AND genre_bits & $not_genres = 0
  AND ($from_year::INTEGER IS NULL OR year >= $from_year)
  AND ($to_year::INTEGER IS NULL OR year <= $to_year)
  AND ($min_rating::DOUBLE IS NULL OR rating >= $min_rating)
  AND ($min_votes::INTEGER IS NULL OR votes >= $min_votes)
  AND ($max_minutes::INTEGER IS NULL OR runtime_min <= $max_minutes)
  AND ($language::VARCHAR IS NULL OR language = $language)
  AND ($lead::VARCHAR IS NULL OR lead = $lead)
ORDER BY CASE $sort::VARCHAR
           WHEN 'latest' THEN year
           WHEN 'popular' THEN votes
           ELSE (rating * votes + $prior * $prior_votes) / (votes + $prior_votes) END DESC NULLS LAST,
         votes DESC NULLS LAST, imdb_id
LIMIT $candidates
"""


class Sort(StrEnum):
    """The orders a list can have."""

    LATEST = "latest"
    POPULAR = "popular"
    RATING = "rating"


IMDB_SORT = {Sort.LATEST: "release_date,desc", Sort.POPULAR: "moviemeter,asc", Sort.RATING: "user_rating,desc"}


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
        language: original language, a lower-case ISO 639 code.
        lead: gender of the first-billed lead.
        sort: the order of the list.
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
    language: str | None = None
    lead: Literal["woman", "man", "any"] = "any"
    sort: Sort = Sort.LATEST
    limit: int = 24

    def __post_init__(self) -> None:
        for name in ("genres", "not_genres"):
            object.__setattr__(self, name, _read_genres(name, getattr(self, name)))
        for name in BOUNDS:
            object.__setattr__(self, name, _read_int(name, getattr(self, name)))
        rating = 0 if self.min_rating is None else self.min_rating
        if isinstance(rating, bool) or not isinstance(rating, int | float) or not 0 <= rating <= 10:  # noqa: PLR2004
            raise QueryError(f"min_rating must be from 0 to 10, not {shorten(self.min_rating)}")
        language = self.language
        if language is not None and not (isinstance(language, str) and re.fullmatch("[a-z]{2,3}", language)):
            raise QueryError(f"language must be an ISO 639 code such as en or fr, not {shorten(language)}")
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

    def to_url(self, base: str, after: str = "") -> str:
        """Return the address of IMDb's advanced title search for this query.

        IMDb can only require all of several genres, so the address has the first one; filters that IMDb lacks are
        left to `accepts`.

        Args:
            base: scheme and host, such as https://www.imdb.com.
            after: the cursor of the previous page, to get the next one.
        """
        votes = LIVE_MIN_VOTES_RATING if self.sort is Sort.RATING else LIVE_MIN_VOTES
        years = (self.from_year and f"{self.from_year}-01-01", self.to_year and f"{self.to_year}-12-31")
        parameters = {
            "title_type": "feature",
            "genres": self.genres[0].lower() if self.genres else "",
            "release_date": _span(*years),
            "user_rating": _span(self.min_rating and f"{self.min_rating:g}", None),
            "num_votes": _span(votes if self.min_votes is None else self.min_votes, None),
            "runtime": _span(None, self.max_minutes),
            "languages": self.language or "",
            "sort": IMDB_SORT[self.sort],
            "count": str(PAGE_SIZE),
            "after": after,
        }
        used = {name: value for name, value in parameters.items() if value}
        return f"{base.rstrip('/')}/search/title/?{urlencode(used, safe=',')}"

    def to_sql(self) -> tuple[str, dict[str, Any]]:
        """Return a statement over a table `films` and its named parameters; the statement is always the same."""
        same = ("from_year", "to_year", "min_rating", "min_votes", "max_minutes", "language")
        parameters: dict[str, Any] = {name: getattr(self, name) for name in same} | {
            "genres": genre_bits(self.genres),
            "not_genres": genre_bits(self.not_genres),
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
            and self.language in {None, film.language}
            and self.lead in {"any", film.lead}
        )


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
