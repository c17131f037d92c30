"""Single facts out of whatever stands in a page: each function returns a checked value or its absence."""

from __future__ import annotations

import re
import unicodedata

from scraper.film import GENRES, IMDB_ID

MAX_TITLE = 300  # characters
_BRACKETS = str.maketrans("<>", "\u2039\u203a")  # they look the same and open no tag, whoever shows them
_POSTER = re.compile(r"(https://m\.media-amazon\.com/images/M/[\w@.,-]+?\._V1_)[\w,]*\.jpg", re.ASCII)
_CURSOR = re.compile(r"[\w+/=-]{1,2000}", re.ASCII)  # base64
_SHORT_NUMBER = re.compile(r"([\d.,]+)\s*([KM]?)", re.ASCII)


def imdb_id(value: object) -> str | None:
    """Return a title id, else None."""
    return value if isinstance(value, str) and IMDB_ID.fullmatch(value) else None


def clean_text(value: object) -> str:
    """Return text on one line, less control characters and lone surrogates, and with no bracket of a tag."""
    if not isinstance(value, str):
        return ""
    value = value[:MAX_TITLE].translate(_BRACKETS)
    shown = "".join(c for c in value if c.isspace() or unicodedata.category(c) not in {"Cc", "Cs", "Cf"})
    return " ".join(shown.split())


def number(value: object, low: float, high: float) -> float | None:
    """Return a number within its bounds, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high else None


def whole(value: object, low: int, high: int) -> int | None:
    """Return a whole number within its bounds, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None


def genre_names(value: object) -> tuple[str, ...]:
    """Return the names that are IMDb genres, each once."""
    names = value if isinstance(value, list) else []
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name in GENRES))


def cursor(value: object) -> str | None:
    """Return the mark that IMDb sets where the next page begins, else None."""
    return value if isinstance(value, str) and _CURSOR.fullmatch(value) else None


def poster(value: object) -> str | None:
    """Return the address of a small version of a poster on Amazon's image host, else None."""
    match = _POSTER.fullmatch(value) if isinstance(value, str) else None
    return f"{match[1]}QL75_UX280_.jpg" if match else None


def rounded_votes(text: str) -> int | None:
    """Return the votes in a text such as "(26K)", "(2.8M)" or "(646.623)"."""
    match = _SHORT_NUMBER.search(text)
    if match is None:
        return None
    digits, unit = match[1], match[2]
    if unit:
        decimal = digits.replace(",", ".")
        factor = {"K": 1_000, "M": 1_000_000}[unit]
        return round(float(decimal) * factor) if re.fullmatch(r"\d{1,4}(\.\d+)?", decimal) else None
    plain = re.sub("[.,]", "", digits)
    return int(plain) if plain and len(plain) < 10 and int(plain) else None  # noqa: PLR2004  no film has a billion


def minutes(text: str) -> int | None:
    """Return the minutes in a text such as "2h 49m", "1h" or "48m"."""
    match = re.fullmatch(r"(?:(\d{1,2})h)?\s*(?:(\d{1,3})m)?", text, re.ASCII)
    total = int(match[1] or 0) * 60 + int(match[2] or 0) if match else 0
    return total or None


def rating(text: str) -> float | None:
    """Return the last number of a text such as "IMDb rating: 9.3" or "IMDb-Bewertung: 8,7"."""
    numbers = re.findall(r"\d{1,2}(?:[.,]\d)?(?!\d)", text, re.ASCII)
    return number(float(numbers[-1].replace(",", ".")), 1, 10) if numbers else None
