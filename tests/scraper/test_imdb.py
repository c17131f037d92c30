from __future__ import annotations

import gzip
import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraper import imdb, transport
from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbError, ImdbLayoutChanged, ImdbUnavailable
from scraper.imdb import ImdbClient
from scraper.query import FilmQuery
from scraper.settings import ScraperSettings

PATH = "/search/title/"
QUERY = FilmQuery(genres=("Comedy",))


@pytest.fixture
def client(settings: ScraperSettings) -> ImdbClient:
    return ImdbClient(settings)


def answer_with(server: HTTPServer, *arguments: Any, **settings: Any) -> None:
    server.expect_request(PATH).respond_with_data(*arguments, **settings)


def test_fetches_one_page_politely(client: ImdbClient, httpserver: HTTPServer, comedies: str) -> None:
    answer_with(httpserver, comedies)
    found = client.live(QUERY)
    assert len(found.films) == 20
    assert datetime.now(UTC) - found.fetched_at < timedelta(seconds=5)
    ((request, _),) = httpserver.log
    assert request.headers["Accept-Language"].startswith("en-US")
    assert "mood-picks" in request.headers["User-Agent"]
    assert "Mozilla" not in request.headers["User-Agent"]


BLOCKS = [
    ("", 202, {"x-amzn-waf-action": "challenge"}),
    ("", 202, {}),
    ("<script>gokuProps</script>", 202, {"x-amzn-waf-action": "challenge"}),
    ("<script>gokuProps</script>", 200, {}),
    ("", 405, {"x-amzn-waf-action": "captcha"}),
    ("<title>403 Forbidden</title>", 403, {}),
    ("", 429, {"Retry-After": "1"}),
    ("", 200, {}),
]


@pytest.mark.parametrize(("body", "status", "headers"), BLOCKS)
def test_a_refusal_is_reported_once_and_then_respected(
    client: ImdbClient, httpserver: HTTPServer, body: str, status: int, headers: dict[str, str]
) -> None:
    answer_with(httpserver, body, status, headers)
    with pytest.raises(ImdbBlocked):
        client.live(QUERY)
    with pytest.raises(ImdbBlocked, match="left alone until"):
        client.live(FilmQuery(genres=("Drama",)))
    assert len(httpserver.log) == 1
    assert client.cached(QUERY) is None


def test_a_restart_does_not_forget_a_refusal(
    client: ImdbClient, settings: ScraperSettings, httpserver: HTTPServer
) -> None:
    answer_with(httpserver, "", 403)
    with pytest.raises(ImdbBlocked):
        client.live(QUERY)
    with pytest.raises(ImdbBlocked, match="left alone"):
        ImdbClient(settings).live(QUERY)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failing_server_is_unavailable(client: ImdbClient, httpserver: HTTPServer, status: int) -> None:
    answer_with(httpserver, "sorry", status)
    with pytest.raises(ImdbUnavailable):
        client.live(QUERY)
    assert len(httpserver.log) == 1


def test_nobody_there_is_unavailable(settings: ScraperSettings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ImdbUnavailable):
        ImdbClient(replace(settings, base_url=f"http://127.0.0.1:{port}")).live(QUERY)


def test_switched_off_asks_nobody(settings: ScraperSettings, httpserver: HTTPServer) -> None:
    with pytest.raises(ImdbUnavailable, match="switched off"):
        ImdbClient(replace(settings, live=False)).live(QUERY)
    assert httpserver.log == []


@pytest.mark.parametrize("body", ["<p>other</p>" * 1000, '<table class="results"></table>'])
def test_another_layout_is_reported_as_such(client: ImdbClient, httpserver: HTTPServer, body: str) -> None:
    answer_with(httpserver, body)
    with pytest.raises(ImdbLayoutChanged):
        client.live(QUERY)
    assert client.cached(QUERY) is None


def test_nothing_found_is_an_answer(client: ImdbClient, httpserver: HTTPServer, page: Callable[..., str]) -> None:
    answer_with(httpserver, page([], 0))
    with pytest.raises(ImdbEmpty):
        client.live(QUERY)
    with pytest.raises(ImdbEmpty):  # no pause after it
        client.live(QUERY)


