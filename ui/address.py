"""What the page's address says, so that a link reproduces a list: the mood that was picked, the intent, the filters.

A voice never enters it, nor what was heard in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from scraper.moods import Intent, Mood
from ui import filters

NAMES = dict(
    zip(
        filters.DEFAULTS,
        ("genres", "not", "from", "to", "rating", "minutes", "language", "lead", "sort"),
        strict=True,
    )
)  # filter to its name in the address


class Asked(NamedTuple):
    """What an address asks for."""

    mood: str | None
    intent: str
    answers: list[Any]


def write(mood: str | None, intent: str, answers: Sequence[Any]) -> str:
    """Return the query string for what the page shows, without what is usual anyway.

    Examples:
        >>> write("sad", "lift", [[], ["War", "Horror"], "2015"])
        'mood=sad&intent=lift&not=War,Horror&from=2015'
    """
    asked = filters.DEFAULTS | dict(zip(filters.DEFAULTS, answers, strict=False))
    parts = {"mood": mood, "intent": intent if intent != Intent.MATCH else None}
    for name, answer in asked.items():
        if answer and answer != filters.DEFAULTS[name]:
            parts[NAMES[name]] = ",".join(answer) if isinstance(answer, list) else str(answer)
    return urlencode({name: value for name, value in parts.items() if value}, safe=",")


def read(parameters: Mapping[str, str]) -> Asked:
    """Read an address; what it asks for that the page does not offer is left out."""
    mood, intent = parameters.get("mood"), parameters.get("intent")
    offered = filters.offers()
    answers: list[Any] = []
    for name, default in filters.DEFAULTS.items():
        asked = parameters.get(NAMES[name], "")
        if isinstance(default, list):
            answers.append([item for item in asked.split(",") if item in offered[name]])
        else:
            answers.append(asked if asked in offered[name] else default)
    return Asked(
        mood if mood in tuple(Mood) else None, intent if intent in tuple(Intent) else Intent.MATCH.value, answers
    )
