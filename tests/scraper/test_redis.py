"""Two replicas of the program, one Redis."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from redis import Redis, RedisError

from scraper import Catalogue, FilmQuery, ImdbBlocked, ImdbClient, Intent, Recommender, ScraperSettings, SourceKind

PATH = "/search/title/"
QUERY = FilmQuery(genres=("Comedy",))
SAD = {"sad": 1.0}

pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # by requests-cache


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
        wait_for(port)
        yield f"redis://127.0.0.1:{port}/0", process
        process.send_signal(signal.SIGCONT)
        process.kill()


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            Redis(port=port).ping()
        except RedisError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("redis-server does not answer")


@pytest.fixture
def replica(
    settings: ScraperSettings, redis_server: tuple[str, object], tmp_path: Path
) -> Callable[[str], ScraperSettings]:
    """The settings of a replica: each has its own home, all have the same Redis."""
    return lambda name: replace(settings, home=tmp_path / name, cache=redis_server[0])


def test_a_page_that_one_replica_fetched_is_there_for_the_other(
    replica: Callable[[str], ScraperSettings], httpserver: HTTPServer, comedies: str, redis_server: tuple[str, object]
) -> None:
    httpserver.expect_request(PATH).respond_with_data(comedies)
    live = ImdbClient(replica("a")).live(QUERY)
    assert ImdbClient(replica("b")).cached(QUERY) == live
    assert len(httpserver.log) == 1
    connection = Redis.from_url(redis_server[0])
    (key,) = connection.keys()
    assert 29 * 86400 < connection.ttl(key) < 31 * 86400


def test_a_refusal_that_one_replica_met_is_respected_by_the_other(
    replica: Callable[[str], ScraperSettings], httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data("", 403)
    other = ImdbClient(replica("b"))
    with pytest.raises(ImdbBlocked):
        ImdbClient(replica("a")).live(QUERY)
    with pytest.raises(ImdbBlocked, match="left alone until"):
        other.live(FilmQuery(genres=("Drama",)))
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_redis_that_fails_during_a_visit_costs_neither_the_list_nor_the_budget(
    replica: Callable[[str], ScraperSettings],
    httpserver: HTTPServer,
    comedies: str,
    catalogue: Catalogue,
    redis_server: tuple[str, subprocess.Popen[bytes]],
    end: signal.Signals,
) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data(comedies)
    httpserver.expect_ordered_request(PATH).respond_with_data("", 403)
    recommender = Recommender(ImdbClient(replica("a")), catalogue)
    assert recommender.recommend(SAD, Intent.LIFT, FilmQuery()).source.kind is SourceKind.IMDB
    redis_server[1].send_signal(end)
    started = time.monotonic()
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert time.monotonic() - started < 3.5
    assert (found.source.kind, "blocked" in found.source.notice) == (SourceKind.BUNDLED, True)
    again = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert "left alone until" in again.source.notice  # remembered here alone
    assert len(httpserver.log) == 2


def test_what_somebody_else_wrote_into_redis_is_no_page(
    replica: Callable[[str], ScraperSettings], httpserver: HTTPServer, comedies: str, redis_server: tuple[str, object]
) -> None:
    httpserver.expect_request(PATH).respond_with_data(comedies)
    client = ImdbClient(replica("a"))
    client.live(QUERY)
    connection = Redis.from_url(redis_server[0])
    (key,) = connection.keys()
    for junk in (b"junk", b"[]", b'{"status_code": "x", "url": 3}', b"\x80\x04cos\nsystem"):
        connection.set(key, junk)
        assert client.cached(QUERY) is None
