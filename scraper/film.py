"""What the program knows about a film."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

IMDB_ID = re.compile(r"tt\d{7,9}", re.ASCII)

GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama", "Family",
    "Fantasy", "Film-Noir", "Game-Show", "History", "Horror", "Music", "Musical", "Mystery", "News",
    "Reality-TV", "Romance", "Sci-Fi", "Short", "Sport", "Talk-Show", "Thriller", "War", "Western",
)  # fmt: skip  # IMDb's names, except "Adult": never searched for, never shown


@dataclass(frozen=True, slots=True)
class Film:
    """Facts about one film; None and "" mean that the source does not say. A wrong IMDb id raises ValueError."""

    imdb_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()  # IMDb's names in IMDb's order
    rating: float | None = None  # IMDb's, 1 to 10
    votes: int | None = None
    runtime_min: int | None = None
    language: str | None = None  # the original one, as an ISO 639 code
    lead: Literal["woman", "man"] | None = None  # gender of the first-billed one
    poster_url: str | None = None
    tone: tuple[str, ...] = ()  # in words of scraper.tone.TONES, the strongest first
    certificate: str | None = None  # for whom it is, as the United States rate it, such as PG

    def __post_init__(self) -> None:
        if not IMDB_ID.fullmatch(self.imdb_id):
            raise ValueError(f"{self.imdb_id!r} is not an IMDb title id such as tt0111161")

    @property
    def url(self) -> str:
        """The film's page on IMDb."""
        return f"https://www.imdb.com/title/{self.imdb_id}/"

    def to_dict(self) -> dict[str, Any]:
        """Return the public facts by name, ready for JSON."""
        names = "imdb_id title year genres rating votes runtime_min language tone certificate url poster_url"
        return {name: getattr(self, name) for name in names.split()}


@dataclass(frozen=True, slots=True)
class Pick:
    """A recommended film and, in a few words, why."""

    film: Film
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return the film's public facts and the reason, ready for JSON."""
        return self.film.to_dict() | {"why": self.why}