def test_a_huge_body_is_cut_off(client: ImdbClient, httpserver: HTTPServer) -> None:
    bomb = gzip.compress(b" " * 50 * 2**20)
    answer_with(httpserver, bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(ImdbLayoutChanged, match="larger than 5 MB"):
        client.live(QUERY)


def test_a_redirect_loop_ends(client: ImdbClient, httpserver: HTTPServer) -> None:
    answer_with(httpserver, "", 301, {"Location": httpserver.url_for(PATH)})
    started = time.monotonic()
    with pytest.raises(ImdbUnavailable):
        client.live(QUERY)
    assert time.monotonic() - started < 3
    assert len(httpserver.log) <= 2


def test_a_broken_gzip_stream_is_unavailable(client: ImdbClient, httpserver: HTTPServer, comedies: str) -> None:
    packed = gzip.compress(comedies.encode())
    answer_with(httpserver, packed[:200] + b"garbage" * 20, headers={"Content-Encoding": "gzip"})
    with pytest.raises(ImdbUnavailable):
        client.live(QUERY)


def raw_server(pieces: Callable[[], Iterator[bytes]]) -> tuple[str, threading.Event]:
    """A server that sends bytes as it likes, to show what a well-behaved one cannot."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, listener:
            connection.recv(65536)
            try:
                for piece in pieces():
                    connection.sendall(piece)
                    if stop.is_set():
                        return
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", stop


def trickle(start: bytes, drop: bytes) -> Iterator[bytes]:
    yield start
    while True:
        time.sleep(0.05)
        yield drop


def stall() -> Iterator[bytes]:
    time.sleep(5)
    yield b""


SLOW: dict[str, Callable[[], Iterator[bytes]]] = {
    "no answer": stall,
    "slow headers": lambda: trickle(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "slow body": lambda: trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n<html>", b" "),
}


@pytest.mark.parametrize("kind", SLOW)
def test_slowness_ends_with_the_budget(impatient: ScraperSettings, kind: str) -> None:
    url, stop = raw_server(SLOW[kind])
    started = time.monotonic()
    with pytest.raises(ImdbUnavailable):
        ImdbClient(replace(impatient, base_url=url)).live(QUERY)
    assert time.monotonic() - started < impatient.budget_s + 0.4
    stop.set()


BROKEN = {
    "reset": b"",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n<html>",
    "garbage": b"\x00\x01\x02 no http at all\r\n\r\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_answers_are_unavailable(settings: ScraperSettings, kind: str) -> None:
    url, _ = raw_server(lambda: iter([BROKEN[kind]]))
    with pytest.raises(ImdbUnavailable):
        ImdbClient(replace(settings, base_url=url)).live(QUERY)


def test_a_page_is_kept_and_grows_stale(
    client: ImdbClient,
    settings: ScraperSettings,
    httpserver: HTTPServer,
    comedies: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_with(httpserver, comedies)
    live = client.live(QUERY)
    kept = ImdbClient(settings).cached(QUERY)
    assert kept == live
    assert kept.is_fresh
    monkeypatch.setattr(imdb, "utc_now", lambda: datetime.now(UTC) + timedelta(hours=7))
    assert not kept.is_fresh
    assert len(httpserver.log) == 1


def test_after_thirty_days_a_page_is_gone(
    settings: ScraperSettings, httpserver: HTTPServer, comedies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "STALE_AFTER", timedelta(seconds=-1))
    answer_with(httpserver, comedies)
    client = ImdbClient(settings)
    client.live(QUERY)
    assert client.cached(QUERY) is None


def test_the_visitors_address_is_never_written_down(
    client: ImdbClient, settings: ScraperSettings, httpserver: HTTPServer, comedies: str
) -> None:
    answer_with(httpserver, comedies, headers={"Set-Cookie": "session-id=7", "X-Your-Address": "203.0.113.7"})
    client.live(QUERY)
    with sqlite3.connect(settings.home / "imdb-pages.sqlite") as connection:
        stored = "".join(connection.iterdump())
    assert "203.0.113.7" not in stored
    assert "session-id" not in stored


@pytest.mark.parametrize("damage", ["file", "folder", "read-only"])
def test_a_cache_that_cannot_be_used_is_replaced_by_memory(
    settings: ScraperSettings, httpserver: HTTPServer, comedies: str, tmp_path: Path, damage: str,
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    home = tmp_path / "damaged"
    if damage == "file":
        home.mkdir()
        (home / "imdb-pages.sqlite").write_bytes(b"no database " * 1000)
    elif damage == "folder":
        home.write_text("a file where the folder should be")
    else:
        connect = sqlite3.connect
        read_only = lambda path, **options: connect(f"file:{path}?mode=ro", uri=True, **options)  # noqa: E731
        monkeypatch.setattr(sqlite3, "connect", read_only)
    answer_with(httpserver, comedies)
    with caplog.at_level(logging.WARNING):
        client = ImdbClient(replace(settings, home=home))
    assert "kept in memory" in caplog.text
    assert client.live(QUERY) == client.cached(QUERY)


def test_a_cache_damaged_on_the_way_costs_the_pages_not_the_answer(
    client: ImdbClient, settings: ScraperSettings, httpserver: HTTPServer, comedies: str
) -> None:
    answer_with(httpserver, comedies)
    client.live(QUERY)
    (settings.home / "imdb-pages.sqlite").write_bytes(b"no database " * 5000)
    assert client.cached(QUERY) is None
    assert len(client.live(QUERY).films) == 20


def test_many_visitors_share_one_request(client: ImdbClient, httpserver: HTTPServer, comedies: str) -> None:
    def slowly(_: Request) -> Response:
        time.sleep(0.2)
        return Response(comedies)

    httpserver.expect_request(PATH).respond_with_handler(slowly)
    with ThreadPoolExecutor(40) as visitors:
        answers = list(visitors.map(lambda _: client.live(QUERY), range(40)))
    assert len({id(answer) for answer in answers}) == 1
    assert len(httpserver.log) == 1


def test_many_visitors_of_a_stalled_imdb_all_get_their_error(impatient: ScraperSettings) -> None:
    url, stop = raw_server(stall)
    client = ImdbClient(replace(impatient, base_url=url))

    def ask(_: int) -> str:
        try:
            client.live(QUERY)
        except ImdbError as error:
            return type(error).__name__
        return "films"

    started = time.monotonic()
    with ThreadPoolExecutor(100) as visitors:
        outcomes = set(visitors.map(ask, range(100)))
    assert outcomes == {"ImdbUnavailable"}
    assert time.monotonic() - started < impatient.budget_s + 1.5
    stop.set()


def test_kept_pages_can_be_read_by_many_at_once(client: ImdbClient, httpserver: HTTPServer, comedies: str) -> None:
    answer_with(httpserver, comedies)
    client.live(QUERY)
    with ThreadPoolExecutor(20) as visitors:
        answers = list(visitors.map(lambda _: client.cached(QUERY), range(200)))
    assert None not in answers


def test_requests_keep_a_second_apart(settings: ScraperSettings, httpserver: HTTPServer, comedies: str) -> None:
    answer_with(httpserver, comedies)
    client = ImdbClient(settings)
    started = time.monotonic()
    client.live(QUERY)
    client.live(FilmQuery(genres=("Drama",)))
    assert time.monotonic() - started >= 1


def test_the_address_vouches_for_language_and_for_genres_of_cards(client: ImdbClient, httpserver: HTTPServer) -> None:
    card = '<li class="ipc-metadata-list-summary-item"><a class="ipc-title-link-wrapper" href="/title/tt0000001/">'
    answer_with(httpserver, f'{card}<h3 class="ipc-title__text">1. Amie</h3></a></li>')
    (film,) = client.live(FilmQuery(genres=("Comedy",), language="fr")).films
    assert (film.title, film.language, film.genres) == ("Amie", "fr", ("Comedy",))
