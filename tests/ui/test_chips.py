"""The filters in use as chips, and what an empty list offers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scraper.errors import QueryError
from scraper.query import FilmQuery
from ui import chips, service
from ui.films import DEFAULTS, FilmListState
from ui.page import Visit


def answers(**given: Any) -> list[Any]:
    return list((DEFAULTS | given).values())


def test_every_filter_in_use_is_named_in_a_few_words_but_the_day() -> None:
    given = answers(
        genres=["Crime"], not_genres=["War"], from_year="2015", max_minutes="90", kids=True, day="2026-11-28"
    )
    named = {chip["name"]: chip["text"] for chip in chips.name_filters(given)}
    assert named == {
        "genres": "Crime",
        "not_genres": "No War",
        "from_year": "From 2015",
        "max_minutes": "up to 90 minutes",
        "kids": "Good with kids",
    }
    assert not list(chips.name_filters(answers()))


def test_a_chip_drops_its_own_value_only() -> None:
    given = answers(genres=["Crime", "War"], kids=True)
    dropped = chips.drop(SimpleNamespace(name="genres", value="War"), *given)
    assert dropped == answers(genres=["Crime"], kids=True)
    assert chips.drop(SimpleNamespace(name="kids", value="True"), *given) == answers(genres=["Crime", "War"])
    assert chips.drop(SimpleNamespace(name="all", value=None), *given) == answers()
    assert chips.drop(SimpleNamespace(name="no filter", value=""), *given) == given


def test_an_empty_list_says_which_filter_to_drop_the_best_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(_moods: object, _intent: str, query: FilmQuery) -> int:
        if not query.genres:
            raise QueryError("what is left contradicts itself")
        return 0 if query.from_year else 3 if query.max_minutes else 100

    monkeypatch.setattr(service, "count_films", count)
    given = answers(genres=["Family"], from_year="2024", max_minutes="90")
    shown = chips.describe(Visit(mood="sad"), FilmListState(), "match", *given)
    assert [one["text"] for one in shown["empty"]] == ["Without “From 2024”: 3"]
    assert shown["count"] == ""
    shown = chips.describe(Visit(mood="sad"), FilmListState(), "match", *answers(genres=["Family"], from_year="2024"))
    assert [one["text"] for one in shown["empty"]] == ["Without “From 2024”: 100+"]


def test_before_a_mood_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "count_films", lambda *_: pytest.fail("nothing to count"))
    assert not chips.describe(Visit(), FilmListState(), "match", *answers(genres=["War"]))["empty"]
