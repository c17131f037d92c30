"""Pages as IMDb sends them, and as no server should send them: cut, swapped, of wrong types, with script in titles."""

from __future__ import annotations

import json
import quopri
import random
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from scraper.errors import ImdbBlocked, ImdbLayoutChanged
from scraper.film import GENRES
from scraper.parse import CHALLENGE_MARKS, Page, parse_page, read_saved

Build = Callable[..., Any]

CARD = """
<li class="ipc-metadata-list-summary-item"><a class="ipc-lockup-overlay" href="/de/title/tt{id:07d}/?ref_=x"></a>
<a class="ipc-title-link-wrapper" href="/de/title/tt{id:07d}/?ref_=x">
<h4 class="ipc-title__text">{rank}. {title}</h4></a>
<img class="ipc-image" src="https://m.media-amazon.com/images/M/MV5Babc@._V1_QL75_UX140_CR0,1,140,207_.jpg">
<div class="dli-title-metadata"><ul>{details}</ul></div>{star}</li>
"""
STAR = """<span aria-label="{rating}" class="ipc-rating-star ipc-rating-star--imdb">
<span class="ipc-rating-star--voteCount">&nbsp;(<!-- -->{votes}<!-- -->)</span></span>"""


def card(number: int, title: str, *details: str, rating: str = "IMDb rating: 8.7", votes: str = "2.6M") -> str:
    items = "".join(f'<li class="ipc-inline-list__item">{detail}</li>' for detail in details)
    star = STAR.format(rating=rating, votes=votes) if rating else ""
    return CARD.format(id=number, rank=number, title=title, details=items, star=star)


def test_reads_every_fact_of_the_embedded_json_and_none_that_is_missing(item: Build, page: Build) -> None:
    result = parse_page(page([item(1, titleText="Holland")], 42401))
    film = result.films[0]
    assert (result.layout, result.total) == ("search-json", 42401)
    assert (film.imdb_id, film.title, film.year) == ("tt0000001", "Holland", 2024)
    assert (film.rating, film.votes, film.runtime_min) == (7.0, 14149, 110)
    assert film.genres == ("Comedy", "Drama")
    assert film.poster_url == "https://m.media-amazon.com/images/M/MV5Babc@._V1_QL75_UX280_.jpg"
    no_rating = {"aggregateRating": 0, "voteCount": 0}
    bare = parse_page(
        page([item(1, ratingSummary=no_rating, releaseYear=None, runtime=None, primaryImage=None)])
    ).films[0]
    assert (bare.rating, bare.votes, bare.year, bare.runtime_min, bare.poster_url) == (None,) * 5


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


@pytest.mark.parametrize(
    ("total", "cursor", "expected"),
    [(345, "eyJh+/==", "eyJh+/=="), (2, "eyJh", None), (345, 'a"&adult=include', None), (345, 7, None)],
)
def test_a_cursor_counts_only_where_more_follows(
    item: Build, page: Build, total: int, cursor: object, expected: str | None
) -> None:
    assert parse_page(page([item(1), item(2)], total, cursor)).cursor == expected


@pytest.mark.parametrize(
    "text",
    ["", "<html>403 Forbidden</html>", *(f"<script>{mark}</script>" + "<p>x</p>" * 2000 for mark in CHALLENGE_MARKS)],
)
def test_hardly_anything_or_a_challenge_of_any_length_means_blocked(text: str) -> None:
    with pytest.raises(ImdbBlocked):
        parse_page(text)


@pytest.mark.parametrize(
    "text",
    [
        "<html>" + "<p>something else</p>" * 1000,
        '<script id="__NEXT_DATA__">{"props": {"pageProps": {}}}</script>' + "<p>x</p>" * 1000,
        '<script id="__NEXT_DATA__">' + "[" * 100_000,
    ],
)
def test_other_pages_and_items_of_another_form_mean_that_the_layout_changed(page: Build, text: str) -> None:
    for other in (text, page([{"id": "tt0000001"}]), page([None]), page([1, "x"]), page([], 12)):
        with pytest.raises(ImdbLayoutChanged):
            parse_page(other)


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


CARD_VALUES: dict[str, dict[str, float | None]] = {
    "votes": {
        "26K": 26_000,
        "2.8M": 2_800_000,
        "646.623": 646_623,
        "1,234": 1234,
        "": None,
        ".K": None,
        "9" * 10: None,
    },
    "runtime_min": {"2h 49m": 169, "1h": 60, "48m": 48, "PG-13": None, "": None, "0m": None},
    "rating": {"IMDb rating: 9.3": 9.3, "IMDb-Bewertung: 8,7": 8.7, "10": 10.0, "": None, "none": None, "2014": None},
}


