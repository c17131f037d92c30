from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from scraper.__main__ import COMMON_FILTERS, DIFFERS, check_list, main
from scraper.catalogue import BUNDLED_CSV, CSV_COLUMNS
from scraper.errors import CatalogueError
from scraper.moods import Mood

FILM_KEYS = {
    "imdb_id", "title", "year", "genres", "rating", "votes", "runtime_min", "language", "tone", "certificate", "url",
    "poster_url",
}  # fmt: skip


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOOD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("IMDB_CACHE", raising=False)
    monkeypatch.setenv("IMDB_LIVE", "off")


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(arguments) == 0
    return json.loads(capsys.readouterr().out)


def test_parse_prints_the_films_of_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path, comedies: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(comedies)
    document = output_of(capsys, "parse", str(page), "--json")
    assert set(document) == {"layout", "total", "films"}
    assert (document["layout"], document["total"], len(document["films"])) == ("search-json", 345, 20)
    assert set(document["films"][0]) == FILM_KEYS
    assert main(["parse", str(page)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 20


def test_search_prints_films_source_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--mood", "sad", "--intent", "lift", "--from-year", "2000", "--limit", "5", "--sort", "rating"]
    document = output_of(capsys, "search", *arguments, "--not-genre", "sport", "--json")
    assert set(document["source"]) == {"kind", "as_of", "notice"}
    assert (document["source"]["kind"], document["source"]["as_of"]) == ("bundled", "2026-01-01")
    assert len(document["films"]) == 5
    assert set(document["films"][0]) == FILM_KEYS | {"why"}
    assert all(film["year"] >= 2000 for film in document["films"])


def test_search_asks_imdb_unless_it_is_offline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], httpserver: HTTPServer, comedies: str
) -> None:
    monkeypatch.setenv("IMDB_LIVE", "on")
    monkeypatch.setenv("IMDB_BASE_URL", httpserver.url_for(""))
    httpserver.expect_request("/search/title/").respond_with_data(comedies)
    assert output_of(capsys, "search", "--offline", "--json")["source"]["kind"] == "bundled"
    assert httpserver.log == []
    assert output_of(capsys, "search", "--mood", "happy", "--json")["source"]["kind"] == "imdb"


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "--mood", "joyful"],
        ["search", "--from-year", "2020", "--to-year", "2010"],
        ["search", "--limit", "0"],
        ["search", "--limit", "many"],
        ["parse", "no-such-file.html"],
        ["parse", str(BUNDLED_CSV)],
        ["parse", str(BUNDLED_CSV.parent)],
        ["import-tables", "--min-votes", "-1"],
        ["check", "--list", "no-such-file.csv"],
        ["check", "--against", "no-such-file.csv"],
        ["dance"],
        [],
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("error: ")


@pytest.mark.parametrize("limit", ["1", "100"])  # less and more than fits into a buffer
def test_a_full_disk_is_one_line_that_names_the_output(project: Path, limit: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is a device of Linux")
    run = [sys.executable, "-m", "scraper", "search", "--mood", "sad", "--json", "--limit", limit]
    with Path("/dev/full").open("w") as file:
        done = subprocess.run(run, cwd=project, stdout=file, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be read or written: No space left on device\n"


def test_a_reader_that_stops_early_is_no_error(project: Path) -> None:
    command = f"{sys.executable} -m scraper search --mood sad --limit 100 --json | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n0\n"
    assert done.stderr == ""


def test_import_tables_without_a_folder_prints_the_commands_to_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["import-tables", "--min-votes", "50"]) == 0
    download, convert = capsys.readouterr().out.splitlines()
    folder = str(tmp_path / "home/tables")
    assert download.startswith("curl ")
    assert folder in download
    assert download.count("https://datasets.imdbws.com/title.") == 3
    assert convert.endswith(f"-m scraper import-tables --from {folder} --min-votes 50")
    assert main(["import-tables", "--ratings"]) == 0
    download, convert = capsys.readouterr().out.splitlines()
    assert download.endswith("https://datasets.imdbws.com/title.ratings.tsv.gz")
    assert convert.endswith("--ratings")


# --- the check of a list ---


def write_list(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([",".join(CSV_COLUMNS), *rows, ""]))
    return path


def problems_of_films(problems: list[str]) -> list[str]:
    """Leave out that so short a list has too few films for the moods."""
    return [problem for problem in problems if not problem.startswith(tuple(Mood))]


def test_the_bundled_list_has_no_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out == ""


def test_the_bundled_list_agrees_with_the_facts(shared: Path) -> None:
    problems = check_list(against=shared / "imdb/films.csv")  # of March 2025, so that ratings and votes have moved
    assert [one for one in problems if ": rating is" not in one and ": votes is" not in one][:-1] == []
    assert problems[-1].endswith("not among the facts, the first is tt32141377")


def test_an_empty_list_is_too_thin_for_every_mood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_list(tmp_path / "list.csv")
    assert main(["check", "--list", str(path)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(Mood) * (1 + len(COMMON_FILTERS))


def test_a_filter_that_leaves_too_few_films_is_named(tmp_path: Path) -> None:
    with BUNDLED_CSV.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row[5] in {"en", "language"}]
    with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    problems = check_list(tmp_path / "list.csv")
    assert problems
    assert all("not English" in problem for problem in problems)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            ["tt0000001,A,2000,Drama,90,en,7,100,,,warm", "tt0000001,B,2001,Drama,90,en,7,100,,,warm"],
            "tt0000001: listed 2 times",
        ),
        (
            ["tt0000001,A,2000,Drama,90,en,7,100,,,warm", "tt0000002,a,2000,Drama,90,en,7,100,,,warm"],
            "a (2000): listed 2 times",
        ),
        (["tt0000001,A,2000,Joy,90,en,7,100,,,warm"], "unknown genre"),
        (["tt0000001,A,2000,,90,en,7,100,,,warm"], "no genre"),
        (["tt0000001,A,,Drama,90,en,7,100,,,warm"], "no title or no year"),
        (["tt0000001,A,2000,Drama,90,en,11,100,,,warm"], "rating 11.0"),
        (["tt0000001,A,2000,Drama,90,en,7,100,her,,warm"], "lead 'her'"),
        (["tt0000001,A,2000,Drama,90,en,7,100,,,"], "no tone"),
        (["tt0000001,A,2000,Drama,90,en,7,100,,,warm|soggy"], "unknown or repeated tone"),
    ],
)
def test_duplicates_and_bad_facts_are_found(tmp_path: Path, rows: list[str], words: str) -> None:
    (problem,) = problems_of_films(check_list(write_list(tmp_path / "list.csv", *rows)))
    assert words in problem


