"""The address reproduces a list, and asks for nothing that the page does not offer."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from ui import address, filters

DEFAULTS = list(filters.DEFAULTS.values())


@pytest.mark.parametrize(
    ("mood", "intent", "answers"),
    [
        (None, "match", DEFAULTS),
        ("sad", "lift", DEFAULTS),
        ("happy", "match", [["Comedy", "Sci-Fi"], ["War"], "2000", "2015", "7", "120", "ja", "mine", "popular"]),
    ],
)
def test_what_was_written_is_read_again(mood: str | None, intent: str, answers: list[object]) -> None:
    assert address.read(dict(parse_qsl(address.write(mood, intent, answers)))) == (mood, intent, answers)


def test_the_usual_is_not_written() -> None:
    assert address.write(None, "match", DEFAULTS) == ""
    assert address.write("sad", "match", ()) == "mood=sad"


@pytest.mark.parametrize(
    "odd",
    [
        {"mood": "bored", "intent": "sink", "from": "2015; DROP", "to": "0", "rating": "1e9"},
        {"genres": "Soap,<script>", "language": "en,fr", "lead": "robot", "sort": "random", "minutes": "-1"},
        {"mood": "", "clip": "/tmp/voice.wav"},
    ],
)
def test_what_is_not_offered_is_left_out(odd: dict[str, str]) -> None:
    assert address.read(odd) == (None, "match", DEFAULTS)