@pytest.mark.parametrize(("field", "text"), [(field, text) for field, values in CARD_VALUES.items() for text in values])
def test_reads_the_numbers_of_a_card_in_any_language(field: str, text: str) -> None:
    (film,) = parse_page(card(7, "A", text) if field == "runtime_min" else card(7, "A", **{field: text})).films
    assert getattr(film, field) == CARD_VALUES[field][text]


# --- real pages ---


def test_real_search_pages_of_now_and_of_an_old_layout(shared: Path) -> None:
    with pytest.raises(ImdbLayoutChanged):
        parse_page((shared / "imdb/pages/other_layout_2016-01.html").read_text("utf-8"))
    text = (shared / "imdb/pages/search_2025-06.html").read_text("utf-8")
    result = parse_page(text)
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


# --- mutated pages ---

WRONG: tuple[Any, ...] = (
    None, True, -1, 10**400, 1e308, "", "x" * 5000, [], {}, [None], [[]], {"text": "x"}, "tt1", "\ud800", "\u202e",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><script>alert(1)</script>", "&lt;b&gt;",
    "javascript:alert(1)", "' OR 1=1 --", "1e999", "\x00", ["<b>Drama</b>", "Drama"], float("nan"),
)  # fmt: skip
PIECES = ("", "<", ">", '"', "\x00", "}", "]", "</script>", "<!--", "<li>", "&#60;script&#62;", "\ufffd")


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of nested JSON."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *places_in(value[key])]]


def mutate_json(dice: random.Random, text: str) -> str:
    """Change some values of the embedded JSON to wrong ones, leave some out, or swap two."""
    head, script, tail = re.split(r"(?<=json\">)(.*?)(?=</script>)", text, maxsplit=1, flags=re.DOTALL)
    data = json.loads(script)
    for _ in range(dice.randint(1, 4)):
        places = places_in(data)
        if not places:  # everything was dropped
            break
        holder, key = dice.choice(places)
        action = dice.choice(["wrong", "wrong", "drop", "swap"])
        if action == "wrong":
            holder[key] = deepcopy(dice.choice(WRONG))
        elif action == "drop":
            del holder[key]
        else:
            other, its = dice.choice(places)
            holder[key], other[its] = deepcopy(other[its]), deepcopy(holder[key])
    return head + json.dumps(data).replace("</", dice.choice(["<\\/", "</"])) + tail


def mutate_text(dice: random.Random, text: str) -> str:
    """Cut, reverse or swap pieces of the page."""
    for _ in range(dice.randint(1, 4)):
        i, j, k = sorted(dice.randrange(len(text) + 1) for _ in range(3))
        middle = dice.choice([dice.choice(PIECES), text[i:j][::-1], text[j:k] + text[i:j], text[i:j] * 2])
        text = text[:i] + middle + text[dice.choice([j, k]) :]
    return text


def mutated(seed: int, item: Build, page: Build) -> str:
    dice = random.Random(seed)
    items = [item(n, titleText=dice.choice(["Some Film", *filter(None, map(str, WRONG))])) for n in range(1, 6)]
    cards = "".join(card(n, dice.choice(["Some Film", "<b>A</b>&lt;script&gt;"]), "2014", "2h 49m") for n in (7, 8))
    text: str = page(items, 345, "eyJh==").replace("</body>", f"{cards}</body>")
    if dice.random() < 0.2:
        text = re.sub("<script.*</script>", "", text, flags=re.DOTALL)
    elif dice.random() < 0.6:
        text = mutate_json(dice, text)
    return mutate_text(dice, text) if dice.random() < 0.5 else text


def check_fields(page: Page) -> None:
    """Nothing of a film can be anything but what its field is for."""
    for film in page.films:
        assert re.fullmatch(r"tt\d{7,9}", film.imdb_id, re.ASCII)
        assert film.title == film.title.strip() != ""
        assert not set("<>") & set(film.title)
        film.title.encode()
        assert set(film.genres) <= set(GENRES)
        assert film.year is None or 1874 <= film.year <= 2100
        assert film.rating is None or 1 <= film.rating <= 10
        assert film.votes is None or 0 < film.votes <= 10**9
        assert film.runtime_min is None or 0 < film.runtime_min <= 6000
        assert film.poster_url is None or re.fullmatch(r"https://m\.media-amazon\.com/[\w/@.,-]+", film.poster_url)
    assert page.cursor is None or re.fullmatch(r"[\w+/=-]+", page.cursor, re.ASCII)
    assert Page.from_json(page.to_json()) == page


