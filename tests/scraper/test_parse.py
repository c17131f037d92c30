from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scraper.errors import ImdbBlocked, ImdbLayoutChanged
from scraper.facts import minutes, rating, rounded_votes
from scraper.page import dump_page, load_page
from scraper.parse import CHALLENGE_MARKS, parse_page

Build = Callable[..., Any]

CARD = """
<li class="ipc-metadata-list-summary-item"><a class="ipc-lockup-overlay" href="/de/title/tt{id:07d}/?ref_=x"></a>
<a class="ipc-title-link-wrapper" href="/de/title/tt{id:07d}/?ref_=x">
<h4 class="ipc-title__text">{rank}. {title}</h4></a>
<img class="ipc-image" src="https://m.media-amazon.com/images/M/MV5Babc@._V1_QL75_UX140_CR0,1,140,207_.jpg">
<div class="dli-title-metadata"><ul>{details}</ul></div>{star}</li>
"""
STAR = """<span aria-label="IMDb rating: 8.7" class="ipc-rating-star ipc-rating-star--imdb">
<span class="ipc-rating-star--voteCount">&nbsp;(<!-- -->2.6M<!-- -->)</span></span>"""


def card(number: int, title: str, *details: str, star: str = STAR) -> str:
    items = "".join(f'<li class="ipc-inline-list__item">{detail}</li>' for detail in details)
    return CARD.format(id=number, rank=number, title=title, details=items, star=star)


def test_reads_every_fact_of_the_embedded_json(item: Build, page: Build) -> None:
    result = parse_page(page([item(1, titleText="Holland")], 42401))
    film = result.films[0]
    assert (result.layout, result.total) == ("search-json", 42401)
    assert (film.imdb_id, film.title, film.year) == ("tt0000001", "Holland", 2024)
    assert (film.rating, film.votes, film.runtime_min) == (7.0, 14149, 110)
    assert film.genres == ("Comedy", "Drama")
    assert film.poster_url == "https://m.media-amazon.com/images/M/MV5Babc@._V1_QL75_UX280_.jpg"


def test_unrated_and_undated_films_have_no_rating_and_no_year(item: Build, page: Build) -> None:
    bare = item(1, ratingSummary={"aggregateRating": 0, "voteCount": 0}, releaseYear=None, primaryImage=None)
    del bare["runtime"]
    film = parse_page(page([bare])).films[0]
    assert (film.rating, film.votes, film.year, film.runtime_min, film.poster_url) == (None,) * 5


def test_only_released_feature_films_are_taken(item: Build, page: Build) -> None:
    items = [
        item(1),
        item(2, titleType={"id": "tvSeries"}),
        item(3, productionStatus={"currentProductionStage": {"id": "post_production"}}),
        item(4, genres=["Adult"]),
        item(1, titleText="the same again"),
    ]
    assert [film.imdb_id for film in parse_page(page(items)).films] == ["tt0000001"]


def test_reads_the_find_page(item: Build) -> None:
    results = {"results": [{"index": "tt0000001", "listItem": item(1, originalRuntime=6600)}]}
    text = json.dumps({"props": {"pageProps": {"titleResults": results}}})
    result = parse_page(f'<script id="__NEXT_DATA__" type="application/json">{text}</script>')
    assert (result.layout, result.total, len(result.films)) == ("find-json", None, 1)


def test_reads_cards_when_there_is_no_json() -> None:
    cards = card(7, "Some <b>Film</b>", "2014", "2h 49m", "PG-13") + card(8, "A Programme", "2014", "23m", "TV Movie")
    result = parse_page(f"<html><body><div>1-25 of 1,234</div>{cards}</body></html>")
    film = result.films[0]
    assert (result.layout, result.total, len(result.films)) == ("cards", 1234, 1)
    assert (film.imdb_id, film.title, film.year, film.runtime_min) == ("tt0000007", "Some Film", 2014, 169)
    assert (film.rating, film.votes) == (8.7, 2_600_000)


def test_an_unrated_card_has_no_rating() -> None:
    film = parse_page(card(7, "Quiet", "2014", star="")).films[0]
    assert (film.rating, film.votes, film.runtime_min) == (None, None, None)


@pytest.mark.parametrize(
    ("total", "cursor", "expected"),
    [
        (345, "eyJh+/==", "eyJh+/=="),
        (2, "eyJh", None),
        (345, None, None),
        (345, 'a"&adult=include', None),
        (345, 7, None),
    ],
)
def test_a_cursor_counts_only_where_more_follows(
    item: Build, page: Build, total: int, cursor: object, expected: str | None
) -> None:
    assert parse_page(page([item(1), item(2)], total, cursor)).cursor == expected


def test_an_empty_result_is_a_page_without_films(page: Build) -> None:
    result = parse_page(page([], 0))
    assert (result.total, result.films) == (0, ())


@pytest.mark.parametrize("text", ["", "  \n", "<html><body>403 Forbidden</body></html>"])
def test_hardly_anything_means_blocked(text: str) -> None:
    with pytest.raises(ImdbBlocked):
        parse_page(text)


