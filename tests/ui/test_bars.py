"""Certainty in words and numbers that never promise too much."""

from __future__ import annotations

import pytest

from ser_model.labels import EMOTIONS, Emotion
from ui.bars import bars, certainty, percent


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "Very sure"),
        (0.9, "Very sure"),
        (0.89, "Quite sure"),
        (0.5, "Leaning this way"),
        (0.3, "A careful guess"),
        (0.0, "A careful guess"),
    ],
)
def test_certainty_has_words(probability: float, words: str) -> None:
    assert certainty(probability) == words


@pytest.mark.parametrize(
    ("probability", "shown"), [(0.714, "71%"), (0.0004, "<1%"), (0.0, "0%"), (0.9999, ">99%"), (1.0, "100%")]
)
def test_percent_never_rounds_to_certainty(probability: float, shown: str) -> None:
    assert percent(probability) == shown


def test_bars_are_ordered_and_the_leading_ones_stand_out() -> None:
    probabilities = {emotion: (place + 1) / 36 for place, emotion in enumerate(EMOTIONS)}
    rows = bars(probabilities, leading=3)
    assert [row["name"] for row in rows] == [str(emotion) for emotion in reversed(EMOTIONS)]
    assert [row["leads"] for row in rows] == [True] * 3 + [False] * 5
    assert rows[0]["name"] == Emotion.SURPRISED
