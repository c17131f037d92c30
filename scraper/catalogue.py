"""The lists of films on this machine: the bundled one and, once imported, IMDb's official tables."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from scraper.errors import CatalogueError
from scraper.film import GENRES, Film, SourceKind
from scraper.query import FilmQuery

BUNDLED_CSV = Path(__file__).parent / "data" / "films.csv"
BUNDLED_AS_OF = date(2025, 3, 1)  # the month is what counts
IMPORTED_NAME = "films.parquet"  # in the home folder
COLUMNS = {
    "imdb_id": "VARCHAR",
    "title": "VARCHAR",
    "year": "INTEGER",
    "genres": "VARCHAR",
    "runtime_min": "INTEGER",
    "language": "VARCHAR",
    "rating": "DOUBLE",
    "votes": "INTEGER",
    "lead": "VARCHAR",
}
logger = logging.getLogger(__name__)

_FILMS = "SELECT imdb_id, title, year, genres, rating, votes, runtime_min, language, lead FROM films"
_LEADS = "SELECT imdb_id, lead FROM films WHERE lead IS NOT NULL AND list_contains($ids::VARCHAR[], imdb_id)"
_MACRO = f"""
CREATE MACRO bits_of(names) AS
coalesce(list_sum(list_transform(names, lambda name: 1 << (list_position({list(GENRES)}, name) - 1))), 0)::INTEGER
"""  # the same as scraper.query.genre_bits

_READ_CSV = """
CREATE TABLE {name} AS
SELECT * REPLACE (string_split(genres, '|') AS genres), bits_of(string_split(genres, '|')) AS genre_bits
FROM read_csv($path, columns = $columns, header = true, delim = ',', quote = '"', escape = '"', nullstr = '')
"""
_READ_PARQUET = """
CREATE TABLE films AS
SELECT i.imdb_id, i.title, i.year, i.genres, i.rating, i.votes, i.runtime_min, b.language,
       coalesce(b.lead, i.lead) AS lead, bits_of(i.genres) AS genre_bits
FROM read_parquet($path) AS i LEFT JOIN bundled AS b USING (imdb_id)
"""
_AS_OF = "SELECT value::VARCHAR FROM parquet_kv_metadata($path) WHERE key::VARCHAR = 'as_of'"


@dataclass(frozen=True, slots=True)
class FilmTable:
    """A table of films in memory, which it is, and the day its facts are from; queries may come from any thread."""

    kind: SourceKind
    connection: duckdb.DuckDBPyConnection
    as_of: date

    def find(self, query: FilmQuery) -> list[Film]:
        """Return the films that pass a query, in its order, at most CANDIDATES of them."""
        statement, parameters = query.to_sql()
        return [_film(row) for row in self.connection.cursor().execute(statement, parameters).fetchall()]

    def leads(self, ids: Collection[str]) -> dict[str, Any]:
        """Return the lead's gender of those films for which it is known, by id."""
        return dict(self.connection.cursor().execute(_LEADS, {"ids": list(ids)}).fetchall())

    def films(self) -> list[Film]:
        """Return every film of the table."""
        return [_film(row) for row in self.connection.cursor().execute(_FILMS).fetchall()]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The lists on this machine; `imported` is None until IMDb's tables have been imported."""

    bundled: FilmTable
    imported: FilmTable | None = None

    @classmethod
    def load(cls, home: Path, csv: Path = BUNDLED_CSV) -> Catalogue:
        """Read the lists into memory, once per process.

        Args:
            home: the folder where imported tables lie.
            csv: the bundled list.

        Raises:
            CatalogueError: when the bundled list is missing or cannot be read; imported tables are done without.
        """
        parquet = home / IMPORTED_NAME
        try:
            imported = load_imported(parquet, csv) if parquet.is_file() else None
        except CatalogueError as error:
            logger.warning("%s; the bundled list serves meanwhile", error)
            imported = None
        return cls(load_bundled(csv), imported)

    def leads(self, ids: Collection[str]) -> Mapping[str, Any]:
        """Return the lead's gender of those films for which any list knows it, by id."""
        return (self.imported.leads(ids) if self.imported else {}) | self.bundled.leads(ids)


def load_bundled(csv: Path = BUNDLED_CSV) -> FilmTable:
    """Read the bundled list.

    Raises:
        CatalogueError: when the file is missing or is no list of films.
    """
    connection = _connect()
    _read_csv(connection, "films", csv)
    return FilmTable(SourceKind.BUNDLED, connection, BUNDLED_AS_OF)


def load_imported(parquet: Path, csv: Path = BUNDLED_CSV) -> FilmTable:
    """Read imported tables, and what only the bundled list knows: languages, and leads checked by hand.

    Raises:
        CatalogueError: when a file is missing or cannot be read.
    """
    connection = _connect()
    _read_csv(connection, "bundled", csv)
    try:
        connection.execute(_READ_PARQUET, {"path": str(parquet)})
        row = connection.execute(_AS_OF, {"path": str(parquet)}).fetchone()
        as_of = date.fromisoformat(row[0]) if row else None
    except (duckdb.Error, ValueError) as error:
        raise CatalogueError(f"{parquet} cannot be read; delete it or import the tables again") from error
    if as_of is None:
        raise CatalogueError(f"{parquet} does not say how old it is; import the tables again")
    return FilmTable(SourceKind.IMPORTED, connection, as_of)


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1, "autoinstall_known_extensions": False})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(_MACRO)
    return connection


def _read_csv(connection: duckdb.DuckDBPyConnection, name: str, csv: Path) -> None:
    if not csv.is_file():
        raise CatalogueError(f"the bundled list {csv} is missing; restore it from the repository")
    with csv.open(encoding="utf-8", errors="replace") as file:
        header = file.readline().strip().split(",")
    if header != list(COLUMNS):
        raise CatalogueError(f"{csv} must have the columns {','.join(COLUMNS)}, not {','.join(header)}")
    try:
        connection.execute(_READ_CSV.format(name=name), {"path": str(csv), "columns": COLUMNS})
    except duckdb.Error as error:
        raise CatalogueError(f"{csv} cannot be read: {str(error).splitlines()[0]}") from error


def _film(row: tuple[Any, ...]) -> Film:
    imdb_id, title, year, genres, rating, votes, runtime_min, language, lead = row
    return Film(imdb_id, title, year, tuple(genres or ()), rating, votes, runtime_min, language, lead)
