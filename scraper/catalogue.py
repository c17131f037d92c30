"""The lists of films on this machine: the bundled one, and IMDb's official tables once they have been imported.

IMDb allows the use of its tables for personal and non-commercial purposes; whoever runs a public copy has to decide
whether that covers it.
"""

from __future__ import annotations

import gzip
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from scraper.errors import CatalogueError
from scraper.film import GENRES, Film
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
KNOWN = ("year", "genres", "rating", "votes", "runtime_min", "language", "lead", "tone", "certificate")
RATINGS_NAME = "ratings.parquet"  # beside it: newer ratings for the bundled list
MIN_VOTES = 1_000  # films with fewer are not imported
MEMORY_LIMIT = "1GB"  # for an import; DuckDB spills the rest to disk

_FILMS = """
SELECT imdb_id, title, year, rating, votes, runtime_min, language, lead, certificate, genres, tone
FROM films ORDER BY rowid
"""
_BITS = f"""
CREATE MACRO bits_of(names) AS
coalesce(list_sum(list_transform(names, lambda name: 1 << (list_position({list(GENRES)}, name) - 1))), 0)::INTEGER
"""  # the same as scraper.query.genre_bits
_LOAD_CSV = """
CREATE TABLE {name} AS
SELECT * REPLACE (string_split(genres, '|') AS genres, string_split(tone, '|') AS tone),
       bits_of(string_split(genres, '|')) AS genre_bits
FROM read_csv($path, columns = $columns, header = true, delim = ',', quote = '"', escape = '"', nullstr = '')
"""
_LOAD_PARQUET = """
CREATE TABLE films AS
SELECT i.imdb_id, i.title, i.year, i.genres, i.rating, i.votes, i.runtime_min, b.language,
       coalesce(b.lead, i.lead) AS lead, b.tone, b.certificate, bits_of(i.genres) AS genre_bits
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

_COUNT = "SELECT count(*), count(lead) FROM read_parquet($path)"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FilmTable:
    """A table of films in memory, and the day its facts are from; any thread may query it.

    Attributes:
        by_id: its films in the order of the table.
        series: the series of each film that belongs to one.
    """

    kind: SourceKind
    connection: duckdb.DuckDBPyConnection
    as_of: date
    by_id: Mapping[str, Film] = field(init=False)
    series: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        names = ("imdb_id", "title", "year", "rating", "votes", "runtime_min", "language", "lead", "certificate")
        films = []
        for *facts, genres, tone in self.connection.execute(_FILMS).fetchall():
            known = dict(zip(names, facts, strict=True))
            films.append(Film(**known, genres=tuple(genres or ()), tone=tuple(tone or ())))
        object.__setattr__(self, "by_id", {film.imdb_id: film for film in films})
        object.__setattr__(self, "series", find_series(self.by_id.values()))

    def find(self, query: FilmQuery) -> list[Film]:
        """Return the films that pass a query, in its order, at most CANDIDATES of them."""
        rows = self.connection.cursor().execute(*query.to_sql()).fetchall()
        return list(filter(query.accepts_tone, (self.by_id[imdb_id] for (imdb_id,) in rows)))


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
        imported, bundled = None, None
        if (home / IMPORTED_NAME).is_file():
            try:
                imported = load_imported(home / IMPORTED_NAME, csv)
            except CatalogueError as error:
                logger.warning("%s; until then the bundled list is used", error)
        if (home / RATINGS_NAME).is_file():
            try:
                bundled = load_bundled(csv, home / RATINGS_NAME)
            except CatalogueError as error:
                logger.warning("%s; until then the older ratings are used", error)
        return cls(bundled or load_bundled(csv), imported)

    def complete(self, films: Iterable[Film]) -> list[Film]:
        """Add to films of a page what our own lists know of them and the page does not say."""
        return [self._complete(film) for film in films]

    def _complete(self, film: Film) -> Film:
        for table in (self.bundled, self.imported):
            if table and film.imdb_id in table.by_id:
                known = table.by_id[film.imdb_id]
                film = replace(film, **{name: getattr(film, name) or getattr(known, name) for name in KNOWN})
        return film


def load_bundled(csv: Path = BUNDLED_CSV, ratings: Path | None = None) -> FilmTable:
    """Read the bundled list, with imported ratings if there are any.

    Raises:
        CatalogueError: when a file is missing or is not what it should be.
    """
    connection, as_of = _connect(), BUNDLED_AS_OF
    _load_csv(connection, "films", csv)
    if ratings:
        as_of = _load_parquet(connection, _REFRESH, ratings)
    return FilmTable(SourceKind.BUNDLED, connection, as_of)


def load_imported(parquet: Path, csv: Path = BUNDLED_CSV) -> FilmTable:
    """Read imported tables, completed with what only the bundled list has: language, tone, and leads checked by hand.

    Raises:
        CatalogueError: when a file is missing or cannot be read.
    """
    connection = _connect()
    _load_csv(connection, "bundled", csv)
    as_of = _load_parquet(connection, _LOAD_PARQUET, parquet)
    return FilmTable(SourceKind.IMPORTED, connection, as_of)


def _load_parquet(connection: duckdb.DuckDBPyConnection, statement: str, parquet: Path) -> date:
    """Load imported films or ratings; return of which day they are."""
    try:
        connection.execute(statement, {"path": str(parquet)})
        row = connection.execute(_AS_OF, {"path": str(parquet)}).fetchone()
        as_of = date.fromisoformat(row[0]) if row else None
    except (duckdb.Error, ValueError) as error:
        raise CatalogueError(f"{parquet} cannot be read; delete it or import the tables again") from error
    if as_of is None:
        raise CatalogueError(f"{parquet} does not say how old it is; import the tables again")
    return as_of


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
        source: the folder with the tables, .tsv.gz or .tsv; the list is as old as their modification date. Without
            title.principals, leads are known only for films of the bundled list.
        min_votes: films with fewer votes are left out.

    Returns:
        How many films were imported, and how many of them have a known lead.

    Raises:
        CatalogueError: when a file is missing, incomplete, or not the table its name says.
    """
    tables = {view: _find_table(source, name) for view, name in (("basics", BASICS), ("ratings", RATINGS))}
    with_leads = any((source / name).exists() for name in (PRINCIPALS, PRINCIPALS.removesuffix(".gz")))
    if with_leads:
        tables["principals"] = _find_table(source, PRINCIPALS)
    with _importing(home, IMPORTED_NAME, tables) as (connection, new):
        if not with_leads:
            connection.execute(_NO_PRINCIPALS)
        as_of = _date_of(tables["basics"])
        connection.execute(_IMPORT.format(min_votes=min_votes, path=_quote(new), as_of=as_of))
        ((films, leads),) = connection.execute(_COUNT, {"path": str(new)}).fetchall()
        if not films:
            raise CatalogueError(f"no film in {BASICS} has {min_votes} votes in {RATINGS}; are both of the same day?")
        if with_leads and not leads:
            raise CatalogueError(f"{PRINCIPALS} has no actor of any film in {BASICS}; are both of the same day?")
    return films, leads


