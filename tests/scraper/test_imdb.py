"""The client against a real HTTP server on loopback that answers, refuses, stalls, or sends rubbish."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
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
from redis import Redis, RedisError
from werkzeug import Request, Response

from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbError, ImdbLayoutChanged, ImdbUnavailable, QueryError
from scraper.imdb import FAILURE_PAUSE, FRESH_FOR, IMDB, REFUSAL_PAUSES, STALE_FOR, ImdbClient, Pause, ScraperSettings
from scraper.query import FilmQuery

PATH = "/search/title/"
QUERY = FilmQuery(genres=("Comedy",))
OTHER = FilmQuery(genres=("Drama",))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

Build = Callable[..., Any]
Pieces = Callable[[], Iterator[bytes]]
RawServer = Callable[[Pieces], str]


@pytest.fixture
def client(settings: ScraperSettings) -> ImdbClient:
    return ImdbClient(settings)


@pytest.fixture
def imdb(httpserver: HTTPServer, comedies: str) -> HTTPServer:
    """A server that answers every search with a page of twenty comedies."""
    httpserver.expect_request(PATH).respond_with_data(comedies)
    return httpserver


def answer_with(server: HTTPServer, *arguments: Any, **settings: Any) -> None:
    server.expect_request(PATH).respond_with_data(*arguments, **settings)


# --- settings ---


def test_the_environment_sets_every_value_and_impossible_ones_are_refused() -> None:
    empty = ScraperSettings.from_environment({"IMDB_LIVE": "", "IMDB_CACHE": ""})
    assert (empty.live, empty.base_url, empty.cache, empty.home.name) == (True, IMDB, None, "mood-picks")
    environment = {"IMDB_LIVE": "off", "IMDB_BASE_URL": "http://x", "IMDB_CACHE": "redis://r", "MOOD_HOME": "/m"}
    settings = ScraperSettings(live=False, base_url="http://x", cache="redis://r", home=Path("/m"))
    assert ScraperSettings.from_environment(environment) == settings
    for bad in ({"IMDB_LIVE": "maybe"}, {"IMDB_BASE_URL": "imdb.com"}):
        with pytest.raises(QueryError, match="IMDB_"):
            ScraperSettings.from_environment(bad)


# --- requests and answers ---


def test_fetches_one_page_politely(client: ImdbClient, imdb: HTTPServer) -> None:
    result = client.fetch(QUERY)
    assert len(result.films) == 20
    assert result.is_fresh
    ((request, _),) = imdb.log
    assert request.headers["Accept-Language"].startswith("en-US")
    assert "mood-picks" in request.headers["User-Agent"]
    assert "Mozilla" not in request.headers["User-Agent"]


def test_requests_are_a_second_apart(settings: ScraperSettings, imdb: HTTPServer) -> None:
    client = ImdbClient(replace(settings, requests_per_second=1))
    started = time.monotonic()
    client.fetch(QUERY)
    client.fetch(OTHER)
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize(
    "answer",
    [
        *[("", 202), ("", 403), ("", 405), ("<script>gokuProps</script>", 200)],
        *[("", 429, {"Retry-After": "1"}), ("", 503, {"x-amzn-waf-action": "challenge"})],
    ],
)
def test_after_a_refusal_nothing_more_is_asked_even_by_another_process(
    client: ImdbClient, settings: ScraperSettings, httpserver: HTTPServer, answer: Any
) -> None:
    answer_with(httpserver, *answer)
    with pytest.raises(ImdbBlocked, match="did not answer with a page"):
        client.fetch(QUERY)
    for other in (client, ImdbClient(settings)):
        with pytest.raises(ImdbBlocked, match="will not be asked again before"):
            other.fetch(OTHER)
    assert len(httpserver.log) == 1
    assert client.cached(QUERY) is None


def test_nothing_found_is_an_answer(client: ImdbClient, httpserver: HTTPServer, page: Build) -> None:
    answer_with(httpserver, page([], 0))
    for _ in range(2):  # no pause in between
        with pytest.raises(ImdbEmpty):
            client.fetch(QUERY)


def test_an_unreachable_server_is_unavailable_and_so_is_one_turned_off(settings: ScraperSettings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = ImdbClient(replace(settings, base_url=f"http://127.0.0.1:{unused.getsockname()[1]}"))
        with pytest.raises(ImdbUnavailable, match="could not be reached"):
            client.fetch(QUERY)
    with pytest.raises(ImdbUnavailable, match="turned off"):
        ImdbClient(replace(settings, live=False)).fetch(QUERY)


def test_the_address_supplies_language_and_the_genre_of_cards(client: ImdbClient, httpserver: HTTPServer) -> None:
    card = '<li class="ipc-metadata-list-summary-item"><a class="ipc-title-link-wrapper" href="/title/tt0000001/">'
    answer_with(httpserver, f'{card}<h3 class="ipc-title__text">1. Amie</h3></a></li>')
    (film,) = client.fetch(FilmQuery(genres=("Comedy",), languages=("fr",))).films
    assert (film.title, film.language, film.genres) == ("Amie", "fr", ("Comedy",))


def test_the_next_page_is_asked_for_with_the_cursor_of_the_last(
    client: ImdbClient, httpserver: HTTPServer, item: Build, page: Build
) -> None:
    first, second = page([item(n) for n in range(3)], 5, "eyJh=="), page([item(n) for n in range(2, 5)], 5, "eyJi==")
    httpserver.expect_oneshot_request(PATH, query_string=QUERY.to_url("").partition("?")[2]).respond_with_data(first)
    answer_with(httpserver, second)
    result = client.fetch(QUERY)
    assert result.cursor == "eyJh=="
    both = result + client.fetch(QUERY, result.cursor)
    assert httpserver.log[-1][0].args["after"] == "eyJh=="
    assert [film.imdb_id for film in both.films] == [f"tt{n:07d}" for n in range(5)]


def test_while_a_request_is_in_progress_no_other_is_sent_and_who_wants_the_same_page_gets_its_answer(
    client: ImdbClient, httpserver: HTTPServer, comedies: str
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def answer(_: Request) -> Response:
        asked.set()
        answered.wait(20)
        return Response(comedies)

    httpserver.expect_request(PATH).respond_with_handler(answer)
    with ThreadPoolExecutor(2) as visitors:
        first = visitors.submit(client.fetch, QUERY, timeout_s=20)
        assert asked.wait(20)
        same = visitors.submit(client.fetch, QUERY, timeout_s=20)
        with pytest.raises(ImdbUnavailable, match="another IMDb request is in progress"):
            client.fetch(OTHER)
        with pytest.raises(ImdbUnavailable, match="did not answer in time"):
            client.fetch(QUERY, timeout_s=0.5)  # gives the other visitor time to join
        answered.set()
        assert first.result().films == same.result().films
        assert len(first.result().films) == 20
    assert len(httpserver.log) == 1
    client.fetch(OTHER, timeout_s=20)  # that was no failure of IMDb


# --- hostile servers ---


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def trickle(start: bytes, drop: bytes) -> Iterator[bytes]:
    yield start
    while True:
        time.sleep(0.05)
        yield drop


def stall() -> Iterator[bytes]:
    threading.Event().wait(20)
    yield b""


GZIP = "Content-Encoding: gzip"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n<p>"
NOISE = gzip.compress(bytes(range(256)) * 1000)
FAULTS: dict[str, tuple[Pieces, str]] = {
    "no answer": (stall, "did not answer in time"),
    "slow headers": (lambda: trickle(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"), "did not answer in time"),
    "slow body": (lambda: trickle(ENDLESS, b" "), "did not answer in time"),
    "connection reset": (lambda: iter([]), "could not be reached"),
    "cut gzip": (lambda: iter([response("200 OK", NOISE, GZIP)[: -len(NOISE) // 2]]), "could not be reached"),
    "broken gzip": (lambda: iter([response("200 OK", b"not gzip", GZIP)]), "could not be reached"),
    "cut body": (lambda: iter([response("200 OK", b"x" * 999)[:-9]]), "could not be reached"),
    "redirect loop": (lambda: iter([response("301 Moved", b"", f"Location: {PATH}")]), "could not be reached"),
    "endless redirect": (lambda: trickle(b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", b" "), "could not be reached"),
    "server error": (lambda: iter([response("503 Service Unavailable", b"sorry")]), "failed"),
    "not HTTP": (lambda: iter([b"\x00\x01\x02 no http at all\r\n\r\n"]), "could not be reached"),
    "huge": (lambda: iter([response("200 OK", b" " * 7 * 2**20)]), "larger than 5 MB"),
    "gzip bomb": (lambda: iter([response("200 OK", gzip.compress(b" " * 50 * 2**20), GZIP)]), "larger than 5 MB"),
    "gone": (lambda: iter([response("404 Not Found", b"sorry")]), "no longer has this kind of page"),
    "other layout": (lambda: iter([response("200 OK", b"<p>other</p>" * 1000)]), "unknown layout"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_sentence_and_then_imdb_is_left_alone(
    settings: ScraperSettings, raw_server: RawServer, fault: str
) -> None:
    pieces, words = FAULTS[fault]
    client = ImdbClient(replace(settings, base_url=raw_server(pieces), timeout_s=1))
    with pytest.raises(ImdbError, match=words):
        client.fetch(QUERY)
    with pytest.raises(ImdbUnavailable, match="will not be asked again before"):
        client.fetch(QUERY)
    assert client.cached(QUERY) is None


# --- the pause ---


def pause_at(path: Path, passed: timedelta) -> Pause:
    """The pause as another process sees it at another time."""
    return Pause(path, lambda: NOON + passed)


def test_the_pause_grows_with_every_refusal_and_says_until_when_and_a_success_resets_it(tmp_path: Path) -> None:
    path, passed = tmp_path / "home/pause.json", timedelta()
    ends = ("12:30 UTC", "14:30 UTC", "2 January, 02:30 UTC", "3 January, 02:30 UTC", "4 January, 02:30 UTC")
    for length, end in zip((*REFUSAL_PAUSES, REFUSAL_PAUSES[-1]), ends, strict=True):
        pause_at(path, passed).record(ImdbBlocked("x"))
        with pytest.raises(ImdbBlocked, match="refused"):
            pause_at(path, passed + length - timedelta(seconds=1)).check()
        with pytest.raises(ImdbBlocked, match=f"not be asked again before {end}"):
            pause_at(path, passed).check()
        passed += length
        pause_at(path, passed).check()
    pause_at(path, passed).record(None)
    pause_at(path, passed).record(ImdbBlocked("x"))
    pause_at(path, passed + REFUSAL_PAUSES[0]).check()


@pytest.mark.parametrize("error", [ImdbUnavailable("x"), ImdbLayoutChanged("x"), KeyError("a bug")])
def test_after_a_failure_the_pause_is_short_unless_one_after_a_refusal_goes_on(
    tmp_path: Path, error: Exception
) -> None:
    pause_at(tmp_path / "p", timedelta()).record(error)
    with pytest.raises(ImdbUnavailable):
        pause_at(tmp_path / "p", FAILURE_PAUSE * 0.9).check()
    pause_at(tmp_path / "p", FAILURE_PAUSE).check()
    for failure in (ImdbBlocked("x"), error, None):
        pause_at(tmp_path / "p", timedelta()).record(failure)
    with pytest.raises(ImdbBlocked):
        pause_at(tmp_path / "p", REFUSAL_PAUSES[0] * 0.9).check()


@pytest.mark.parametrize("text", ["", "[]", '{"since": "0001-01-01T00:00+14:00", "until": "", "blocked": 0}'])
def test_an_unreadable_pause_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "p").write_text(text)
    pause_at(tmp_path / "p", timedelta()).check()
    pause_at(tmp_path / "p", timedelta()).record(ImdbBlocked("x"))
    with pytest.raises(ImdbBlocked):
        pause_at(tmp_path / "p", timedelta()).check()


def test_a_pause_that_cannot_be_saved_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    pause = pause_at(tmp_path / "file/p", timedelta())
    pause.record(ImdbBlocked("x"))
    with pytest.raises(ImdbBlocked):
        pause.check()


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(days=-2), timedelta(days=3650)])
def test_a_change_of_the_clock_ends_the_pause_and_a_new_refusal_counts(tmp_path: Path, step: timedelta) -> None:
    pause_at(tmp_path / "p", timedelta()).record(ImdbBlocked("x"))
    pause_at(tmp_path / "p", step).check()
    pause_at(tmp_path / "p", step).record(ImdbBlocked("x"))
    with pytest.raises(ImdbBlocked):
        pause_at(tmp_path / "p", step + timedelta(minutes=1)).check()


# --- the page cache ---


def age_pages(home: Path, age: timedelta) -> None:
    """Make every cached page older."""
    for path in (home / "imdb-pages").glob("*.json"):
        fields = json.loads(path.read_text())
        for name in ("created_at", "expires"):
            fields[name] = (datetime.fromisoformat(fields[name]) - age).isoformat()
        path.write_text(json.dumps(fields))


@pytest.mark.parametrize("target", [None, "deep/pages", "pages.sqlite"])
def test_a_page_survives_a_restart_and_can_be_read_by_many_at_once(
    settings: ScraperSettings, imdb: HTTPServer, tmp_path: Path, target: str | None
) -> None:
    settings = replace(settings, cache=target and str(tmp_path / target))
    live, again = ImdbClient(settings).fetch(QUERY), ImdbClient(settings)
    with ThreadPoolExecutor(20) as visitors:
        for cached in visitors.map(lambda _: again.cached(QUERY), range(200)):
            assert cached is not None
            assert (cached.films, cached.is_fresh) == (live.films, True)
    assert again.cached(OTHER) is None
    assert len(imdb.log) == 1


def test_a_page_grows_stale_and_then_it_is_gone(client: ImdbClient, settings: ScraperSettings, imdb: Any) -> None:
    client.fetch(QUERY)
    age_pages(settings.home, FRESH_FOR + timedelta(minutes=1))
    cached = client.cached(QUERY)
    assert cached is not None
    assert not cached.is_fresh
    earlier = ImdbClient(settings, now=lambda: datetime.now(UTC) - timedelta(days=2)).cached(QUERY)
    assert earlier is not None
    assert not earlier.is_fresh  # a page from the future
    age_pages(settings.home, STALE_FOR)
    assert client.cached(QUERY) is None


def test_nothing_about_the_visitor_is_stored(
    client: ImdbClient, settings: ScraperSettings, httpserver: HTTPServer, comedies: str
) -> None:
    answer_with(httpserver, comedies, headers={"Set-Cookie": "session-id=7", "X-Your-Address": "203.0.113.7"})
    client.fetch(QUERY)
    stored = "".join(path.read_text() for path in settings.home.rglob("*") if path.is_file())
    assert "Sample b1x" in stored
    assert "203.0.113.7" not in stored
    assert "session-id" not in stored


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"status_code": "x", "url": 3}', b"\xff\xfe", b"\x00" * 5000])
def test_a_damaged_page_is_no_page(client: ImdbClient, settings: ScraperSettings, damage: bytes, imdb: Any) -> None:
    client.fetch(QUERY)
    for path in (settings.home / "imdb-pages").glob("*.json"):
        path.write_bytes(damage)
    assert client.cached(QUERY) is None


@pytest.mark.parametrize("name", ["file", "file/folder", "garbage.sqlite", "file/pages.sqlite"])
def test_a_cache_that_cannot_be_used_is_replaced_by_memory(
    settings: ScraperSettings, tmp_path: Path, caplog: Any, name: str, imdb: HTTPServer
) -> None:
    for file in ("file", "garbage.sqlite"):
        (tmp_path / file).write_text("neither a folder nor a database")
    client = ImdbClient(replace(settings, cache=str(tmp_path / name)))
    assert "pages are kept in memory" in caplog.text
    client.fetch(QUERY)
    assert client.cached(QUERY) is not None


@pytest.mark.parametrize("address", ["redis://:secret@host:port/0", "http://:secret@host/"])
def test_a_bad_cache_address_is_refused_without_repeating_its_password(settings: ScraperSettings, address: str) -> None:
    with pytest.raises(QueryError, match="IMDB_CACHE") as refusal:
        ImdbClient(replace(settings, cache=address))
    assert "secret" not in str(refusal.value)


def test_a_folder_that_turns_unwritable_costs_only_the_cached_pages(
    client: ImdbClient, settings: ScraperSettings, imdb: HTTPServer
) -> None:
    folder = settings.home / "imdb-pages"
    folder.rename(folder.with_name("gone"))
    folder.write_text("no folder any more, which stops even the administrator from writing into it")
    for _ in range(2):
        assert len(client.fetch(QUERY).films) == 20
        assert client.cached(QUERY) is None


@pytest.mark.parametrize("target", [None, "pages.sqlite", "file"])
def test_the_cache_does_not_grow_without_end(
    settings: ScraperSettings, tmp_path: Path, target: str | None, imdb: HTTPServer
) -> None:
    (tmp_path / "file").write_text("makes the client use memory")
    client = ImdbClient(replace(settings, max_pages=2, cache=target and str(tmp_path / target)))
    queries = [FilmQuery(genres=("Comedy",), min_votes=votes) for votes in range(3)]
    for query in queries:
        client.fetch(query)
    cached = [query for query in queries if client.cached(query)]
    assert len(cached) == 2
    assert queries[-1] in cached


# --- Redis ---


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server of the test's own: its address and its process."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server is missing; install the Debian package redis-server")
        pytest.skip("redis-server is not installed (Debian package redis-server)")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(tmp_path)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as process:
        for _ in range(200):
            try:
                Redis(port=port).ping()
                break
            except RedisError:
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0", process
        process.send_signal(signal.SIGCONT)
        process.kill()


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # by requests-cache
def test_redis_shares_pages_between_replicas_and_ignores_what_others_wrote_there(
    settings: ScraperSettings, redis_server: tuple[str, object], tmp_path: Path, imdb: HTTPServer
) -> None:
    one, other = (ImdbClient(replace(settings, home=tmp_path / name, cache=redis_server[0])) for name in "ab")
    live, cached = one.fetch(QUERY), other.cached(QUERY)
    assert cached is not None
    assert cached.films == live.films
    connection = Redis.from_url(redis_server[0])
    (key,) = connection.keys()
    assert timedelta(days=29) < timedelta(seconds=connection.ttl(key)) < timedelta(days=31)
    for junk in (b"junk", b"[]", b'{"status_code": "x", "url": 3}', b"\x80\x04cos\nsystem"):
        connection.set(key, junk)
        assert other.cached(QUERY) is None


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_redis_that_fails_costs_only_the_cached_pages(
    settings: ScraperSettings, redis_server: tuple[str, subprocess.Popen[bytes]], end: signal.Signals, imdb: HTTPServer
) -> None:
    client = ImdbClient(replace(settings, cache=redis_server[0]))
    client.fetch(QUERY)
    redis_server[1].send_signal(end)
    assert client.cached(QUERY) is None
    assert len(client.fetch(QUERY).films) == 20


def test_a_user_without_a_home_gets_a_folder_in_the_temporary_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert ScraperSettings.from_environment({}).home == Path(tempfile.gettempdir(), ".cache/mood-picks")
