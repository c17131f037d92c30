"""How long films take: a page read, a list found, a crowd before a stalled IMDb, IMDb's tables imported.

Run from the root of the project; writes results/films.json. The tables are made up, in the form of IMDb's.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import report
from scraper import Catalogue, FilmQuery, ImdbClient, Intent, Mood, Recommender, ScraperSettings, parse_page
from scraper.recommend import Plan

REAL_PAGE = Path("../shared/imdb/pages/search_2025-06.html")
PAGE_BYTES = 1_200_000
VISITORS = 200
TITLES = 2_000_000

TABLES = """
COPY (SELECT 'tt' || lpad(i::VARCHAR, 7, '0') tconst, CASE WHEN i % 5 = 0 THEN 'movie' ELSE 'tvEpisode' END titleType,
  'Film ' || i primaryTitle, 'Film ' || i originalTitle, 0 isAdult, 1920 + i % 105 startYear, NULL endYear,
  60 + i % 100 runtimeMinutes, ['Comedy', 'Drama,Romance', 'Horror'][1 + i % 3] genres
  FROM range(1, {n} + 1) t(i)) TO '{folder}/title.basics.tsv.gz' {form};
COPY (SELECT 'tt' || lpad(i::VARCHAR, 7, '0') tconst, 1 + i % 90 / 10.0 averageRating, i * 7919 % 20000 numVotes
  FROM range(1, {n} + 1) t(i) WHERE i % 3 < 2) TO '{folder}/title.ratings.tsv.gz' {form};
COPY (SELECT 'tt' || lpad(i::VARCHAR, 7, '0') tconst, o AS "ordering", 'nm' || o nconst,
  ['actor', 'actress', 'director', 'writer'][1 + (i + o) % 4] category, NULL job, NULL characters
  FROM range(1, {n} + 1) t(i), range(1, 9) u(o)) TO '{folder}/title.principals.tsv.gz' {form};