@pytest.mark.parametrize("mark", CHALLENGE_MARKS)
def test_a_challenge_of_any_length_means_blocked(mark: str) -> None:
    with pytest.raises(ImdbBlocked):
        parse_page(f"<html><script>{mark}</script>{'<p>words</p>' * 1000}</html>")


@pytest.mark.parametrize(
    "text",
    [
        "<html>" + "<p>something else</p>" * 1000,
        '<table class="results"><tr class="detailed"></tr></table>',
        '<div class="lister-item mode-advanced"></div>',
        '<script id="__NEXT_DATA__">{"props": {"pageProps": {}}}</script>' + "<p>x</p>" * 1000,
        '<script id="__NEXT_DATA__">' + "[" * 100_000,
    ],
)
def test_other_pages_mean_that_the_layout_changed(text: str) -> None:
    with pytest.raises(ImdbLayoutChanged):
        parse_page(text)


def test_items_of_another_form_mean_that_the_layout_changed(page: Build) -> None:
    for items in ([{"id": "tt0000001"}], [None], [1, "x"]):
        with pytest.raises(ImdbLayoutChanged):
            parse_page(page(items))
    with pytest.raises(ImdbLayoutChanged):
        parse_page(page([], 12))


def test_text_stays_text(item: Build, page: Build) -> None:
    title = "<script>alert(1)</script>\u202e \ud800 &amp;\x00\n  b"
    film = parse_page(page([item(1, titleText=title, genres=["<img>", "Drama", "Drama", 3])])).films[0]
    assert film.title == "\u2039script\u203aalert(1)\u2039/script\u203a &amp; b"
    assert film.genres == ("Drama",)
    film.title.encode()


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://evil.example/a._V1_.jpg", 'https://m.media-amazon.com/images/M/a"b._V1_.jpg', 7],
)
def test_posters_come_from_the_known_host_only(item: Build, page: Build, url: object) -> None:
    assert parse_page(page([item(1, primaryImage={"url": url})])).films[0].poster_url is None


def test_nothing_but_films_is_kept(comedies: str) -> None:
    parsed = parse_page(comedies)
    now = datetime.now(UTC)
    stored = dump_page(parsed, now)
    assert b"203.0.113.7" not in stored
    assert load_page(stored) == (parsed, now)


@pytest.mark.parametrize(
    ("text", "votes"),
    [
        ("(26K)", 26_000),
        ("(2.8M)", 2_800_000),
        ("(646.623)", 646_623),
        ("(1,234)", 1234),
        ("(7)", 7),
        ("()", None),
        ("(.K)", None),
    ],
)
def test_reads_rounded_votes(text: str, votes: int | None) -> None:
    assert rounded_votes(text) == votes


def test_reads_lengths_and_ratings_of_several_locales() -> None:
    assert [minutes(t) for t in ("2h 49m", "1h", "48m", "PG-13", "")] == [169, 60, 48, None, None]
    assert [rating(t) for t in ("IMDb rating: 9.3", "IMDb-Bewertung: 8,7", "10", "none", "2014")] == [
        9.3,
        8.7,
        10.0,
        None,
        None,
    ]


def test_real_search_page(shared: Path) -> None:
    text = (shared / "imdb/pages/search_2025-06.html").read_text("utf-8")
    parse_page(text)
    started = time.perf_counter()
    result = parse_page(text)
    assert time.perf_counter() - started < 0.2  # 30 ms alone on a core
    assert (result.total, len(result.films)) == (42401, 50)
    script = re.search(r'<script id="__NEXT_DATA__"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert script
    items = json.loads(script[1])["props"]["pageProps"]["searchResults"]["titleResults"]["titleListItems"]
    for film, source in zip(result.films, items, strict=True):
        assert (film.imdb_id, film.title, film.year) == (source["titleId"], source["titleText"], source["releaseYear"])
        assert film.genres == tuple(source["genres"])
        assert film.rating == source["ratingSummary"]["aggregateRating"]
        assert film.votes == source["ratingSummary"]["voteCount"]
        assert film.runtime_min == (source["runtime"] // 60 if "runtime" in source else None)


@pytest.mark.parametrize(("name", "cards"), [("search_2025-06", 25), ("find_2026-07", 2)])
def test_cards_of_real_pages_agree_with_their_json(shared: Path, name: str, cards: int) -> None:
    text = (shared / f"imdb/pages/{name}.html").read_text("utf-8")
    films = {film.imdb_id: film for film in parse_page(text).films}
    without_json = parse_page(re.sub(r'<script id="__NEXT_DATA__".*?</script>', "", text, flags=re.DOTALL))
    assert (without_json.layout, len(without_json.films)) == ("cards", cards)
    for film in without_json.films:
        twin = films[film.imdb_id]
        assert (film.title, film.year, film.rating) == (twin.title, twin.year, twin.rating)
        assert (film.runtime_min, film.poster_url) == (twin.runtime_min, twin.poster_url)
        assert film.votes == pytest.approx(twin.votes, rel=0.06)


def test_real_page_of_an_old_layout(shared: Path) -> None:
    with pytest.raises(ImdbLayoutChanged):
        parse_page((shared / "imdb/pages/other_layout_2016-01.html").read_text("utf-8"))
