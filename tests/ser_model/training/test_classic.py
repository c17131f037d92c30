from __future__ import annotations

import numpy as np
import pytest
from made_corpus import make_clip
from voice import speak

from ser_model.training.classic import (
    CHANGES,
    ClassicModel,
    ClassicSettings,
    Descriptors,
    change_sound,
    classic_descriptors,
)
from ser_model.training.clips import Clip
from ser_model.training.folds import COPIES

SMALL = ClassicSettings(epochs=15, batch=16, channels=(8, 8, 8))


@pytest.fixture
def clips() -> list[Clip]:
    return [make_clip(f"{i}", i % 8, gender=i // 8 % 2, intensity=i // 16 % 2) for i in range(96)]


@pytest.fixture
def descriptors(clips: list[Clip], rng: np.random.Generator) -> Descriptors:
    """Numbers of very different scales, some of which depend on emotion and gender."""
    signal = rng.standard_normal((8 + 2, 216))
    noise = 0.3 * rng.standard_normal((len(clips), 216))
    scales = 10 ** rng.uniform(-3, 3, 216)
    return {
        clip.file: scales * (signal[clip.emotion] + signal[8 + clip.gender] + row)
        for clip, row in zip(clips, noise, strict=True)
    }


def test_it_learns_all_labels_from_numbers_of_any_scale(clips: list[Clip], descriptors: Descriptors) -> None:
    logits = ClassicModel(descriptors, SMALL).fit(clips[:64], seed=0).predict(clips[64:])
    assert (logits.emotion.argmax(axis=1) == [clip.emotion for clip in clips[64:]]).mean() > 0.8
    assert (logits.gender.argmax(axis=1) == [clip.gender for clip in clips[64:]]).mean() > 0.8
    assert logits.intensity.shape == (32, 2)


def test_scored_clips_change_nothing(clips: list[Clip], descriptors: Descriptors) -> None:
    alone = ClassicModel(descriptors, SMALL).fit(clips[:64], seed=0).predict(clips[64:65])
    changed = descriptors | {clip.file: 1e6 * descriptors[clip.file] for clip in clips[65:]}
    beside = ClassicModel(changed, SMALL).fit(clips[:64], seed=0).predict(clips[64:])
    assert np.allclose(alone.emotion, beside.emotion[:1], atol=1e-4)


def test_copies_are_audible_and_keep_the_voice() -> None:
    speech = speak("aei", pitch_hz=150, pause_s=0)
    assert tuple(CHANGES) == COPIES
    for changed in change_sound("one", speech):
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert 0.75 < changed.size / speech.size < 1.3
        assert changed.size != speech.size or not np.allclose(changed, speech, atol=1e-4)
    noisy, again, other = (change_sound(file, speech)[0] for file in ("one", "one", "two"))
    assert np.array_equal(noisy, again)
    assert not np.array_equal(noisy, other)


def test_descriptors_differ_between_voices_and_are_finite() -> None:
    low, high = (classic_descriptors(speak("aei", pitch_hz=pitch_hz, pause_s=0)) for pitch_hz in (110, 220))
    assert low.shape == (216,)
    assert np.isfinite([low, high]).all()
    assert high[98] - low[98] == pytest.approx(1, abs=0.2)  # mean pitch in octaves
