"""What the program knows about a film, and where a list of films came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal

Lead = Literal["woman", "man"]

IMDB_ID = re.compile(r"tt\d{7,9}", re.ASCII)

GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama", "Family",
    "Fantasy", "Film-Noir", "Game-Show", "History", "Horror", "Music", "Musical", "Mystery", "News",
    "Reality-TV", "Romance", "Sci-Fi", "Short", "Sport", "Talk-Show", "Thriller", "War", "Western",
)  # fmt: skip  # IMDb's names, less the adult one: never asked for, never shown


@dataclass(frozen=True, slots=True)
class Film:
    """Facts about one film; None and "" mean that the source does not say.

    Attributes:
        imdb_id: IMDb's title id, checked, so that `url` can only lead to a title page.
        genres: IMDb's genre names in IMDb's order.
        rating: IMDb's rating, 1 to 10.
        runtime_min: length in minutes.
        language: original language as an ISO 639 code.
        lead: gender of the first-billed lead.
    """

    imdb_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    rating: float | None = None
    votes: int | None = None
    runtime_min: int | None = None
    language: str | None = None
    lead: Lead | None = None
    poster_url: str | None = None

    def __post_init__(self) -> None:
        if not IMDB_ID.fullmatch(self.imdb_id):
            raise ValueError(f"{self.imdb_id!r} is no IMDb title id; one looks like tt0111161")

    @property
    def url(self) -> str:
        """The film's page at IMDb."""
        return f"https://www.imdb.com/title/{self.imdb_id}/"

    def to_dict(self) -> dict[str, Any]:
        """Return the public facts by name, ready for JSON."""
        names = ("imdb_id", "title", "year", "genres", "rating", "votes", "runtime_min", "language")
        return {name: getattr(self, name) for name in names} | {
            "url": self.url,
            "poster_url": self.poster_url,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Film:
        """Rebuild a film from `to_fields`."""
        return cls(**{**fields, "genres": tuple(fields["genres"])})

    def to_fields(self) -> dict[str, Any]:
        """Return every field by name, for storing."""
        return asdict(self)


class SourceKind(StrEnum):
    """The four places a list of films can come from."""

    IMDB = "imdb"
    CACHE = "cache"
    IMPORTED = "imported"
    BUNDLED = "bundled"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a list came from.

    Attributes:
        kind: the place.
        as_of: how old its facts are (a datetime in UTC for a page, a date for a table).
        notice: a plain sentence or two for the page: where from, how old, and why not a better source.
        unapplied: filters that this source cannot apply by itself; the list was filtered again on our side.
    """

    kind: SourceKind
    as_of: date
    notice: str
    unapplied: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, str]:
        """Return kind, date and notice, ready for JSON."""
        return {"kind": self.kind.value, "as_of": self.as_of.isoformat(), "notice": self.notice}


@dataclass(frozen=True, slots=True)
class Pick:
    """A recommended film and, in a few words, why."""

    film: Film
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return the film's public facts and the reason, ready for JSON."""
        return self.film.to_dict() | {"why": self.why}
