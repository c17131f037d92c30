"""Small pages, a small list of films, and stand-ins for IMDb on loopback."""

from __future__ import annotations

import contextlib
import csv
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from scraper.catalogue import CSV_COLUMNS, Catalogue
from scraper.imdb import ScraperSettings

GENRE_CYCLE = (
    *("Comedy|Family", "Action|Crime|Thriller", "Drama|Romance", "Animation|Adventure|Comedy", "Horror|Mystery"),
    *("Documentary|Music", "Biography|Drama|War", "Comedy|Horror"),
)
TONE_CYCLE = ("warm|funny", "rush|dark", "sad", "funny", "scary", "thoughtful|calm", "sad|harrowing", "funny|scary")

Item = dict[str, Any]
Pieces = Callable[[], Iterator[bytes]]


@pytest.fixture
def item() -> Callable[..., Item]:
    """One film as IMDb's search page embeds it."""

    def build(number: int, **changes: object) -> Item:
        facts: Item = {
            "titleId": f"tt{number:07d}",
            "titleText": f"Sample {'abcdefghijklmnopqrstuvwxyz'[number % 26]}{number}x",
            "titleType": {"id": "movie", "text": "", "canHaveEpisodes": False},
            "releaseYear": 2024,
            "ratingSummary": {"aggregateRating": 7, "voteCount": 14149},
            "runtime": 6600,
            "genres": ["Comedy", "Drama"],
            "primaryImage": {"url": "https://m.media-amazon.com/images/M/MV5Babc@._V1_.jpg"},
            "productionStatus": {"currentProductionStage": {"id": "released", "text": "Released"}},
        }
        return facts | changes

    return build


@pytest.fixture
def page() -> Callable[..., str]:
    """A search page around such films."""

    def build(items: object, total: object = None, cursor: object = None) -> str:
        total = len(items) if total is None and isinstance(items, list) else total
        results = {"titleListItems": items, "total": total, "endCursor": cursor}
        context = {"clientIp": "203.0.113.7"}
        data = {"props": {"pageProps": {"searchResults": {"titleResults": results}, "requestContext": context}}}
        text = json.dumps(data).replace("</", "<\\/")
        script = f'<script id="__NEXT_DATA__" type="application/json">{text}</script>'
        return f"<html><head>{script}</head><body></body></html>"

    return build


@pytest.fixture
def comedies(item: Callable[..., Item], page: Callable[..., str]) -> str:
    """A page of twenty comedies."""
    return page([item(number) for number in range(1, 21)], 345)


@pytest.fixture
def films_csv(tmp_path: Path) -> Path:
    """A list of 160 films in the format of the bundled one."""
    path = tmp_path / "films.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for n in range(160):
            row = [f"tt{9000000 + n}", f'Film "{chr(97 + n % 26)}{n}x", a tale', 1950 + n % 75]
            row += [GENRE_CYCLE[n % 8], None if n % 11 == 0 else 80 + n % 70, ("en", "fr", "ko")[n % 3]]
            writer.writerow([*row, 5 + n % 40 / 10, 1000 * (n + 1), ("woman", "man", "")[n % 3], "", TONE_CYCLE[n % 8]])
    return path


@pytest.fixture
def catalogue(tmp_path: Path, films_csv: Path) -> Catalogue:
    return Catalogue.load(tmp_path / "home", films_csv)


@pytest.fixture
def settings(httpserver: HTTPServer, tmp_path: Path) -> ScraperSettings:
    """Settings that lead to the stand-in, without the limit of one request a second."""
    return ScraperSettings(base_url=httpserver.url_for(""), home=tmp_path / "home", requests_per_second=1000)


@pytest.fixture
def raw_server() -> Iterator[Callable[[Pieces], str]]:
    """Starts servers that send whatever bytes a test likes, which a well-behaved one cannot; returns their address."""
    listeners: list[socket.socket] = []

    def serve(listener: socket.socket, pieces: Pieces) -> None:
        with contextlib.suppress(OSError):  # the test is over
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection, pieces), daemon=True).start()

    def answer(connection: socket.socket, pieces: Pieces) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            for piece in pieces():
                connection.sendall(piece)

    def start(pieces: Pieces) -> str:
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, pieces), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
