from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.training.clips import Clip, make_clips, prepare
from ser_model.training.corpora import load_ravdess
from ser_model.training.fit import FitSettings, fit_network, predict_clips

SHORT = FitSettings(epochs=1, batch=8, network=CnnConfig(1, (16, 16, 16)))


@pytest.fixture(scope="module")
def clips(corpus_folder: Path) -> list[Clip]:
    return make_clips(prepare(load_ravdess(corpus_folder)))


def test_the_network_learns_to_recognize_new_voices(clips: list[Clip]) -> None:
    settings = FitSettings(epochs=25, batch=8, network=CnnConfig(1, (32, 32, 32)))
    network = fit_network([clip for clip in clips if clip.actor < 9], settings, seed=0)
    test = [clip for clip in clips if clip.actor >= 9]
    truth = np.array([clip.emotion for clip in test])
    assert (predict_clips(network, test).emotion.argmax(axis=1) == truth).mean() > 0.6  # chance: 0.125


def test_the_same_seed_makes_the_same_network(clips: list[Clip]) -> None:
    torch.set_num_threads(1)
    one, two, other = (fit_network(clips[:16], SHORT, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_logits_have_the_order_of_the_clips_and_ignore_opus_copies(clips: list[Clip]) -> None:
    torch.manual_seed(0)
    network = EmotionCnn(SHORT.network).eval()
    forward, backward = predict_clips(network, clips), predict_clips(network, clips[::-1])
    assert np.allclose(forward.emotion, backward.emotion[::-1], atol=1e-4)
    with_opus = [replace(clip, opus_waveform=np.ones_like(clip.waveform)) for clip in clips]
    assert np.array_equal(forward.emotion, predict_clips(network, with_opus).emotion)
