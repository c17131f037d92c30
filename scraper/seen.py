"""Which films somebody has seen, from what Letterboxd or IMDb export about them."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable

from scraper.errors import QueryError
from scraper.film import IMDB_ID, Film

MAX_FILMS = 20_000  # in an export


def read_seen(export: bytes, films: Iterable[Film]) -> frozenset[str]:
    """Return the IMDb ids of the films in a CSV export, of IMDb by id, or of Letterboxd by title and year.

    Titles are looked up among `films`, where a year may be off by one.

    Raises:
        QueryError: for any other file.
    """
    try:
        rows = csv.DictReader(io.StringIO(export.decode("utf-8-sig")))
        columns = set(rows.fieldnames or ())
        kept = [row for _, row in zip(range(MAX_FILMS), rows, strict=False)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise QueryError("this file cannot be read; choose a CSV export of Letterboxd or IMDb") from error
    if "Const" in columns:
        return frozenset(row["Const"] for row in kept if IMDB_ID.fullmatch(row["Const"] or ""))
    if not {"Name", "Year"} <= columns:
        raise QueryError("this CSV has neither the column Const, as IMDb's exports, nor Name and Year, as Letterboxd's")
    exact = {(_plain(film.title), film.year or 0): film.imdb_id for film in films}
    near = {(title, year + off): imdb_id for (title, year), imdb_id in exact.items() for off in (-1, 1)}
    ids = near | exact
    named = ((_plain(row["Name"] or ""), row["Year"] or "") for row in kept)
    return frozenset(ids[title, int(year)] for title, year in named if year.isdecimal() and (title, int(year)) in ids)


def _plain(title: str) -> str:
    """Return a title without accents, signs and case, in which two sites may differ."""
    letters = unicodedata.normalize("NFKD", title.replace("&", "and").casefold())
    return "".join(letter for letter in letters if letter.isalnum())
