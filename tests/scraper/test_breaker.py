from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scraper.breaker import Breaker
from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbError, ImdbLayoutChanged, ImdbUnavailable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def breaker_at(notes: dict[str, str], minutes: float) -> Breaker:
    return Breaker(notes, lambda: NOON + timedelta(minutes=minutes))


def test_lets_everyone_pass_at_first() -> None:
    breaker_at({}, 0).check()


def test_after_a_refusal_nobody_passes_for_half_an_hour() -> None:
    notes: dict[str, str] = {}
    breaker_at(notes, 0).trip(ImdbBlocked("x"))
    with pytest.raises(ImdbBlocked, match="12:00 and is left alone until 12:30 UTC"):
        breaker_at(notes, 29).check()
    breaker_at(notes, 30).check()


@pytest.mark.parametrize("error", [ImdbUnavailable("x"), ImdbLayoutChanged("x")])
def test_after_a_failure_nobody_passes_for_a_minute(error: ImdbError) -> None:
    notes: dict[str, str] = {}
    breaker_at(notes, 0).trip(error)
    with pytest.raises(ImdbUnavailable):
        breaker_at(notes, 0.9).check()
    breaker_at(notes, 1).check()


def test_an_empty_result_is_no_failure() -> None:
    notes: dict[str, str] = {}
    breaker_at(notes, 0).trip(ImdbEmpty("x"))
    assert not notes


@pytest.mark.parametrize("note", ["", "{}", "[]", "null", '{"since": 1, "until": 2}'])
def test_an_unreadable_note_stops_nobody(note: str) -> None:
    breaker_at({"breaker": note}, 0).check()
