from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path

import duckdb
import pytest

from scraper.catalogue import (
    BASICS,
    IMPORTED_NAME,
    PRINCIPALS,
    RATINGS,
    RATINGS_NAME,
    TABLE_COLUMNS,
    Catalogue,
    import_ratings,
    import_tables,
    load_bundled,
    load_imported,
)
from scraper.errors import CatalogueError
from scraper.query import FilmQuery, Sort, weighted_rating

# --- the lists ---


def test_reads_text_and_missing_values(catalogue: Catalogue) -> None:
    film = next(iter(catalogue.bundled.by_id.values()))
    assert film.title == 'Film "a0x", a tale'
    assert film.genres == ("Comedy", "Family")
    assert film.runtime_min is None
    assert {film.lead for film in catalogue.bundled.by_id.values()} == {"woman", "man", None}


def test_sorts_as_asked(catalogue: Catalogue) -> None:
    keys = {Sort.LATEST: attrgetter("year"), Sort.POPULAR: attrgetter("votes"), Sort.RATING: weighted_rating}
    for sort, key in keys.items():
        found = [key(film) for film in catalogue.bundled.find(FilmQuery(sort=sort))]
        assert found == pytest.approx(sorted(found, reverse=True))


def test_answers_many_threads_at_once(catalogue: Catalogue) -> None:
    expected = catalogue.bundled.find(FilmQuery(genres=("Comedy",)))
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: catalogue.bundled.find(FilmQuery(genres=("Comedy",))), range(100)))
    assert all(answer == expected for answer in answers)


def test_a_missing_or_different_file_or_a_wrong_number_is_refused(tmp_path: Path, films_csv: Path) -> None:
    with pytest.raises(CatalogueError):
        load_bundled(tmp_path / "missing.csv")
    for content in ("id,title\n", "\n", films_csv.read_text().replace(",1000,", ",many,")):
        films_csv.write_text(content)
        with pytest.raises(CatalogueError):
            load_bundled(films_csv)


def test_imported_tables_take_language_and_lead_from_the_bundled_list(tmp_path: Path, films_csv: Path) -> None:
    path = tmp_path / "films.parquet"
    row = "SELECT 'tt9000000' imdb_id, 'A' title, 2020 AS year, ['Drama'] genres, 7.0 rating, 9 votes, 90 runtime_min"
    metadata = "(FORMAT parquet, KV_METADATA {as_of: '2026-02-03'})"
    duckdb.execute(f"COPY ({row}, 'man' AS lead) TO '{path}' {metadata}")
    table = load_imported(path, films_csv)
    (film,) = table.by_id.values()
    assert (film.language, film.lead, film.tone) == ("en", "woman", ("warm", "funny"))
    assert table.as_of.isoformat() == "2026-02-03"


def test_damaged_imported_tables_are_reported_and_the_bundled_list_is_used(
    tmp_path: Path, films_csv: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / IMPORTED_NAME).write_bytes(b"PAR1 and then nothing")
    catalogue = Catalogue.load(tmp_path, films_csv)
    assert catalogue.imported is None
    assert "import the tables again" in caplog.text
    assert len(catalogue.bundled.by_id) == 160


# --- the import of IMDb's tables ---

