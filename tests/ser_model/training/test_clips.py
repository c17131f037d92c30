"""Clips to train on come with a copy as a browser's recorder sends it, which is never scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import correlate

from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.corpus import read_corpus
from ser_model.training.fit import score_clips
from ser_model.training.folds import split_clips
from ser_model.training.ravdess import load_ravdess
from ser_model.training.runs import fingerprint_clips


@pytest.fixture(scope="module")
def clips(corpus_folder: Path) -> list[Clip]:
    return read_corpus(corpus_folder, allow_missing=True, with_coded=True).clips


def list_coded(clips: list[Clip]) -> list[tuple[Clip, np.ndarray]]:
    return [(clip, clip.coded) for clip in clips if clip.coded is not None]


def test_every_clip_to_train_on_has_a_copy_that_is_as_long(clips: list[Clip]) -> None:
    assert len(list_coded(clips)) == len(clips)
    assert all(coded.shape == clip.waveform.shape for clip, coded in list_coded(clips))


def test_a_copy_says_the_same_at_the_same_time_but_is_not_the_same(clips: list[Clip]) -> None:
    for clip, coded in list_coded(clips)[:12]:
        likeness = correlate(coded, clip.waveform, mode="same") / np.sum(clip.waveform**2)
        assert abs(int(likeness.argmax()) - clip.waveform.size // 2) <= 16  # within a millisecond
        assert 0.5 < likeness.max() < 1.5
        assert not np.allclose(coded, clip.waveform, atol=1e-3)


def test_a_copy_stays_with_its_clip_on_one_side(clips: list[Clip]) -> None:
    fold = split_clips(clips, "random")[0]
    known = {coded.tobytes() for _, coded in list_coded(fold.train)}
    assert len(known) == len(fold.train)
    assert not known & {coded.tobytes() for _, coded in list_coded(fold.test)}


def test_copies_are_not_scored(clips: list[Clip]) -> None:
    network = EmotionCnn(CnnConfig(1, (16, 16, 16))).eval()
    loud = [replace(clip, coded=np.ones_like(clip.waveform)) for clip in clips[:4]]
    assert np.array_equal(score_clips(network, clips[:4]).emotion, score_clips(network, loud).emotion)


def test_scores_kept_from_training_without_copies_are_not_taken_up(clips: list[Clip], corpus_folder: Path) -> None:
    bare = prepare_clips(load_ravdess(corpus_folder))
    assert all(clip.coded is None for clip in bare)
    assert fingerprint_clips(bare) != fingerprint_clips(clips)
