from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from scraper.__main__ import main

FILM_KEYS = {
    "imdb_id", "title", "year", "genres", "rating", "votes", "runtime_min", "language", "url", "poster_url",
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
    assert (document["source"]["kind"], document["source"]["as_of"]) == ("bundled", "2025-03-01")
    assert len(document["films"]) == 5
    assert set(document["films"][0]) == FILM_KEYS | {"why"}
    assert all(film["year"] >= 2000 for film in document["films"])


def test_offline_asks_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], httpserver: HTTPServer
) -> None:
    monkeypatch.setenv("IMDB_LIVE", "on")
    monkeypatch.setenv("IMDB_BASE_URL", httpserver.url_for(""))
    assert output_of(capsys, "search", "--offline", "--json")["source"]["kind"] == "bundled"
    assert httpserver.log == []


def test_search_asks_imdb(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], httpserver: HTTPServer, comedies: str
) -> None:
    monkeypatch.setenv("IMDB_LIVE", "on")
    monkeypatch.setenv("IMDB_BASE_URL", httpserver.url_for(""))
    httpserver.expect_request("/search/title/").respond_with_data(comedies)
    assert output_of(capsys, "search", "--mood", "happy", "--json")["source"]["kind"] == "imdb"


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "--mood", "joyful"],
        ["search", "--genre", "joy"],
        ["search", "--from-year", "2020", "--to-year", "2010"],
        ["search", "--limit", "0"],
        ["search", "--limit", "many"],
        ["parse", "no-such-file.html"],
        ["import-tables", "--from", "no-such-folder"],
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


def test_a_page_that_is_none_is_bad_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(b"\xff\xfe\x00 nothing")
    assert main(["parse", str(tmp_path / "page.html"), "--json"]) == 2
    assert main(["parse", str(tmp_path)]) == 2


def test_check_reports_problems_by_its_exit_code(capsys: pytest.CaptureFixture[str], films_csv: Path) -> None:
    assert main(["check"]) == 0
    assert main(["check", "--list", str(films_csv)]) == 1
    assert "films, " in capsys.readouterr().out


def test_runs_as_a_module(project: Path) -> None:
    run = [sys.executable, "-m", "scraper", "search", "--mood", "calm", "--limit", "1", "--json"]
    done = subprocess.run(run, cwd=project, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["films"]) == 1