def test_differences_from_the_facts_are_found(tmp_path: Path) -> None:
    films = write_list(
        tmp_path / "list.csv",
        "tt0000001,a,2000,War|Drama,92,en,7.2,1500,,,warm",
        "tt0000002,Z,1999,Drama,120,en,8.2,15000,,,warm",
        "tt0000003,C,2000,Drama,9,en,7,5,,,warm",
        "tt0000004,D,2000,Drama,9,en,7,5,,,warm",
    )
    facts = tmp_path / "facts.csv"
    facts.write_text(
        "imdb_id,title,year,genres,rating,votes,runtime_min\n"
        "tt0000001,A,2000,Drama|War,7.0,1000,90\n"  # close enough
        "tt0000002,A,2000,Drama|War,7.0,1000,90\n"
        "tt0000003,C,2000,Drama,,,\n"  # not known
    )
    problems = problems_of_films(check_list(films, facts))
    assert [problem.split(" is ")[0] for problem in problems[:-1]] == [f"tt0000002: {name}" for name in DIFFERS]
    assert problems[-1] == "1 films are not among the facts, the first is tt0000004"


def test_a_light_tone_with_heavy_words_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    films = write_list(
        tmp_path / "list.csv",
        "tt0000001,A,2000,Comedy,92,en,7.2,1500,,,warm|funny",
        "tt0000002,B,2000,Comedy,92,en,7.2,1500,,,dark|funny",
    )
    (tmp_path / "lexicon.csv").write_text("word,axis,weight\nmurder,dark,2\nghost,scary,1\ncozy,warm,1\n")
    said = "".join(f"{one},{word}\n" for one in ("tt0000001", "tt0000002") for word in ("Murder", "ghost", "cozy"))
    (tmp_path / "tags.csv").write_text(f"imdb_id,tag\n{said}")
    check = ["check", "--list", str(films), "--words", str(tmp_path / "tags.csv")]
    assert main(check) == 2
    assert main([*check, "--lexicon", str(tmp_path / "lexicon.csv")]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "but also" in line]
    assert line == "tt0000001: A is warm|funny, but also ghost, murder"


def test_an_unusable_list_or_table_of_facts_is_refused_by_name(tmp_path: Path) -> None:
    write_list(tmp_path / "id.csv", "tt12,Nameless,2000,Drama,90,en,7.0,5000,,,warm")
    (tmp_path / "utf-16.csv").write_bytes(BUNDLED_CSV.read_text("utf-8").encode("utf-16"))
    for name in ("id.csv", "utf-16.csv"):
        with pytest.raises(CatalogueError, match=name):
            check_list(tmp_path / name)
    first = BUNDLED_CSV.read_text("utf-8").splitlines()[1].split(",")
    columns = "imdb_id,title,year,genres,rating,votes,runtime_min"
    for content in (f"{columns}\n{first[0]},{first[1]},soon,,,,\n", "imdb_id,title\n"):
        (tmp_path / "facts.csv").write_text(content)
        with pytest.raises(CatalogueError, match=r"facts\.csv"):
            check_list(against=tmp_path / "facts.csv")
