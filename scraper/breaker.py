"""A circuit breaker: after IMDb refused or failed it is left alone for a while; its errors say until when."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from scraper.cache import Note
from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbError, ImdbUnavailable

AFTER_BLOCK = timedelta(minutes=30)
AFTER_FAILURE = timedelta(minutes=1)


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class Breaker:
    """Remembers on a note, which replicas may share, why and until when IMDb is left alone.

    Args:
        note: where to write it down; what cannot be written is remembered here alone.
        now: the clock.
    """

    def __init__(self, note: Note, now: Callable[[], datetime] = utc_now) -> None:
        self._note = note
        self._now = now
        self._own = ""

    def check(self) -> None:
        """Pass if IMDb may be asked.

        Raises:
            ImdbBlocked: while it is left alone after a refusal.
            ImdbUnavailable: while it is left alone after a failure.
        """
        try:
            note = json.loads(self._note.read() or self._own)
            since, until = datetime.fromisoformat(note["since"]), datetime.fromisoformat(note["until"])
        except (KeyError, ValueError, TypeError):  # no note, or one that nobody can read
            return
        if self._now() >= until:
            return
        times = f"at {since:%H:%M} and is left alone until {until:%H:%M} UTC"
        if note["blocked"]:
            raise ImdbBlocked(f"IMDb refused to answer (blocked) {times}")
        raise ImdbUnavailable(f"IMDb did not answer {times}")

    def trip(self, error: ImdbError) -> None:
        """Leave IMDb alone for as long as the error asks for; an empty result asks for nothing."""
        if isinstance(error, ImdbEmpty):
            return
        now, blocked = self._now(), isinstance(error, ImdbBlocked)
        until = now + (AFTER_BLOCK if blocked else AFTER_FAILURE)
        note = {"since": now.isoformat(), "until": until.isoformat(), "blocked": blocked}
        self._own = json.dumps(note)
        self._note.write(self._own)
