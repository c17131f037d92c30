"""A circuit breaker: after IMDb refused or failed it is left alone for a while; its errors say until when."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from scraper.cache import Note
from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbError, ImdbUnavailable

AFTER_BLOCK = timedelta(minutes=30)
AFTER_FAILURE = timedelta(minutes=1)
SKEW = timedelta(minutes=5)  # between replicas; a pause that began later than that is of a clock that was put back


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pause:
    """From when until when, and why, IMDb is left alone."""

    since: datetime
    until: datetime
    blocked: bool

    def covers(self, moment: datetime) -> bool:
        """Return whether IMDb is left alone at that moment."""
        return self.since - SKEW <= moment < self.until

    def dump(self) -> str:
        """Return the pause as text for a note."""
        return json.dumps({"since": self.since.isoformat(), "until": self.until.isoformat(), "blocked": self.blocked})

    @classmethod
    def load(cls, text: str) -> Pause | None:
        """Read a note; None when there is none or nobody can read it."""
        try:
            note = json.loads(text)
            since, until = datetime.fromisoformat(note["since"]), datetime.fromisoformat(note["until"])
            return cls(since.astimezone(UTC), until.astimezone(UTC), bool(note["blocked"]))
        except (KeyError, ValueError, TypeError):
            return None


class Breaker:
    """Remembers on a note, which replicas may share, why and until when IMDb is left alone.

    Args:
        note: where to write it down; what cannot be written is remembered here alone.
        now: the clock.
    """

    def __init__(self, note: Note, now: Callable[[], datetime] = utc_now) -> None:
        self._note = note
        self._now = now
        self._own: Pause | None = None
        self._lock = Lock()

    def check(self) -> None:
        """Pass if IMDb may be asked.

        Raises:
            ImdbBlocked: while it is left alone after a refusal.
            ImdbUnavailable: while it is left alone after a failure.
        """
        for pause in (self._own, Pause.load(self._note.read())):
            if pause and pause.covers(self._now()):
                times = f"at {pause.since:%H:%M} and is left alone until {pause.until:%H:%M} UTC"
                if pause.blocked:
                    raise ImdbBlocked(f"IMDb refused to answer (blocked) {times}")
                raise ImdbUnavailable(f"IMDb did not answer {times}")

    def trip(self, error: ImdbError) -> None:
        """Leave IMDb alone for as long as the error asks for; an empty result asks for nothing."""
        if isinstance(error, ImdbEmpty):
            return
        now, blocked = self._now(), isinstance(error, ImdbBlocked)
        pause = Pause(now, now + (AFTER_BLOCK if blocked else AFTER_FAILURE), blocked)
        with self._lock:
            if self._own and self._own.covers(now) and (self._own.blocked or not blocked):
                return  # many visitors may report the same failure
            self._own = pause
        noted = Pause.load(self._note.read())
        if not (noted and noted.covers(now) and noted.until >= pause.until):  # another replica may have been refused
            self._note.write(pause.dump())
