from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scraper.breaker import Breaker
from scraper.cache import FileNote, MemoryNote
from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbError, ImdbLayoutChanged, ImdbUnavailable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def breaker_at(note: MemoryNote, minutes: float) -> Breaker:
    return Breaker(note, lambda: NOON + timedelta(minutes=minutes))


def test_lets_everyone_pass_at_first() -> None:
    breaker_at(MemoryNote(), 0).check()


def test_after_a_refusal_nobody_passes_for_half_an_hour() -> None:
    note = MemoryNote()
    breaker_at(note, 0).trip(ImdbBlocked("x"))
    with pytest.raises(ImdbBlocked, match="12:00 and is left alone until 12:30 UTC"):
        breaker_at(note, 29).check()
    breaker_at(note, 30).check()


@pytest.mark.parametrize("error", [ImdbUnavailable("x"), ImdbLayoutChanged("x")])
def test_after_a_failure_nobody_passes_for_a_minute(error: ImdbError) -> None:
    note = MemoryNote()
    breaker_at(note, 0).trip(error)
    with pytest.raises(ImdbUnavailable):
        breaker_at(note, 0.9).check()
    breaker_at(note, 1).check()


def test_an_empty_result_is_no_failure() -> None:
    note = MemoryNote()
    breaker_at(note, 0).trip(ImdbEmpty("x"))
    assert not note.read()


@pytest.mark.parametrize("note", ["", "{}", "[]", "null", "\x00", '{"since": 1, "until": 2}'])
def test_an_unreadable_note_stops_nobody(note: str) -> None:
    breaker_at(MemoryNote(note), 0).check()


def test_a_note_that_cannot_be_written_is_remembered_all_the_same(tmp_path: Path) -> None:
    breaker = Breaker(FileNote(tmp_path / "no folder" / "note"), lambda: NOON)
    breaker.trip(ImdbBlocked("x"))
    with pytest.raises(ImdbBlocked):
        breaker.check()


@pytest.mark.parametrize("shared", [False, True])
def test_after_the_clock_was_put_back_a_new_refusal_counts(shared: bool) -> None:
    note, now = MemoryNote(), [NOON]
    breaker = Breaker(note, lambda: now[0])
    breaker.trip(ImdbBlocked("x"))
    now[0] -= timedelta(hours=1)
    breaker.check()
    (breaker_at(note, -60) if shared else breaker).trip(ImdbBlocked("x"))
    with pytest.raises(ImdbBlocked):
        (breaker_at(note, -45) if shared else breaker).check()
