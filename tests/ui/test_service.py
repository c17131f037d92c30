"""What page and endpoints ask for: gains are said where they were measured, and nowhere else."""

from __future__ import annotations

import pytest

from ser_model.labels import EMOTIONS
from ser_model.voice import LearnedVoice
from ui import service


@pytest.mark.parametrize(
    ("emotions", "clips"), [(["neutral"], 1), (list(EMOTIONS), 8), (["angry"], None), (["neutral", "sad"], None)]
)
def test_a_gain_is_expected_where_it_was_measured_alone(emotions: list[str], clips: int | None) -> None:
    gain = service.expect_gain(LearnedVoice("space", dict.fromkeys(emotions, (0.0,))))
    assert (gain["clips"] if gain else None) == clips
