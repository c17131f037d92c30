"""The lists of films on this machine: the bundled one, and IMDb's official tables once they have been imported.

IMDb allows the use of its tables for personal and non-commercial purposes; whoever runs a public copy has to decide
whether that covers it.
"""

from __future__ import annotations

import gzip
import logging
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from scraper.errors import CatalogueError
from scraper.film import GENRES, Film
from scraper.notice import SourceKind
from scraper.query import FilmQuery

BUNDLED_CSV = Path(__file__).parent / "data" / "films.csv"
BUNDLED_AS_OF = date(2025, 3, 1)  # only the month counts
CSV_COLUMNS = {
    "imdb_id": "VARCHAR", "title": "VARCHAR", "year": "INTEGER", "genres": "VARCHAR", "runtime_min": "INTEGER",
    "language": "VARCHAR", "rating": "DOUBLE", "votes": "INTEGER", "lead": "VARCHAR",
}  # fmt: skip

OFFICIAL_TABLES = "https://datasets.imdbws.com"
BASICS, RATINGS, PRINCIPALS = "title.basics.tsv.gz", "title.ratings.tsv.gz", "title.principals.tsv.gz"
TABLE_COLUMNS = {
    BASICS: (
        "tconst", "titleType", "primaryTitle", "originalTitle", "isAdult", "startYear", "endYear",
        "runtimeMinutes", "genres",
    ),
    RATINGS: ("tconst", "averageRating", "numVotes"),
    PRINCIPALS: ("tconst", "ordering", "nconst", "category", "job", "characters"),
}  # fmt: skip
IMPORTED_NAME = "films.parquet"  # in the home folder
MIN_VOTES = 1_000  # films with fewer are not imported
MEMORY_LIMIT = "1GB"  # for an import; DuckDB spills the rest to disk

_FILMS = "SELECT imdb_id, title, year, genres, rating, votes, runtime_min, language, lead FROM films"
_LEADS = "SELECT imdb_id, lead FROM films WHERE lead IS NOT NULL AND list_contains($ids::VARCHAR[], imdb_id)"
_BITS = f"""
CREATE MACRO bits_of(names) AS
coalesce(list_sum(list_transform(names, lambda name: 1 << (list_position({list(GENRES)}, name) - 1))), 0)::INTEGER
"""  # the same as scraper.query.genre_bits
_LOAD_CSV = """
CREATE TABLE {name} AS
SELECT * REPLACE (string_split(genres, '|') AS genres), bits_of(string_split(genres, '|')) AS genre_bits
FROM read_csv($path, columns = $columns, header = true, delim = ',', quote = '"', escape = '"', nullstr = '')
"""
_LOAD_PARQUET = """
CREATE TABLE films AS
SELECT i.imdb_id, i.title, i.year, i.genres, i.rating, i.votes, i.runtime_min, b.language,
       coalesce(b.lead, i.lead) AS lead, bits_of(i.genres) AS genre_bits
FROM read_parquet($path) AS i LEFT JOIN bundled AS b USING (imdb_id)
"""
_AS_OF = "SELECT value::VARCHAR FROM parquet_kv_metadata($path) WHERE key::VARCHAR = 'as_of'"

_VIEW = r"""
CREATE VIEW {view} AS SELECT * FROM read_csv({path}, columns = {columns}, header = true, delim = '\t',
    quote = '', escape = '', nullstr = '\N', auto_detect = false, max_line_size = 10000000)
"""
_IMPORT = r"""
COPY (
  WITH rated AS MATERIALIZED (
    SELECT tconst, averageRating::DOUBLE AS rating, numVotes::INTEGER AS votes
    FROM ratings WHERE numVotes::INTEGER >= {min_votes}
  ), movies AS MATERIALIZED (
    SELECT tconst,
      left(regexp_replace(translate(primaryTitle, '<>', chr(8249) || chr(8250)), '[\p{{Cc}}\p{{Cf}}]', '', 'g'), 300)
        AS title,
      TRY_CAST(startYear AS INTEGER) AS year,
      coalesce(string_split(genres, ','), []) AS genres, rating, votes,
      TRY_CAST(runtimeMinutes AS INTEGER) AS runtime_min
    FROM basics JOIN rated USING (tconst)
    WHERE titleType = 'movie' AND isAdult = '0' AND startYear IS NOT NULL
      AND NOT list_contains(coalesce(string_split(genres, ','), []), 'Adult')
  ), leads AS (
    SELECT tconst, arg_min(CASE category WHEN 'actress' THEN 'woman' ELSE 'man' END, ordering::INTEGER) AS lead
    FROM principals SEMI JOIN movies USING (tconst)
    WHERE category IN ('actor', 'actress')
    GROUP BY tconst
  )
  SELECT tconst AS imdb_id, title, year, genres, rating, votes, runtime_min, lead
  FROM movies LEFT JOIN leads USING (tconst) ORDER BY year DESC, votes DESC
) TO {path} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{as_of: '{as_of:%Y-%m-%d}'}})
"""