ROWS: dict[str, list[tuple[object, ...]]] = {
    BASICS: [
        ("tt0000001", "movie", 'The "Film"', "Le Film", 0, 1999, r"\N", 90, "Comedy,Drama"),
        ("tt0000002", "movie", "\u202eevil\u200b\x07 <script>" + "x" * 10_000, "x", 0, 2001, r"\N", r"\N", r"\N"),
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
        write(folder / name, TABLE_COLUMNS[name], rows)
    return folder


def test_takes_released_films_with_enough_votes_and_titles_of_one_plain_line(
    tmp_path: Path, official: Path, films_csv: Path
) -> None:
    os.utime(official / BASICS, (1_700_000_000, 1_700_000_000))
    assert import_tables(tmp_path / "home", official) == (2, 1)
    table = load_imported(tmp_path / "home" / IMPORTED_NAME, films_csv)
    assert table.as_of.isoformat() == "2023-11-14"
    first, second = sorted(table.by_id.values(), key=attrgetter("imdb_id"))
    assert (first.title, first.year, first.genres, first.runtime_min) == ('The "Film"', 1999, ("Comedy", "Drama"), 90)
    assert (first.rating, first.votes, first.lead) == (7.5, 2000, "woman")
    assert (second.genres, second.runtime_min, second.lead) == ((), None, None)
    assert second.title.startswith("evil \u2039script\u203ax")
    assert len(second.title) == 300
    assert import_tables(tmp_path / "home", official, min_votes=10) == (3, 1)


def test_tables_may_be_unpacked_and_leads_are_optional(tmp_path: Path, official: Path, films_csv: Path) -> None:
    for name in (BASICS, RATINGS):
        packed = official / name
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    assert import_tables(tmp_path / "home", official) == (2, 1)
    (official / PRINCIPALS).unlink()
    assert import_tables(tmp_path / "home", official) == (2, 0)


def test_ratings_alone_refresh_the_bundled_list(tmp_path: Path, official: Path, films_csv: Path) -> None:
    write(official / RATINGS, TABLE_COLUMNS[RATINGS], [("tt9000000", 9.9, 5), ("tt0000001", 1.0, 2000)])
    os.utime(official / RATINGS, (1_700_000_000, 1_700_000_000))
    home = tmp_path / "home"
    assert import_ratings(home, official, films_csv) == 1
    bundled = Catalogue.load(home, films_csv).bundled
    film = bundled.by_id["tt9000000"]
    assert (film.rating, film.votes, bundled.as_of.isoformat()) == (9.9, 5, "2023-11-14")
    assert bundled.by_id["tt9000001"].votes == 2000
    write(official / RATINGS, TABLE_COLUMNS[RATINGS], [("tt0000001", 1.0, 2000)])
    with pytest.raises(CatalogueError, match="no film of our own list"):
        import_ratings(home, official, films_csv)
    (home / RATINGS_NAME).write_bytes(b"PAR1 and then nothing")
    assert Catalogue.load(home, films_csv).bundled.by_id["tt9000000"].votes == 1000


def cut_off(folder: Path) -> None:
    write(folder / RATINGS, TABLE_COLUMNS[RATINGS], [(f"tt{n:07d}", 7.0, 5000 + n * 37 % 9999) for n in range(20_000)])
    content = (folder / RATINGS).read_bytes()
    (folder / RATINGS).write_bytes(content[: len(content) // 2])


def rewrite(name: str, *rows: tuple[object, ...]) -> Callable[[Path], None]:
    return lambda folder: write(folder / name, TABLE_COLUMNS[name], list(rows))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut off": cut_off,
    "missing": lambda folder: (folder / RATINGS).unlink(),
    "unpacked": lambda folder: (folder / RATINGS).write_text("tconst\taverageRating\tnumVotes\n"),
    "other header": lambda folder: write(folder / BASICS, ("id", "title"), [("tt0000001", "x")]),
    "other types": rewrite(RATINGS, ("tt0000001", "good", "many")),
    "of another day": rewrite(RATINGS, ("tt9999999", 7.0, 5000)),
    "no ratings": rewrite(RATINGS),
    "no actors": rewrite(PRINCIPALS),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_tables_are_refused_in_one_line_and_the_old_list_stays(
    tmp_path: Path, official: Path, damage: Callable[[Path], object]
) -> None:
    home = tmp_path / "home"
    import_tables(home, official)
    before = (home / IMPORTED_NAME).read_bytes()
    damage(official)
    with pytest.raises(CatalogueError) as refusal:
        import_tables(home, official)
    assert "\n" not in str(refusal.value)
    assert (home / IMPORTED_NAME).read_bytes() == before
    assert [path.name for path in home.iterdir()] == [IMPORTED_NAME]


def test_a_failure_on_the_last_step_leaves_nothing_behind(tmp_path: Path, official: Path) -> None:
    home = tmp_path / "home"
    (home / IMPORTED_NAME).mkdir(parents=True)  # so that the new list cannot take its place
    with pytest.raises(CatalogueError):
        import_tables(home, official)
    assert [path.name for path in home.iterdir()] == [IMPORTED_NAME]


KILLED = """
import os, pathlib, signal, sys
from scraper.catalogue import import_tables
class Path(type(pathlib.Path())):
    def replace(self, target):
        os.kill(os.getpid(), signal.SIGKILL)
import_tables(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_an_import_that_is_killed_leaves_the_old_list_and_can_be_repeated(
    tmp_path: Path, official: Path, project: Path
) -> None:
    home = tmp_path / "home"
    import_tables(home, official)
    before = (home / IMPORTED_NAME).read_bytes()
    run = [sys.executable, "-c", KILLED, home, official]
    assert subprocess.run(run, cwd=project, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert (home / IMPORTED_NAME).read_bytes() == before
    assert len(list(home.iterdir())) > 1  # it was at work
    assert import_tables(home, official) == (2, 1)
    assert [path.name for path in home.iterdir()] == [IMPORTED_NAME]
