"""Pages as no server should send them: cut, swapped, of wrong types, with script in their titles."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scraper.errors import ImdbBlocked, ImdbLayoutChanged
from scraper.film import GENRES
from scraper.page import Page, dump_page, load_page
from scraper.parse import parse_page

WRONG: tuple[Any, ...] = (
    None, True, -1, 10**400, 1e308, "", "x" * 5000, [], {}, [None], [[]], {"text": "x"}, "tt1", "\ud800", "\u202e",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><script>alert(1)</script>", "&lt;b&gt;",
    "javascript:alert(1)", "' OR 1=1 --", "1e999", "\x00", ["<b>Drama</b>", "Drama"], float("nan"),
)  # fmt: skip
PIECES = ("", "<", ">", '"', "\x00", "}", "]", "</script>", "<!--", "<li>", "&#60;script&#62;", "\ufffd")
CARD = """<li class="ipc-metadata-list-summary-item"><a class="ipc-title-link-wrapper" href="/title/tt{id:07d}/">
<h3 class="ipc-title__text">{id}. {title}</h3></a><span class="dli-title-metadata-item">2014</span>
<span class="dli-title-metadata-item">2h 49m</span><span class="ipc-rating-star--imdb" aria-label="IMDb rating: 8.7">
<span class="ipc-rating-star--voteCount">(2.6M)</span></span></li>"""

NOW = datetime(2026, 1, 1, tzinfo=UTC)

Build = Callable[..., Any]


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
        if not places:  # the whole was dropped
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
    cards = "".join(CARD.format(id=n, title=dice.choice(["Some Film", "<b>A</b>&lt;script&gt;"])) for n in (7, 8))
    text: str = page(items, 345, "eyJh==").replace("</body>", f"{cards}</body>")
    if dice.random() < 0.2:
        text = re.sub("<script.*</script>", "", text, flags=re.DOTALL)
    elif dice.random() < 0.6:
        text = mutate_json(dice, text)
    return mutate_text(dice, text) if dice.random() < 0.5 else text


def check(page: Page) -> None:
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
    assert load_page(dump_page(page, NOW)) == (page, NOW)


def parse_mutated(seed: int, item: Build, page: Build) -> None:
    try:
        result = parse_page(mutated(seed, item, page))
    except (ImdbBlocked, ImdbLayoutChanged):
        return
    check(result)


fixtures_are_pure = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(seed=st.integers(0, 2**64))
@hypothesis_settings(suppress_health_check=fixtures_are_pure, max_examples=300, deadline=None)
def test_mutated_pages_raise_nothing_but_the_named_errors_and_let_no_markup_through(
    item: Build, page: Build, seed: int
) -> None:
    parse_mutated(seed, item, page)


@pytest.mark.slow
@given(seed=st.integers(0, 2**64))
@hypothesis_settings(suppress_health_check=fixtures_are_pure, max_examples=5_000, deadline=None)
def test_five_thousand_mutated_pages(item: Build, page: Build, seed: int) -> None:
    parse_mutated(seed, item, page)


def test_the_mutations_reach_every_outcome(item: Build, page: Build) -> None:
    outcomes = set()
    for seed in range(300):
        try:
            outcomes.add(parse_page(mutated(seed, item, page)).layout)
        except (ImdbBlocked, ImdbLayoutChanged) as error:
            outcomes.add(type(error).__name__)
    assert outcomes == {"search-json", "cards", "ImdbBlocked", "ImdbLayoutChanged"}
