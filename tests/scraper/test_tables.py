from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraper import tables
from scraper.catalogue import Catalogue
from scraper.download import download
from scraper.errors import CatalogueError
from scraper.tables import BASICS, COLUMNS, PRINCIPALS, RATINGS, import_tables

ROWS: dict[str, list[tuple[object, ...]]] = {
    BASICS: [
        ("tt0000001", "movie", 'The "Film"', "Le Film", 0, 1999, r"\N", 90, "Comedy,Drama"),
        ("tt0000002", "movie", "<b>Unknown Length", "x", 0, 2001, r"\N", r"\N", r"\N"),
        ("tt0000003", "tvSeries", "A Programme", "x", 0, 2001, 2004, 45, "Drama"),
        ("tt0000004", "movie", "For Adults", "x", 1, 2001, r"\N", 80, "Adult"),
        ("tt0000005", "movie", "Few Votes", "x", 0, 2001, r"\N", 80, "Drama"),
        ("tt0000006", "movie", "Not Out Yet", "x", 0, r"\N", r"\N", 80, "Drama"),
        ("tt0000007", "movie", "For Adults by Genre Alone", "x", 0, 2001, r"\N", 80, "Adult,Drama"),
    ],
    RATINGS: [(f"tt000000{n}", 7.5, 20 if n == 5 else 2000) for n in range(1, 8)],
    PRINCIPALS: [
        ("tt0000001", 1, "nm1", "director", r"\N", r"\N"),
        ("tt0000001", 3, "nm3", "actor", r"\N", '["Him"]'),
        ("tt0000001", 2, "nm2", "actress", r"\N", '["Her"]'),
        ("tt0000003", 1, "nm4", "actor", r"\N", r"\N"),
    ],
}


def write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    lines = ["\t".join(map(str, row)) for row in [header, *rows]]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


@pytest.fixture
def official(tmp_path: Path) -> Path:
    folder = tmp_path / "official"
    folder.mkdir()
    for name, rows in ROWS.items():
        write(folder / name, COLUMNS[name], rows)
    return folder


def test_takes_released_films_with_enough_votes(tmp_path: Path, official: Path, films_csv: Path) -> None:
    os.utime(official / BASICS, (1_700_000_000, 1_700_000_000))
    done = import_tables(tmp_path / "home", official)
    assert (done.films, done.leads) == (2, 1)
    table = Catalogue.load(tmp_path / "home", films_csv).imported
    assert table is not None
    first, second = sorted(table.films(), key=lambda film: film.imdb_id)
    assert (first.title, first.year, first.genres, first.runtime_min) == ('The "Film"', 1999, ("Comedy", "Drama"), 90)
    assert (first.rating, first.votes, first.lead) == (7.5, 2000, "woman")
    assert (second.title, second.genres, second.runtime_min) == ("\u2039b\u203aUnknown Length", (), None)
    assert second.lead is None
    assert table.as_of.isoformat() == "2023-11-14"


def damage_header(folder: Path) -> None:
    write(folder / BASICS, ("id", "title"), [("tt0000001", "x")])


