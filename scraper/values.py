"""Single values of a query, whoever sent them: right in type and size, or a QueryError that repeats little of them."""

from __future__ import annotations

import reprlib
from typing import TypeGuard

from scraper.errors import QueryError
from scraper.film import GENRES


def shorten(value: object) -> str:
    """Return a value as a message may repeat it: whatever was sent, on one short line."""
    return reprlib.repr(value)


def read_genres(name: str, values: object) -> tuple[str, ...]:
    """Return IMDb's names of genres, each once.

    Raises:
        QueryError: it is no list, or a name is not one of IMDb's.
    """
    if not isinstance(values, tuple | list):
        raise QueryError(f'{name} must be a list, such as ["Comedy"], not {shorten(values)}')
    return tuple(dict.fromkeys(map(_genre, values)))


def _genre(name: object) -> str:
    for genre in GENRES:
        if genre.lower() == text_of(name).strip().lower():
            return genre
    raise QueryError(f"unknown genre {shorten(name)}; choose from {', '.join(GENRES)}")


def read_whole(name: str, value: object, span: tuple[int, int]) -> int | None:
    """Return a whole number within bounds; sliders send it as a float.

    Raises:
        QueryError: it is another number, or none.
    """
    low, high = span
    if value is None:
        return None
    if not is_number(value) or not low <= value <= high or value != int(value):
        raise QueryError(f"{name} must be a whole number from {low} to {high}, not {shorten(value)}")
    return int(value)


def is_number(value: object) -> TypeGuard[float]:
    """Say whether a value counts or measures something, which True and False do not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text_of(value: object) -> str:
    """Return a text, "" for whatever is none."""
    return value if isinstance(value, str) else ""