_COUNT = "SELECT count(*), count(lead) FROM read_parquet($path)"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FilmTable:
    """A table of films in memory, and the day its facts are from; any thread may query it."""

    kind: SourceKind
    connection: duckdb.DuckDBPyConnection
    as_of: date

    def find(self, query: FilmQuery) -> list[Film]:
        """Return the films that pass a query, in its order, at most CANDIDATES of them."""
        return self._films(*query.to_sql())

    def films(self) -> list[Film]:
        """Return every film of the table."""
        return self._films(_FILMS)

    def leads(self, ids: Collection[str]) -> dict[str, Any]:
        """Return the lead's gender by id, for the films whose lead is known."""
        return dict(self.connection.cursor().execute(_LEADS, {"ids": list(ids)}).fetchall())

    def _films(self, statement: str, parameters: dict[str, Any] | None = None) -> list[Film]:
        rows = self.connection.cursor().execute(statement, parameters).fetchall()
        return [
            Film(imdb_id, title, year, tuple(genres or ()), rating, votes, runtime_min, language, lead)
            for imdb_id, title, year, genres, rating, votes, runtime_min, language, lead in rows
        ]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The lists on this machine; `imported` is None until IMDb's tables have been imported."""

    bundled: FilmTable
    imported: FilmTable | None = None

    @classmethod
    def load(cls, home: Path, csv: Path = BUNDLED_CSV) -> Catalogue:
        """Read the lists into memory, once per process. Damaged imported tables are skipped with a warning.

        Args:
            home: the folder with the imported tables.
            csv: the bundled list.

        Raises:
            CatalogueError: when the bundled list is missing or cannot be read.
        """
        parquet = home / IMPORTED_NAME
        try:
            imported = load_imported(parquet, csv) if parquet.is_file() else None
        except CatalogueError as error:
            logger.warning("%s; until then the bundled list is used", error)
            imported = None
        return cls(load_bundled(csv), imported)

    def leads(self, ids: Collection[str]) -> Mapping[str, Any]:
        """Return the lead's gender by id, for the films whose lead is known to any list."""
        return (self.imported.leads(ids) if self.imported else {}) | self.bundled.leads(ids)


def load_bundled(csv: Path = BUNDLED_CSV) -> FilmTable:
    """Read the bundled list.

    Raises:
        CatalogueError: when the file is missing or is not a list of films.
    """
    connection = _connect()
    _load_csv(connection, "films", csv)
    return FilmTable(SourceKind.BUNDLED, connection, BUNDLED_AS_OF)


def load_imported(parquet: Path, csv: Path = BUNDLED_CSV) -> FilmTable:
    """Read imported tables, completed with what only the bundled list has: languages, and leads checked by hand.

    Raises:
        CatalogueError: when a file is missing or cannot be read.
    """
    connection = _connect()
    _load_csv(connection, "bundled", csv)
    try:
        connection.execute(_LOAD_PARQUET, {"path": str(parquet)})
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
    connection.execute(_BITS)
    return connection


def _load_csv(connection: duckdb.DuckDBPyConnection, name: str, csv: Path) -> None:
    if not csv.is_file():
        raise CatalogueError(f"the bundled list {csv} is missing; restore it from the repository")
    with csv.open(encoding="utf-8", errors="replace") as file:
        header = file.readline().strip().split(",")
    if header != list(CSV_COLUMNS):
        raise CatalogueError(f"{csv} must have the columns {','.join(CSV_COLUMNS)}, not {','.join(header)}")
    try:
        connection.execute(_LOAD_CSV.format(name=name), {"path": str(csv), "columns": CSV_COLUMNS})
    except duckdb.Error as error:
        raise CatalogueError(f"{csv} cannot be read: {str(error).splitlines()[0]}") from error


def import_tables(home: Path, source: Path, min_votes: int = MIN_VOTES) -> tuple[int, int]:
    """Turn IMDb's official tables into the imported list, replacing an older one only when everything went well.

    Args:
        home: the folder for the list.
        source: the folder with the three .tsv.gz files; the list is as old as their modification date.
        min_votes: films with fewer votes are left out.

    Returns:
        How many films were imported, and how many of them have a known lead.

    Raises:
        CatalogueError: when a file is missing, incomplete, or not the table its name says.
    """
    for name in TABLE_COLUMNS:
        _check_columns(source / name)
    home.mkdir(parents=True, exist_ok=True)
    new = home / "films.new"
    as_of = datetime.fromtimestamp((source / BASICS).stat().st_mtime, UTC)
    spill = home / "import.tmp"
    try:
        with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}) as connection:
            connection.execute("SET threads = 2; SET preserve_insertion_order = false; SET enable_progress_bar = false")
            for view, name in (("basics", BASICS), ("ratings", RATINGS), ("principals", PRINCIPALS)):
                columns = dict.fromkeys(TABLE_COLUMNS[name], "VARCHAR")
                connection.execute(_VIEW.format(view=view, path=_quote(source / name), columns=columns))
            connection.execute(_IMPORT.format(min_votes=min_votes, path=_quote(new), as_of=as_of))
            ((films, leads),) = connection.execute(_COUNT, {"path": str(new)}).fetchall()
        if not films:
            raise CatalogueError(f"no film in {BASICS} has {min_votes} votes in {RATINGS}; are both of the same day?")
        if not leads:
            raise CatalogueError(f"{PRINCIPALS} has no actor of any film in {BASICS}; are both of the same day?")
        new.replace(home / IMPORTED_NAME)
    except (duckdb.Error, OSError) as error:
        problem = str(error).splitlines()[0]
        raise CatalogueError(f"the tables in {source} cannot be imported: {problem}; download them again") from error
    finally:
        new.unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)
    return films, leads


def _check_columns(path: Path) -> None:
    if not path.is_file():
        raise CatalogueError(f"{path} is missing; import-tables without --from prints how to download it")
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            header = tuple(file.readline(10_000).rstrip("\n").split("\t"))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} is not a gzip file of text; download it again") from error
    if header != TABLE_COLUMNS[path.name]:
        raise CatalogueError(f"{path} must have the columns {', '.join(TABLE_COLUMNS[path.name])}; download it again")


def _quote(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