def damage_end(folder: Path) -> None:
    rows = [(f"tt{n:07d}", 7.0, 5000 + n * 37 % 9999) for n in range(20_000)]
    write(folder / RATINGS, COLUMNS[RATINGS], rows)
    whole = (folder / RATINGS).read_bytes()
    (folder / RATINGS).write_bytes(whole[: len(whole) // 2])


def damage_type(folder: Path) -> None:
    write(folder / RATINGS, COLUMNS[RATINGS], [("tt0000001", "good", "many")])


def leave_out(folder: Path) -> None:
    (folder / PRINCIPALS).unlink()


def mix_up(folder: Path) -> None:
    write(folder / RATINGS, COLUMNS[RATINGS], [("tt9999999", 7.0, 5000)])


def unpack(folder: Path) -> None:
    (folder / RATINGS).write_text("tconst\taverageRating\tnumVotes\n")


def empty_ratings(folder: Path) -> None:
    write(folder / RATINGS, COLUMNS[RATINGS], [])


DAMAGES = [damage_header, damage_end, damage_type, leave_out, mix_up, unpack, empty_ratings]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_tables_are_refused_and_the_old_one_stays(
    tmp_path: Path, official: Path, films_csv: Path, damage: Callable[[Path], None]
) -> None:
    home = tmp_path / "home"
    import_tables(home, official)
    before = (home / "films.parquet").read_bytes()
    damage(official)
    with pytest.raises(CatalogueError) as refusal:
        import_tables(home, official)
    assert "\n" not in str(refusal.value)
    assert (home / "films.parquet").read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["films.parquet"]


def test_an_import_that_was_cut_off_can_be_repeated(tmp_path: Path, official: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "import.duckdb").write_bytes(b"half a database")
    assert import_tables(home, official).films == 2


def test_a_failure_on_the_last_step_leaves_the_old_table(
    tmp_path: Path, official: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    import_tables(home, official)
    before = (home / "films.parquet").read_bytes()
    monkeypatch.setattr(tables, "_WRITE", "COPY (SELECT 1) TO {path} (FORMAT nonsense)")
    with pytest.raises(CatalogueError):
        import_tables(home, official)
    assert (home / "films.parquet").read_bytes() == before


def test_downloads_what_is_not_given(tmp_path: Path, official: Path, httpserver: HTTPServer) -> None:
    for name in COLUMNS:
        httpserver.expect_request(f"/{name}").respond_with_data((official / name).read_bytes(), headers={"ETag": '"1"'})
    assert import_tables(tmp_path / "home", base=httpserver.url_for("")).films == 2


def ranges(content: bytes, etag: str, stop_after: int | None = None) -> Callable[[Request], Response]:
    """A server of one file that knows ranges, and may break off."""

    def serve(request: Request) -> Response:
        start = 0
        if request.headers.get("If-Range") == etag:
            start = int(request.headers["Range"].removeprefix("bytes=").rstrip("-"))
        body = content[start:][:stop_after]
        headers = {"ETag": etag, "Content-Length": str(len(content) - start)}
        return Response(iter([body]), 206 if start else 200, headers)

    return serve


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, httpserver: HTTPServer) -> None:
    content = os.urandom(300_000)
    httpserver.expect_oneshot_request("/t").respond_with_handler(ranges(content, '"1"', stop_after=100_000))
    with pytest.raises(CatalogueError, match="go on"):
        download("t", tmp_path, httpserver.url_for(""))
    httpserver.expect_request("/t").respond_with_handler(ranges(content, '"1"'))
    assert download("t", tmp_path, httpserver.url_for("")).read_bytes() == content
    assert httpserver.log[-1][0].headers["Range"].startswith("bytes=")
    assert httpserver.log[-1][1].status_code == 206
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_a_table_of_today_is_not_fetched_again_and_keeps_its_date(tmp_path: Path, httpserver: HTTPServer) -> None:
    for name, age in (("today", 3_600), ("older", 3 * 24 * 3_600)):
        modified = datetime.now(UTC) - timedelta(seconds=age)
        headers = {"Last-Modified": format_datetime(modified, usegmt=True)}
        httpserver.expect_request(f"/{name}").respond_with_data(b"table", headers=headers)
        for _ in range(2):
            path = download(name, tmp_path, httpserver.url_for(""))
        assert abs(path.stat().st_mtime - modified.timestamp()) < 2
    assert [request.path for request, _ in httpserver.log] == ["/today", "/older", "/older"]


def test_a_new_version_is_fetched_from_the_start(tmp_path: Path, httpserver: HTTPServer) -> None:
    old, new = os.urandom(300_000), os.urandom(200_000)
    httpserver.expect_oneshot_request("/t").respond_with_handler(ranges(old, '"1"', stop_after=100_000))
    with pytest.raises(CatalogueError):
        download("t", tmp_path, httpserver.url_for(""))
    httpserver.expect_request("/t").respond_with_handler(ranges(new, '"2"'))
    assert download("t", tmp_path, httpserver.url_for("")).read_bytes() == new


KILLED = """
import os, pathlib, signal, sys
from scraper import tables
class Path(type(pathlib.Path())):
    def replace(self, target):
        os.kill(os.getpid(), signal.SIGKILL)
tables.import_tables(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_an_import_that_is_killed_leaves_the_old_table(tmp_path: Path, official: Path, project: Path) -> None:
    home = tmp_path / "home"
    import_tables(home, official)
    before = (home / "films.parquet").read_bytes()
    run = [sys.executable, "-c", KILLED, home, official]
    assert subprocess.run(run, cwd=project, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert (home / "films.parquet").read_bytes() == before
    assert len(list(home.iterdir())) > 1  # it was at work
    assert import_tables(home, official).films == 2
    assert [path.name for path in home.iterdir()] == ["films.parquet"]


def test_a_missing_table_is_reported(tmp_path: Path, httpserver: HTTPServer) -> None:
    with pytest.raises(CatalogueError, match="could not be fetched"):
        download("t", tmp_path, httpserver.url_for(""))


def test_titles_are_a_line_of_plain_text(tmp_path: Path, official: Path, films_csv: Path) -> None:
    hostile = "\u202eevil\u200b\x07 <script>" + "x" * 10_000
    rows = [("tt0000001", "movie", hostile, "x", 0, 1999, r"\N", 90, "Comedy"), *ROWS[BASICS][1:]]
    write(official / BASICS, COLUMNS[BASICS], rows)
    import_tables(tmp_path / "home", official)
    table = Catalogue.load(tmp_path / "home", films_csv).imported
    assert table is not None
    title = next(film.title for film in table.films() if film.imdb_id == "tt0000001")
    assert title.startswith("evil \u2039script\u203ax")
    assert len(title) == 300