def import_ratings(home: Path, source: Path, csv: Path = BUNDLED_CSV) -> int:
    """Take rating and votes of the bundled films from IMDb's table of ratings; return for how many films.

    Args:
        home: the folder for the ratings.
        source: the folder with title.ratings, .tsv.gz or .tsv.
        csv: the bundled list.

    Raises:
        CatalogueError: when the file is missing, incomplete, or not the table of ratings.
    """
    tables = {"ratings": _find_table(source, RATINGS)}
    with _importing(home, RATINGS_NAME, tables) as (connection, new):
        connection.execute(_BITS)
        _load_csv(connection, "bundled", csv)
        connection.execute(_IMPORT_RATINGS.format(path=_quote(new), as_of=_date_of(tables["ratings"])))
        ((films,),) = connection.execute("SELECT count(*) FROM read_parquet($path)", {"path": str(new)}).fetchall()
        if not films:
            raise CatalogueError(f"{tables['ratings']} has no film of our own list; download it again")
    return int(films)


@contextmanager
def _importing(home: Path, name: str, tables: Mapping[str, Path]) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Offer the tables as views and a path to write to, which replaces the file of that name if nothing goes wrong."""
    home.mkdir(parents=True, exist_ok=True)
    new, spill = home / "films.new", home / "import.tmp"
    try:
        with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}) as connection:
            connection.execute("SET threads = 2; SET preserve_insertion_order = false; SET enable_progress_bar = false")
            for view, path in tables.items():
                columns = dict.fromkeys(TABLE_COLUMNS[_table_name(path)], "VARCHAR")
                connection.execute(_VIEW.format(view=view, path=_quote(path), columns=columns))
            yield connection, new
        new.replace(home / name)
    except (duckdb.Error, OSError) as error:
        problem = str(error).splitlines()[0]
        places = ", ".join(map(str, tables.values()))
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
    columns = TABLE_COLUMNS[_table_name(path)]
    if header != columns:
        raise CatalogueError(f"{path} must have the columns {', '.join(columns)}; download it again")
    return path


def _table_name(path: Path) -> str:
    return path.name.removesuffix(".gz") + ".gz"


def _date_of(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _quote(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
