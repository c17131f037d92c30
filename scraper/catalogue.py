"""The lists of films on this machine: the bundled one, and IMDb's official tables once they have been imported.

IMDb allows the use of its tables for personal and non-commercial purposes; whoever runs a public copy has to decide
whether that covers it.
"""

from __future__ import annotations

import gzip
import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from scraper.errors import CatalogueError
from scraper.film import Film
from scraper.notice import SourceKind
from scraper.query import FilmQuery
from scraper.series import find_series

BUNDLED_CSV = Path(__file__).parent / "data" / "films.csv"
BUNDLED_AS_OF = date(2026, 1, 1)  # only the month counts
CSV_COLUMNS = {
    "imdb_id": "VARCHAR", "title": "VARCHAR", "year": "INTEGER", "genres": "VARCHAR", "runtime_min": "INTEGER",
    "language": "VARCHAR", "rating": "DOUBLE", "votes": "INTEGER", "lead": "VARCHAR", "certificate": "VARCHAR",
    "tone": "VARCHAR",
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
FACTS = ("imdb_id", "title", "year", "rating", "votes", "runtime_min", "language", "lead", "certificate")
KNOWN = (*FACTS[2:], "genres", "tone")  # what our own lists may know of a film on a page
RATINGS_NAME = "ratings.parquet"  # beside it: newer ratings for the bundled list
MIN_VOTES = 1_000  # films with fewer are not imported
CANDIDATES = 5_000  # most films that a table hands to the ranking
MEMORY_LIMIT = "1GB"  # for an import; DuckDB spills the rest to disk

_LOAD_CSV = """
CREATE TABLE {name} AS SELECT * REPLACE (string_split(genres, '|') AS genres, string_split(tone, '|') AS tone)
FROM read_csv($path, columns = $columns, header = true, delim = ',', quote = '"', escape = '"', nullstr = '')
"""
_LOAD_PARQUET = """
CREATE TABLE films AS
SELECT i.imdb_id, i.title, i.year, i.genres, i.rating, i.votes, i.runtime_min, b.language,
       coalesce(b.lead, i.lead) AS lead, b.tone, b.certificate
FROM read_parquet($path) AS i LEFT JOIN bundled AS b USING (imdb_id)
"""
_REFRESH = """
UPDATE films SET rating = new.rating, votes = new.votes FROM read_parquet($path) AS new
WHERE films.imdb_id = new.imdb_id
"""
_AS_OF = "SELECT value::VARCHAR FROM parquet_kv_metadata($path) WHERE key::VARCHAR = 'as_of'"

_VIEW = r"""
CREATE VIEW {view} AS SELECT * FROM read_csv({path}, columns = {columns}, header = true, delim = '\t',
    quote = '', escape = '', nullstr = '\N', auto_detect = false, max_line_size = 10000000)
"""
_NO_PRINCIPALS = "CREATE VIEW principals AS SELECT '' AS tconst, '' AS category, '' AS ordering WHERE false"
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

_IMPORT_RATINGS = """
COPY (
  SELECT tconst AS imdb_id, averageRating::DOUBLE AS rating, numVotes::INTEGER AS votes
  FROM ratings SEMI JOIN bundled ON tconst = imdb_id
) TO {path} (FORMAT parquet, KV_METADATA {{as_of: '{as_of:%Y-%m-%d}'}})
"""

logger = logging.getLogger(__name__)


class FilmTable:
    """A table of films in memory, the series of those that belong to one, and the day its facts are from."""

    def __init__(self, kind: SourceKind, connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
        self.kind, self.as_of = kind, as_of
        self.by_id: dict[str, Film] = {}
        rows = connection.execute(f"SELECT genres, tone, {', '.join(FACTS)} FROM films ORDER BY rowid").fetchall()  # noqa: S608
        for genres, tone, *values in rows:
            facts = dict(zip(FACTS, values, strict=True))
            self.by_id[facts["imdb_id"]] = Film(**facts, genres=tuple(genres or ()), tone=tuple(tone or ()))
        self.series = find_series(self.by_id.values())

    def find(self, query: FilmQuery) -> list[Film]:
        """Return the films that pass a query, in its order, at most CANDIDATES of them."""
        films = filter(query.accepts, self.by_id.values())
        return sorted(films, key=lambda film: (-query.sort_key(film), -(film.votes or 0), film.imdb_id))[:CANDIDATES]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The lists on this machine; `imported` is None until IMDb's tables have been imported."""

    bundled: FilmTable
    imported: FilmTable | None = None

    @classmethod
    def load(cls, home: Path, csv: Path = BUNDLED_CSV) -> Catalogue:
        """Read the lists; damaged imports are skipped with a warning, a damaged bundled list raises CatalogueError."""
        tables: dict[str, FilmTable] = {}
        for name, load in ((IMPORTED_NAME, load_imported), (RATINGS_NAME, lambda path, csv: load_bundled(csv, path))):
            try:
                if (home / name).is_file():
                    tables[name] = load(home / name, csv)
            except CatalogueError as error:
                logger.warning("%s; until then the bundled list is used as it is", error)
        return cls(tables.get(RATINGS_NAME) or load_bundled(csv), tables.get(IMPORTED_NAME))

    @property
    def tables(self) -> list[FilmTable]:
        """The lists that there are, the better one first."""
        return [self.imported, self.bundled] if self.imported else [self.bundled]

    def complete(self, films: Iterable[Film]) -> Iterator[Film]:
        """Add to films of a page what our own lists know of them and the page does not say."""
        for film in films:
            for table in reversed(self.tables):
                if known := table.by_id.get(film.imdb_id):
                    film = replace(film, **{name: getattr(film, name) or getattr(known, name) for name in KNOWN})  # noqa: PLW2901
            yield film


def load_bundled(csv: Path = BUNDLED_CSV, ratings: Path | None = None) -> FilmTable:
    """Read the bundled list, with imported ratings if there are any, or raise CatalogueError."""
    connection = _load_csv(duckdb.connect(), "films", csv)
    as_of = _load_parquet(connection, _REFRESH, ratings) if ratings else BUNDLED_AS_OF
    return FilmTable(SourceKind.BUNDLED, connection, as_of)


def load_imported(parquet: Path, csv: Path) -> FilmTable:
    """Read imported tables, completed with what only the bundled list has, or raise CatalogueError."""
    connection = _load_csv(duckdb.connect(), "bundled", csv)
    return FilmTable(SourceKind.IMPORTED, connection, _load_parquet(connection, _LOAD_PARQUET, parquet))


def _load_parquet(connection: duckdb.DuckDBPyConnection, statement: str, parquet: Path) -> date:
    """Load imported films or ratings; return of which day they are."""
    try:
        connection.execute(statement, {"path": str(parquet)})
        row = connection.execute(_AS_OF, {"path": str(parquet)}).fetchone()
        return date.fromisoformat(row[0] if row else "")
    except (duckdb.Error, ValueError) as error:
        raise CatalogueError(f"{parquet} cannot be read; delete it or import the tables again") from error


def _load_csv(connection: duckdb.DuckDBPyConnection, name: str, csv: Path) -> duckdb.DuckDBPyConnection:
    if not csv.is_file():
        raise CatalogueError(f"the bundled list {csv} is missing; restore it from the repository")
    with csv.open(encoding="utf-8", errors="replace") as file:
        header = file.readline().strip().split(",")
    if header != list(CSV_COLUMNS):
        raise CatalogueError(f"{csv} must have the columns {','.join(CSV_COLUMNS)}, not {','.join(header)}")
    try:
        connection.execute("SET threads = 1; SET enable_progress_bar = false; SET autoinstall_known_extensions = false")
        return connection.execute(_LOAD_CSV.format(name=name), {"path": str(csv), "columns": CSV_COLUMNS})
    except duckdb.Error as error:
        raise CatalogueError(f"{csv} cannot be read: {str(error).splitlines()[0]}") from error


def import_tables(home: Path, source: Path, min_votes: int = MIN_VOTES) -> tuple[int, int]:
    """Turn IMDb's official tables into the list in `home`, replacing an older one only when everything went well.

    The source has IMDb's files, .tsv.gz or .tsv, and the list is as old as their modification date. Without
    title.principals, leads are known only for films of the bundled list.

    Returns:
        How many films were imported, and how many of them have a known lead.

    Raises:
        CatalogueError: when a file is missing, incomplete, or not the table its name says.
    """
    with_leads = any(source.glob(f"{PRINCIPALS.removesuffix('.gz')}*"))
    names = (BASICS, RATINGS, PRINCIPALS) if with_leads else (BASICS, RATINGS)
    with _importing(home / IMPORTED_NAME, source, *names) as (connection, new, as_of):
        if not with_leads:
            connection.execute(_NO_PRINCIPALS)
        connection.execute(_IMPORT.format(min_votes=min_votes, path=_quote(new), as_of=as_of))
        films, leads = _count(connection, new, "lead")
        if not films:
            raise CatalogueError(f"no film in {BASICS} has {min_votes} votes in {RATINGS}; are both of the same day?")
        if with_leads and not leads:
            raise CatalogueError(f"{PRINCIPALS} has no actor of any film in {BASICS}; are both of the same day?")
    return films, leads


def import_ratings(home: Path, source: Path, csv: Path = BUNDLED_CSV) -> int:
    """Take rating and votes of the bundled films from title.ratings in a folder; return for how many films.

    Raises:
        CatalogueError: when the file is missing, incomplete, or not the table of ratings.
    """
    with _importing(home / RATINGS_NAME, source, RATINGS) as (connection, new, as_of):
        _load_csv(connection, "bundled", csv)
        connection.execute(_IMPORT_RATINGS.format(path=_quote(new), as_of=as_of))
        films, _ = _count(connection, new, "votes")
        if not films:
            raise CatalogueError(f"{RATINGS} in {source} has no film of our own list; download it again")
    return films


def _count(connection: duckdb.DuckDBPyConnection, parquet: Path, column: str) -> tuple[int, int]:
    """Count the rows of a file, and those in which a column is known."""
    relation = connection.read_parquet(str(parquet))
    return relation.count("*").fetchall()[0][0], relation.count(column).fetchall()[0][0]


@contextmanager
def _importing(target: Path, source: Path, *names: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path, datetime]]:
    """Offer tables as views, their date, and a path to write to, which replaces the target if nothing goes wrong."""
    tables = [(name, _find_table(source, name)) for name in names]
    target.parent.mkdir(parents=True, exist_ok=True)
    new, spill = target.with_name("films.new"), target.with_name("import.tmp")
    try:
        with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}) as connection:
            connection.execute("SET threads = 2; SET preserve_insertion_order = false; SET enable_progress_bar = false")
            for name, path in tables:
                columns = dict.fromkeys(TABLE_COLUMNS[name], "VARCHAR")
                connection.execute(_VIEW.format(view=name.split(".")[1], path=_quote(path), columns=columns))
            yield connection, new, datetime.fromtimestamp(tables[0][1].stat().st_mtime, UTC)
        new.replace(target)
    except (duckdb.Error, OSError) as error:
        problem = str(error).splitlines()[0]
        places = ", ".join(str(path) for _, path in tables)
        raise CatalogueError(f"{places} cannot be imported: {problem}; download them again") from error
    finally:
        new.unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)


def _find_table(source: Path, name: str) -> Path:
    """Return the path of a table, packed or not, that has the columns it should have."""
    path = next((path for path in (source / name, source / name.removesuffix(".gz")) if path.is_file()), None)
    if path is None:
        raise CatalogueError(f"{source / name} is missing; import-tables without --from prints how to download it")
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            header = tuple(file.readline(10_000).rstrip("\n").split("\t"))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} is not a table of text, packed as its name says; download it again") from error
    if header != TABLE_COLUMNS[name]:
        raise CatalogueError(f"{path} must have the columns {', '.join(TABLE_COLUMNS[name])}; download it again")
    return path


def _quote(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
