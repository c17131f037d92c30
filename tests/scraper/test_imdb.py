from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraper import imdb, transport
from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbLayoutChanged, ImdbUnavailable
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
    stored = "".join(path.read_text() for path in settings.home.rglob("*") if path.is_file())
    assert "Sample b1x" in stored
    assert "203.0.113.7" not in stored
    assert "session-id" not in stored


def test_many_visitors_share_one_request(client: ImdbClient, httpserver: HTTPServer, comedies: str) -> None:
    def slowly(_: Request) -> Response:
        time.sleep(0.2)
        return Response(comedies)

    httpserver.expect_request(PATH).respond_with_handler(slowly)
    with ThreadPoolExecutor(40) as visitors:
        answers = list(visitors.map(lambda _: client.live(QUERY), range(40)))
    assert len({id(answer) for answer in answers}) == 1
    assert len(httpserver.log) == 1


def test_kept_pages_can_be_read_by_many_at_once(client: ImdbClient, httpserver: HTTPServer, comedies: str) -> None:
    answer_with(httpserver, comedies)
    client.live(QUERY)
    with ThreadPoolExecutor(20) as visitors:
        answers = list(visitors.map(lambda _: client.cached(QUERY), range(200)))
    assert None not in answers


def test_requests_keep_a_second_apart(
    settings: ScraperSettings, httpserver: HTTPServer, comedies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "PER_SECOND", 1)
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


def test_while_one_page_is_asked_for_another_is_not(client: ImdbClient, httpserver: HTTPServer, comedies: str) -> None:
    def slowly(_: Request) -> Response:
        time.sleep(0.3)
        return Response(comedies)

    httpserver.expect_request(PATH).respond_with_handler(slowly)
    flight = client.ask(QUERY)
    with pytest.raises(ImdbUnavailable, match="somebody else"):
        client.ask(FilmQuery(genres=("Drama",)))
    assert len(client.wait(flight).films) == 20
    assert len(httpserver.log) == 1
    client.live(FilmQuery(genres=("Drama",)))  # which was no failure of IMDb


def test_the_second_page_is_asked_for_with_the_cursor_of_the_first(
    client: ImdbClient, httpserver: HTTPServer, item: Callable[..., Any], page: Callable[..., str]
) -> None:
    first, second = page([item(n) for n in range(3)], 5, "eyJh=="), page([item(n) for n in range(2, 5)], 5, "eyJi==")
    httpserver.expect_oneshot_request(PATH, query_string=QUERY.to_url("").partition("?")[2]).respond_with_data(first)
    httpserver.expect_request(PATH).respond_with_data(second)
    answer = client.live(QUERY)
    assert answer.cursor == "eyJh=="
    both = answer + client.wait(client.ask(QUERY, after=answer.cursor))
    assert httpserver.log[-1][0].args["after"] == "eyJh=="
    assert [film.imdb_id for film in both.films] == [f"tt{n:07d}" for n in range(5)]