@pytest.mark.parametrize("seeds", [range(600), pytest.param(range(600, 5_600), marks=pytest.mark.slow)])
def test_mutated_pages_raise_nothing_but_the_named_errors_and_let_no_markup_through(
    item: Build, page: Build, seeds: range
) -> None:
    outcomes = set()
    for seed in seeds:
        try:
            result = parse_page(mutated(seed, item, page))
        except (ImdbBlocked, ImdbLayoutChanged) as error:
            outcomes.add(type(error).__name__)
        else:
            check_fields(result)
            outcomes.add(result.layout)
    assert outcomes == {"search-json", "cards", "ImdbBlocked", "ImdbLayoutChanged"}


@pytest.mark.parametrize("text", ['{"message": "Forbidden"}', json.dumps({"message": "x" * 9999}), " [1]", '"no"'])
def test_json_in_place_of_a_page_is_a_refusal(text: str) -> None:
    with pytest.raises(ImdbBlocked, match="JSON"):
        parse_page(text)


def node(number: int) -> dict[str, Any]:
    return {
        "id": f"tt{number:07d}", "titleText": {"text": f"Title {number}"}, "titleType": {"id": "movie"},
        "releaseYear": {"year": 1994}, "ratingsSummary": {"aggregateRating": 9.3, "voteCount": 100},
        "runtime": {"seconds": 8520}, "certificate": {"rating": "R"},
        "titleGenres": {"genres": [{"genre": {"text": "Drama"}}]},
    }  # fmt: skip


def test_charts_and_lists_have_all_their_films_in_other_json() -> None:
    chart = {"pageData": {"chartTitles": {"edges": [{"node": node(n)} for n in range(250)]}}}
    one_of_many = {"edges": [{"listItem": node(1)}], "total": 300}
    listed = {"mainColumnData": {"list": {"titleListItemSearch": one_of_many}}}
    for props, layout, total, count in ((chart, "chart-json", 250, 250), (listed, "list-json", 300, 1)):
        data = json.dumps({"props": {"pageProps": props}})
        cards = "".join(card(n, f"Title {n}") for n in range(1, 26))
        result = parse_page(f'<script id="__NEXT_DATA__">{data}</script>{cards}')
        assert (result.layout, result.total, len(result.films)) == (layout, total, count)
        film = result.films[0]
        assert (film.year, film.genres, film.rating, film.runtime_min) == (1994, ("Drama",), 9.3, 142)
        assert film.certificate == "R"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2h 14m", 134), ("48m", 48), ("2 Std. 14 Min.", 134), ("1 Std.", 60), ("2h 14min", 134), ("2 h 14 min", 134),
        ("2\u00a0h 14\u00a0min", 134), ("PG-13", None), ("2014", None),
    ],
)  # fmt: skip
def test_running_times_of_five_languages(text: str, minutes: int | None) -> None:
    assert parse_page(card(1, "Film", "2014", text)).films[0].runtime_min == minutes


def test_a_title_may_begin_with_a_number() -> None:
    ranked = parse_page(card(51, "7. Ko\u011fu\u015ftaki Mucize") + card(52, "2073")).films
    assert [film.title for film in ranked] == ["7. Ko\u011fu\u015ftaki Mucize", "2073"]
    plain = CARD.replace("{rank}. ", "")
    pages = plain.format(id=1, title="7. Ko\u011fu\u015f", details="", star="") + plain.format(
        id=2, title="Up", details="", star=""
    )
    assert [film.title for film in parse_page(pages).films] == ["7. Ko\u011fu\u015f", "Up"]


def test_a_page_saved_in_one_piece_is_unpacked(comedies: str) -> None:
    head = 'From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n'
    part = b"--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    saved = head.encode() + part + quopri.encodestring(comedies.encode()) + b"\r\n--x--\r\n"
    assert parse_page(read_saved(saved)) == parse_page(comedies) == parse_page(read_saved(comedies.encode()))
    with pytest.raises(ImdbLayoutChanged, match="no HTML"):
        read_saved(head.encode() + b"--x\r\nContent-Type: text/css\r\n\r\n--x--\r\n")
