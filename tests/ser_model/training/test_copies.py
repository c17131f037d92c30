from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from voice import RATE_HZ, speak

from ser_model.training import copies
from ser_model.training.clips import Clip
from ser_model.training.copies import CHANGES, copy_clips, describe_copies


def make_clip(file: str = "one") -> Clip:
    voice = speak("aei", pitch_hz=150, pause_s=0)
    return Clip(file, voice, (0, voice.size), 3, 1, 0, 2, False)


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_heard_and_keeps_the_voice_whole(name: str, rng: np.random.Generator) -> None:
    voice = make_clip().speech
    changed = CHANGES[name](voice, rng)
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert 0.75 < changed.size / voice.size < 1.3
    assert changed.size != voice.size or not np.allclose(changed, voice, atol=1e-4)


def test_a_copy_keeps_the_labels_of_its_clip() -> None:
    clips = copy_clips([make_clip("one"), make_clip("two")])
    assert [clip.file for clip in clips[:5]] == ["one", "one~noise", "one~shift", "one~pitch", "one~speed"]
    assert len({clip.file for clip in clips}) == 10
    assert {(clip.emotion, clip.gender, clip.actor) for clip in clips} == {(3, 1, 2)}


def test_chance_depends_on_the_name_alone() -> None:
    one, again, two = (copies._vary(make_clip(file))[0] for file in ("one", "one", "two"))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, two)


def test_descriptors_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def describe(voice: np.ndarray) -> np.ndarray:
        calls.append(voice.size)
        return np.array([voice.size / RATE_HZ, 0.0])

    monkeypatch.setattr(copies, "describe_voice", describe)
    monkeypatch.setattr(copies, "PROCESSES", 1)
    clips = [make_clip("one"), make_clip("two")]
    first = describe_copies(clips, tmp_path)
    assert list(first) == [clip.file for clip in copy_clips(clips)]
    assert len(calls) == 10
    second = describe_copies(clips, tmp_path)
    assert len(calls) == 10
    assert all(np.array_equal(first[name], second[name]) for name in first)
    describe_copies(clips[:1], tmp_path)
    assert len(calls) == 15
