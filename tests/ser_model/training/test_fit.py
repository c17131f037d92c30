from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ser_model.cnn import CnnConfig
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import FitSettings, fit_network, score_clips
from ser_model.training.ravdess import load_ravdess

SMALL = FitSettings(epochs=25, batch=8, network=CnnConfig(1, (32, 32, 32)))


@pytest.fixture(scope="module")
def clips(corpus_folder: Path) -> list[Clip]:
    return prepare_clips(load_ravdess(corpus_folder))


def split(clips: list[Clip]) -> tuple[list[Clip], list[Clip]]:
    return [clip for clip in clips if clip.actor < 9], [clip for clip in clips if clip.actor >= 9]


def test_spans_lie_inside_their_clips(clips: list[Clip]) -> None:
    assert len(clips) == 48
    for clip in clips:
        assert 0 <= clip.span[0] < clip.span[1] <= clip.waveform.size
        assert 0.5 < clip.speech.size / 16_000 <= 1.8  # the whole clip where the detector is not sure of a made voice


def test_the_network_learns_what_new_voices_say(clips: list[Clip]) -> None:
    known, strangers = split(clips)
    scores = score_clips(fit_network(known, SMALL, seed=0), strangers)
    truth = np.array([clip.emotion for clip in strangers])
    assert (scores.emotion.argmax(axis=1) == truth).mean() > 0.6  # chance: 0.125


def test_the_same_seed_makes_the_same_network(clips: list[Clip]) -> None:
    settings = FitSettings(epochs=1, batch=8, network=CnnConfig(1, (16, 16, 16)))
    torch.set_num_threads(1)
    one, two = (fit_network(clips[:16], settings, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = fit_network(clips[:16], settings, seed=4).state_dict()
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_scores_keep_the_order_of_the_clips(clips: list[Clip]) -> None:
    network = fit_network(clips[:16], FitSettings(epochs=1, batch=8, network=CnnConfig(1, (16, 16, 16))), seed=0)
    forwards, backwards = score_clips(network, clips), score_clips(network, clips[::-1])
    assert np.allclose(forwards.emotion, backwards.emotion[::-1], atol=1e-4)
