from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from scraper import cache as stores
from scraper.cache import Bounded, FileNote, MemoryNote, open_cache
from scraper.errors import QueryError
from scraper.imdb import ImdbClient
from scraper.query import FilmQuery
from scraper.settings import ScraperSettings

QUERY = FilmQuery(genres=("Comedy",))


def test_a_note_survives_in_its_file(tmp_path: Path) -> None:
    open_cache(tmp_path / "deep" / "pages").note.write("text")
    assert open_cache(tmp_path / "deep" / "pages").note.read() == "text"


def test_a_missing_note_is_empty(tmp_path: Path) -> None:
    assert FileNote(tmp_path / "none").read() == ""


def test_an_address_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(QueryError, match="IMDB_CACHE") as refusal:
        open_cache("redis://:secret@host:port/0")
    assert "secret" not in str(refusal.value)


def test_a_folder_that_cannot_be_used_is_replaced_by_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        cache = open_cache(tmp_path / "file")
    assert "kept in memory" in caplog.text
    assert type(cache.pages) is Bounded
    assert isinstance(cache.note, MemoryNote)


DAMAGES = [b"", b"no page", b"[]", b"{}", b'{"status_code": "x", "url": 3}', b"\xff\xfe", b"\x00" * 5000]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_page_is_no_page(
    settings: ScraperSettings, httpserver: HTTPServer, comedies: str, damage: bytes
) -> None:
    httpserver.expect_request("/search/title/").respond_with_data(comedies)
    client = ImdbClient(settings)
    client.live(QUERY)
    for path in (settings.home / "imdb-pages").glob("*.json"):
        path.write_bytes(damage)
    assert client.cached(QUERY) is None
    assert ImdbClient(settings).cached(QUERY) is None


def test_a_folder_that_turns_unwritable_costs_the_pages_and_stops_nobody(
    settings: ScraperSettings, httpserver: HTTPServer, comedies: str
) -> None:
    httpserver.expect_request("/search/title/").respond_with_data(comedies)
    client = ImdbClient(replace(settings, budget_s=1.9))
    folder = settings.home / "imdb-pages"
    folder.rename(folder.with_name("gone"))
    folder.write_text("no folder any more, which stops even the administrator from writing into it")
    before = threading.active_count()
    assert len(client.live(QUERY).films) == 20
    assert client.cached(QUERY) is None
    assert len(client.live(QUERY).films) == 20
    assert threading.active_count() <= before + 1  # the server's own


@pytest.mark.parametrize("in_memory", [False, True])
def test_the_store_does_not_grow_without_end(
    settings: ScraperSettings, httpserver: HTTPServer, comedies: str, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    httpserver.expect_request("/search/title/").respond_with_data(comedies)
    monkeypatch.setattr(stores, "MOST_PAGES", 2)
    if in_memory:
        settings.home.mkdir(exist_ok=True)
        (settings.home / "imdb-pages").write_text("a file where the folder should be")
    client = ImdbClient(settings)
    queries = [FilmQuery(genres=("Comedy",), min_votes=votes) for votes in range(3)]
    for query in queries:
        client.live(query)
    kept = [query for query in queries if client.cached(query)]
    assert len(kept) == 2
    assert queries[-1] in kept
