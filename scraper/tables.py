"""IMDb's official tables turned into one local table of films, within bounded memory and all or nothing.

IMDb allows their use for personal and non-commercial purposes; who runs a public copy has to decide if that
covers it.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from scraper.catalogue import IMPORTED_NAME
from scraper.download import OFFICIAL, download
from scraper.errors import CatalogueError

BASICS, RATINGS, PRINCIPALS = "title.basics.tsv.gz", "title.ratings.tsv.gz", "title.principals.tsv.gz"
COLUMNS = {
    BASICS: (
        "tconst", "titleType", "primaryTitle", "originalTitle", "isAdult", "startYear", "endYear",
        "runtimeMinutes", "genres",
    ),
    RATINGS: ("tconst", "averageRating", "numVotes"),
    PRINCIPALS: ("tconst", "ordering", "nconst", "category", "job", "characters"),
}  # fmt: skip
MIN_VOTES = 1_000  # films with fewer are left out
MEMORY_LIMIT = "1GB"  # of DuckDB; what needs more goes to disk

_READ = r"""
CREATE VIEW {view} AS SELECT * FROM read_csv({path}, columns = {columns}, header = true, delim = '\t',
    quote = '', escape = '', nullstr = '\N', auto_detect = false, max_line_size = 10000000)
"""
_RATED = """
CREATE TABLE rated AS
SELECT tconst, averageRating::DOUBLE AS rating, numVotes::INTEGER AS votes
FROM ratings WHERE numVotes::INTEGER >= $min_votes
"""
_MOVIES = r"""
CREATE TABLE movies AS
SELECT tconst,
       left(regexp_replace(translate(primaryTitle, '<>', chr(8249) || chr(8250)), '[\p{Cc}\p{Cf}]', '', 'g'), 300)
           AS title,
       TRY_CAST(startYear AS INTEGER) AS year,
       coalesce(string_split(genres, ','), []) AS genres, rating, votes,
       TRY_CAST(runtimeMinutes AS INTEGER) AS runtime_min
FROM basics JOIN rated USING (tconst)
WHERE titleType = 'movie' AND isAdult = '0' AND startYear IS NOT NULL
  AND NOT list_contains(coalesce(string_split(genres, ','), []), 'Adult')
"""
_LEADS = """
CREATE TABLE leads AS
SELECT tconst, arg_min(CASE category WHEN 'actress' THEN 'woman' ELSE 'man' END, ordering::INTEGER) AS lead
FROM principals SEMI JOIN movies USING (tconst)
WHERE category IN ('actor', 'actress')
GROUP BY tconst
"""
_WRITE = """
COPY (SELECT tconst AS imdb_id, title, year, genres, rating, votes, runtime_min, lead
      FROM movies LEFT JOIN leads USING (tconst) ORDER BY year DESC, votes DESC)
TO {path} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{as_of: '{as_of:%Y-%m-%d}'}})
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought: where the table lies, its films, and how many of them have a known lead."""

    path: Path
    films: int
    leads: int


def import_tables(home: Path, source: Path | None = None, min_votes: int = MIN_VOTES, base: str = OFFICIAL) -> Imported:
    """Build the local table, replacing an older one only when everything went well.

    Args:
        home: the folder where the table goes.
        source: a folder with the three .tsv.gz files; without one they are downloaded into `home`.
        min_votes: votes a film needs to be taken in.
        base: where to download from.

    Raises:
        CatalogueError: when a file is missing, broken off, or not the table its name says.
    """
    folder = source or home / "tables"
    for name in COLUMNS:
        if source is None:
            download(name, folder, base)
        _check_columns(folder / name)
    home.mkdir(parents=True, exist_ok=True)
    target = home / IMPORTED_NAME
    scratch, written = home / "import.duckdb", target.with_suffix(".new")
    scratch.unlink(missing_ok=True)  # of an import that was cut off
    try:
        counts = _build(folder, scratch, written, min_votes)
        written.replace(target)
    except (duckdb.Error, OSError) as error:
        problem = str(error).splitlines()[0]
        raise CatalogueError(f"the tables in {folder} cannot be imported: {problem}; fetch them anew") from error
    finally:
        for leftover in (scratch, scratch.with_suffix(".duckdb.wal"), written):
            leftover.unlink(missing_ok=True)
    return Imported(target, *counts)


def _build(folder: Path, scratch: Path, written: Path, min_votes: int) -> tuple[int, int]:
    with duckdb.connect(scratch, config={"memory_limit": MEMORY_LIMIT, "threads": 2}) as connection:
        connection.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
        for view, name in (("basics", BASICS), ("ratings", RATINGS), ("principals", PRINCIPALS)):
            columns = "{" + ", ".join(f"'{column}': 'VARCHAR'" for column in COLUMNS[name]) + "}"
            connection.execute(_READ.format(view=view, path=_quoted(folder / name), columns=columns))
        connection.execute(_RATED, {"min_votes": min_votes})
        _require(connection, "rated", f"{RATINGS} has no title with {min_votes} votes; lower --min-votes")
        connection.execute(_MOVIES)
        films = _require(connection, "movies", f"{BASICS} has no film that {RATINGS} rates; are both of one day?")
        connection.execute(_LEADS)
        leads = _require(connection, "leads", f"{PRINCIPALS} has no actor of any film in {BASICS}")
        connection.execute(_WRITE.format(path=_quoted(written), as_of=_date_of(folder / BASICS)))
    return films, leads


def _check_columns(path: Path) -> None:
    if not path.is_file():
        raise CatalogueError(f"{path} is missing; get it from {OFFICIAL} or leave out --from")
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            header = tuple(file.readline(10_000).rstrip("\n").split("\t"))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} is no gzip file of text; fetch it anew") from error
    if header != COLUMNS[path.name]:
        raise CatalogueError(f"{path} must have the columns {', '.join(COLUMNS[path.name])}; fetch it anew")


def _require(connection: duckdb.DuckDBPyConnection, table: str, problem: str) -> int:
    rows: int = connection.table(table).shape[0]
    if not rows:
        raise CatalogueError(problem)
    return rows


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _date_of(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
