"""One query for every source: checked filters that become an IMDb address, SQL, or a test of a film."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlencode

from scraper.errors import QueryError
from scraper.film import GENRES, Film, SourceKind
from scraper.values import is_number, read_genres, read_whole, shorten, text_of

PAGE_SIZE = 50  # films on one IMDb page
LIVE_MIN_VOTES = 1_000  # keeps films that nobody has seen off a page sorted by date
LIVE_MIN_VOTES_RATING = 10_000  # else five friends make a film the best of all
CANDIDATES = 600  # films a query hands to the ranking at most

YEARS = (1874, 2100)
RATING_PRIOR = 6.5  # the rating that a film without votes would have ...
PRIOR_VOTES = 10_000  # ... and the votes it takes to get halfway to its own

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


IMDB_SORT = {
    Sort.LATEST: "release_date,desc",
    Sort.POPULAR: "moviemeter,asc",
    Sort.RATING: "user_rating,desc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmQuery:
    """What films to look for; every filter is off by default.

    Attributes:
        genres: wanted genres, best first; any of them will do.
        not_genres: genres that no film may have.
        from_year: earliest year of release; `to_year` the latest.
        min_rating: lowest IMDb rating, 0 to 10.
        max_minutes: longest running time.
        language: original language, ISO 639 code in small letters.
        lead: gender of the first-billed lead.
        limit: films wanted, 1 to 100.

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
    sort: Sort = field(default=Sort.LATEST)
    limit: int = 24

    def __post_init__(self) -> None:
        for name in ("genres", "not_genres"):
            object.__setattr__(self, name, read_genres(name, getattr(self, name)))
        whole = {
            "from_year": YEARS,
            "to_year": YEARS,
            "min_votes": (0, 10**9),
            "max_minutes": (1, 1_000),
            "limit": (1, 100),
        }
        for name, span in whole.items():
            object.__setattr__(self, name, read_whole(name, getattr(self, name), span))
        self._check_choices()
        self._check_contradictions()

    def _check_choices(self) -> None:
        rating = 0 if self.min_rating is None else self.min_rating
        if not is_number(rating) or not 0 <= rating <= 10:  # noqa: PLR2004  IMDb's scale
            raise QueryError(f"min_rating must be from 0 to 10, not {shorten(self.min_rating)}")
        if self.language is not None and not re.fullmatch("[a-z]{2,3}", text_of(self.language)):
            raise QueryError(f"language must be an ISO 639 code such as en or fr, not {shorten(self.language)}")
        if self.lead not in ("woman", "man", "any"):
            raise QueryError(f"lead must be woman, man or any, not {shorten(self.lead)}")
        if self.sort not in tuple(Sort):
            raise QueryError(f"sort must be one of {', '.join(Sort)}, not {shorten(self.sort)}")
        object.__setattr__(self, "sort", Sort(self.sort))
        if self.limit is None:
            raise QueryError("limit must be a number from 1 to 100")

    def _check_contradictions(self) -> None:
        if self.from_year and self.to_year and self.from_year > self.to_year:
            raise QueryError(f"from_year {self.from_year} is after to_year {self.to_year}; swap them")
        both = sorted(set(self.genres) & set(self.not_genres))
        if both:
            raise QueryError(f"{both[0]} is both wanted and unwanted; take it out of one list")

    def to_url(self, base: str, after: str = "") -> str:
        """Return the address of IMDb's advanced title search for this query.

        IMDb can only ask for all of several genres, so the first is searched for; what IMDb cannot filter at all
        is left to `accepts`.

        Args:
            base: scheme and host, such as https://www.imdb.com.
            after: the cursor of the page before, for the next one.
        """
        votes = LIVE_MIN_VOTES_RATING if self.sort is Sort.RATING else LIVE_MIN_VOTES
        parameters = {
            "title_type": "feature",
            "genres": self.genres[0].lower() if self.genres else "",
            "release_date": _span(
                self.from_year and f"{self.from_year}-01-01", self.to_year and f"{self.to_year}-12-31"
            ),
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
        """Return a statement over a table `films` and its named parameters; the text never varies."""
        parameters: dict[str, Any] = {
            "genres": genre_bits(self.genres),
            "not_genres": genre_bits(self.not_genres),
            "from_year": self.from_year,
            "to_year": self.to_year,
            "min_rating": self.min_rating,
            "min_votes": self.min_votes,
            "max_minutes": self.max_minutes,
            "language": self.language,
            "lead": None if self.lead == "any" else self.lead,
            "sort": self.sort.value,
            "prior": RATING_PRIOR,
            "prior_votes": PRIOR_VOTES,
            "candidates": CANDIDATES,
        }
        return SQL, parameters

    def accepts(self, film: Film) -> bool:
        """Say whether a film passes every filter; a fact that is not known does not pass a filter on it."""
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

    def unapplied(self, kind: SourceKind) -> tuple[str, ...]:
        """Name the filters in use that a source cannot apply by itself and that are applied on our side."""
        live = kind in {SourceKind.IMDB, SourceKind.CACHE}
        answers = {
            "any of several genres": live and len(self.genres) > 1,
            "unwanted genres": live and bool(self.not_genres),
            "lead": live and self.lead != "any",
            "language": kind is SourceKind.IMPORTED and self.language is not None,
        }
        return tuple(name for name, missing in answers.items() if missing)


def genre_bits(genres: Iterable[str]) -> int:
    """Return genres as the bits of a number, as the tables keep them: four times as fast as lists of names."""
    return sum(1 << GENRES.index(genre) for genre in genres)


def weighted_rating(film: Film) -> float:
    """Return the rating drawn towards the average the fewer votes there are."""
    votes, rating = film.votes or 0, film.rating or RATING_PRIOR
    return (rating * votes + RATING_PRIOR * PRIOR_VOTES) / (votes + PRIOR_VOTES)


def _span(low: object, high: object) -> str:
    span = f"{low or ''},{high or ''}"
    return "" if span == "," else span


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)