"""
FORM = r"(FORMAT csv, DELIMITER '\t', HEADER, QUOTE '', ESCAPE '', NULLSTR '\N', COMPRESSION gzip)"
IMPORT = """
import sys, pathlib
from benchmarks import report
from scraper.tables import import_tables
import_tables(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
print(report.read_peak_mb())
"""


def main() -> None:
    """Measure everything and write it down."""
    options = report.read_options("films", __doc__).parse_args()
    times, visitors, titles = (2, 20, 20_000) if options.small else (20, VISITORS, TITLES)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        numbers = {**time_pages(), **time_lists(times), **time_crowd(folder, visitors), **time_tables(folder, titles)}
    packages = ("duckdb", "parsel", "requests-cache")
    report.write(options.out, "films", "python -m benchmarks.films", numbers, packages)


def fastest_ms(run: Callable[[], object], times: int = 20) -> float:
    """Return the shortest of several runs in milliseconds, which other work on the machine disturbs least."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        took.append(time.perf_counter() - started)
    return round(1000 * min(took), 2)


def make_page(size: int = PAGE_BYTES) -> str:
    """Return a page of fifty films as large as IMDb's: half of it embedded JSON, half of it markup."""
    filler = "A plot of a film that was never made, told at some length. "
    items = [
        {
            "titleId": f"tt{n:07d}", "titleText": f"Film {n}", "titleType": {"id": "movie", "text": ""},
            "releaseYear": 2024, "ratingSummary": {"aggregateRating": 7.1, "voteCount": 12345}, "runtime": 6600,
            "genres": ["Comedy", "Drama"], "plot": filler * (size // 100 // len(filler)),
        }
        for n in range(50)
    ]  # fmt: skip
    results = {"titleListItems": items, "total": 12345, "endCursor": "eyJh"}
    script = json.dumps({"props": {"pageProps": {"searchResults": {"titleResults": results}}}})
    row = '<div class="a"><span class="b c">words</span><a href="/x">link</a></div>'
    body = row * ((size - len(script)) // len(row))
    return f'<html><body>{body}<script id="__NEXT_DATA__" type="application/json">{script}</script></body></html>'


def time_pages() -> dict[str, Any]:
    """Time the reading of a made page and, where it lies beside the project, of a real one."""
    pages = {"made": make_page()}
    if REAL_PAGE.is_file():
        pages["real"] = REAL_PAGE.read_text("utf-8")
    return {
        f"parse_{name}_page": {"bytes": len(text.encode()), "ms": fastest_ms(lambda text=text: parse_page(text))}
        for name, text in pages.items()
    }


def time_lists(times: int = 20) -> dict[str, Any]:
    """Time a query of the bundled list, and a whole recommendation from it, for the slowest mood."""
    catalogue = Catalogue.load(Path("no imported tables"))
    queries = [Plan.make({mood: 1.0}, intent, FilmQuery()).query for mood in Mood for intent in Intent]
    recommender = Recommender(ImdbClient(ScraperSettings(live=False, home=Path(tempfile.mkdtemp()))), catalogue)
    picks = [(mood, intent) for mood in Mood for intent in Intent]
    return {
        "bundled_films": len(catalogue.bundled.films()),
        "bundled_query_ms": max(fastest_ms(lambda q=q: catalogue.bundled.find(q), times) for q in queries),
        "recommendation_ms": max(
            fastest_ms(lambda m=m, i=i: recommender.recommend({m: 1.0}, i, FilmQuery()), times) for m, i in picks
        ),
    }


@contextlib.contextmanager
def stalled_server() -> Iterator[tuple[str, list[float]]]:
    """A server that accepts and never answers: its address, and when it was asked."""
    asked: list[float] = []
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=VISITORS) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connections.append(listener.accept()[0])
                    asked.append(time.monotonic())

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
        for connection in connections:
            connection.close()


def time_crowd(folder: Path, visitors: int = VISITORS) -> dict[str, Any]:
    """Time many visitors at once, of eight moods, while IMDb does not answer."""
    catalogue, moods = Catalogue.load(folder), list(Mood)
    with stalled_server() as (url, asked), ThreadPoolExecutor(visitors) as crowd:
        recommender = Recommender(ImdbClient(ScraperSettings(base_url=url, home=folder / "crowd")), catalogue)

        def visit(number: int) -> tuple[int, float]:
            started = time.perf_counter()
            found = recommender.recommend({moods[number % len(moods)]: 1.0}, Intent.LIFT, FilmQuery())
            return len(found.picks), time.perf_counter() - started

        visits = list(crowd.map(visit, range(visitors)))
    return {
        "stalled_crowd": {
            "visitors": visitors,
            "answered": sum(films == FilmQuery().limit for films, _ in visits),
            "requests_to_imdb": len(asked),
            "slowest_s": round(max(took for _, took in visits), 2),
        }
    }


def make_tables(folder: Path, titles: int = TITLES) -> None:
    """Write tables in the form of IMDb's, with every fifth title a film."""
    duckdb.connect().execute(TABLES.format(n=titles, folder=folder, form=FORM))


def time_tables(folder: Path, titles: int = TITLES) -> dict[str, Any]:
    """Time an import of such tables in a process of its own, and a query of what it made."""
    make_tables(folder, titles)
    home = folder / "home"
    started = time.perf_counter()
    run = [sys.executable, "-c", IMPORT, home, folder]
    output = subprocess.run(run, check=True, capture_output=True, text=True).stdout  # noqa: S603  itself
    took = time.perf_counter() - started
    table = Catalogue.load(home).imported
    assert table is not None, "the import has just written it"
    query = FilmQuery(genres=("Drama", "Comedy"), not_genres=("War",))
    return {
        "tables": {
            "titles": titles,
            "import_s": round(took, 1),
            "import_peak_mb": int(output),
            "films": len(table.films()),
            "query_ms": fastest_ms(lambda: table.find(query)),
        }
    }


if __name__ == "__main__":
    main()
