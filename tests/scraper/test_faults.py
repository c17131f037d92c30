"""Whatever IMDb does, a list comes in time and says where it is from."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from scraper import (
    Catalogue,
    FilmQuery,
    ImdbClient,
    ImdbUnavailable,
    Intent,
    Recommendation,
    Recommender,
    ScraperSettings,
    SourceKind,
)
from scraper.settings import BUDGET_S

Pieces = Callable[[], Iterator[bytes]]
RawServer = Callable[[Pieces], str]

MOODS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def trickle(start: bytes, drop: bytes) -> Iterator[bytes]:
    yield start
    while True:
        time.sleep(0.05)
        yield drop


def stall() -> Iterator[bytes]:
    time.sleep(6)
    yield b""


PACKED = gzip.compress(bytes(range(256)) * 1000)
CUT = response("200 OK", PACKED, "Content-Encoding: gzip")[: -len(PACKED) // 2]
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n<p>"
FAULTS: dict[str, tuple[Pieces, str]] = {
    "slow headers": (lambda: trickle(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"), "did not answer in time"),
    "slow body": (lambda: trickle(ENDLESS, b" "), "did not answer in time"),
    "reset": (lambda: iter([]), "could not be reached"),
    "cut gzip": (lambda: iter([CUT]), "could not be reached"),
    "301 loop": (lambda: iter([response("301 Moved", b"", "Location: /search/title/")]), "could not be reached"),
    "202": (lambda: iter([response("202 Accepted", b"", "x-amzn-waf-action: challenge")]), "blocked"),
    "403": (lambda: iter([response("403 Forbidden", b"<title>403</title>")]), "blocked"),
    "405": (lambda: iter([response("405 Not Allowed", b"", "x-amzn-waf-action: captcha")]), "blocked"),
    "429": (lambda: iter([response("429 Too Many Requests", b"", "Retry-After: 1")]), "blocked"),
    "500": (lambda: iter([response("500 Internal Server Error", b"sorry")]), "failed"),
    "garbage": (lambda: iter([b"\x00\x01\x02 no http at all\r\n\r\n"]), "could not be reached"),
    "huge": (lambda: iter([response("200 OK", b" " * 7 * 2**20)]), "larger than 5 MB"),
}  # fmt: skip


@pytest.fixture(scope="module")
def bundled() -> Catalogue:
    return Catalogue.load(Path("no imported tables"))


def test_every_fault_gives_a_list_in_time_and_says_why(
    tmp_path: Path, bundled: Catalogue, raw_server: RawServer
) -> None:
    def visit(fault: str) -> tuple[str, Recommendation, Recommendation, float]:
        settings = ScraperSettings(base_url=raw_server(FAULTS[fault][0]), home=tmp_path / fault)
        recommender = Recommender(ImdbClient(settings), bundled)
        started = time.monotonic()
        found = recommender.recommend({"sad": 1.0}, Intent.LIFT, FilmQuery())
        took = time.monotonic() - started
        return fault, found, recommender.recommend({"calm": 1.0}, Intent.MATCH, FilmQuery()), took

    with ThreadPoolExecutor(len(FAULTS)) as visitors:
        visits = list(visitors.map(visit, FAULTS))
    for fault, found, again, took in visits:
        assert took < 3.5, fault
        assert found.source.kind is SourceKind.BUNDLED
        assert FAULTS[fault][1] in found.source.notice, fault
        assert "our own list as of March 2025" in found.source.notice
        assert len(found.picks) == 24
        assert "left alone until" in again.source.notice, fault


def test_a_request_that_outlives_its_visitors_is_not_joined_by_another(
    settings: ScraperSettings, raw_server: RawServer
) -> None:
    url = raw_server(FAULTS["slow headers"][0])
    client = ImdbClient(replace(settings, base_url=url, budget_s=0.2))
    with pytest.raises(ImdbUnavailable, match="in time"):
        client.live(FilmQuery())
    with pytest.raises(ImdbUnavailable, match="left alone"):
        client.live(FilmQuery())


@pytest.mark.parametrize(
    ("moods", "budget_s"), [(("sad",), 1.5), (MOODS, BUDGET_S)], ids=["same query", "different queries"]
)
def test_two_hundred_visitors_of_a_stalled_imdb_are_answered_after_one_request(
    settings: ScraperSettings, bundled: Catalogue, raw_server: RawServer, moods: tuple[str, ...], budget_s: float
) -> None:
    requests: list[float] = []

    def count() -> Iterator[bytes]:
        requests.append(time.monotonic())
        return stall()

    client = ImdbClient(replace(settings, base_url=raw_server(count), budget_s=budget_s))
    recommender = Recommender(client, bundled)

    def visit(number: int) -> tuple[Recommendation, float]:
        started = time.monotonic()
        found = recommender.recommend({moods[number % len(moods)]: 1.0}, Intent.LIFT, FilmQuery())
        return found, time.monotonic() - started

    with ThreadPoolExecutor(200) as visitors:
        visits = list(visitors.map(visit, range(200)))
    assert len(requests) == 1
    assert max(took for _, took in visits) < 3.5
    assert all(len(found.picks) == 24 for found, _ in visits)
    assert all("our own list" in found.source.notice for found, _ in visits)
    reasons = {found.source.notice.partition(", so")[0] for found, _ in visits}
    assert any("in time" in reason for reason in reasons)
    if len(moods) > 1:
        assert any("somebody else" in reason for reason in reasons)
