from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_corpus import make_clip

from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.labels import EMOTIONS, UNKNOWN
from ser_model.training.clips import Clip, make_clips, prepare
from ser_model.training.corpora import UNLABELED, load_ravdess
from ser_model.training.fit import (
    FitSettings,
    _draw_batches,
    count_draws,
    fit_network,
    fit_speaker_space,
    make_targets,
    predict_clips,
    soft_cross_entropy,
)

SHORT = FitSettings(epochs=1, batch=8, passes={}, network=CnnConfig(1, (16, 16, 16)))
SAID = np.array([0, 0, 0.5, 0.5, 0, 0, 0, 0], np.float32)


@pytest.fixture(scope="module")
def clips(corpus_folder: Path) -> list[Clip]:
    return make_clips(prepare(load_ravdess(corpus_folder), with_power=True))


def test_the_network_learns_to_recognize_new_voices(clips: list[Clip]) -> None:
    settings = FitSettings(epochs=25, batch=8, passes={}, network=CnnConfig(1, (32, 32, 32)))
    network = fit_network([clip for clip in clips if clip.speaker < "09"], settings, seed=0)
    test = [clip for clip in clips if clip.speaker >= "09"]
    truth = np.array([clip.emotion for clip in test])
    assert (predict_clips(network, test).emotion.argmax(axis=1) == truth).mean() > 0.6  # chance: 0.125


def test_the_same_seed_makes_the_same_network(clips: list[Clip]) -> None:
    torch.set_num_threads(1)
    one, two, other = (fit_network(clips[:16], SHORT, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_logits_have_the_order_of_the_clips_and_need_no_power(clips: list[Clip]) -> None:
    torch.manual_seed(0)
    network = EmotionCnn(SHORT.network).eval()
    forward, backward = predict_clips(network, clips), predict_clips(network, clips[::-1])
    assert np.allclose(forward.emotion, backward.emotion[::-1], atol=1e-4)
    assert np.array_equal(
        forward.emotion, predict_clips(network, [replace(clip, power=None) for clip in clips]).emotion
    )
    nothing = predict_clips(network, [])
    assert (nothing.emotion.shape, nothing.gender.shape, nothing.intensity.shape) == ((0, 8), (0, 2), (0, 2))


def test_targets_are_smoothed_labels_mixed_with_raters_and_teacher() -> None:
    settings = replace(SHORT, label_smoothing=0.08, votes_weight=0.25, teacher_weights={"nemo": 0.5, UNLABELED: 1.0})
    smooth = np.full(8, 0.01) + 0.92 * np.eye(8)[2]
    clips = {
        "plain": make_clip("plain", 2),
        "voted": make_clip("voted", 2, corpus="crema-d", votes=SAID),
        "taught": make_clip("taught", 2, corpus="nemo"),
        "unlabeled": make_clip("unlabeled", UNKNOWN, corpus=UNLABELED),
        "silent": make_clip("silent", UNKNOWN, corpus=UNLABELED),  # the teacher says nothing of it
        "other": make_clip("other", 2, corpus="ravdess"),  # its corpus has no weight
    }
    taught = dict.fromkeys(("taught", "unlabeled", "other"), SAID)
    expected = [smooth, 0.75 * smooth + 0.25 * SAID, 0.5 * smooth + 0.5 * SAID, SAID, np.zeros(8), smooth]
    targets = make_targets(list(clips.values()), settings, taught)
    assert targets.numpy() == pytest.approx(np.stack(expected), abs=1e-6)
    assert make_targets([clips["taught"]], settings, None)[0].numpy() == pytest.approx(smooth, abs=1e-6)
    wide = replace(settings, network=replace(settings.network, emotions=(*EMOTIONS, "bored")))
    assert make_targets([clips["voted"]], wide, None).sum().item() == pytest.approx(1)
    logits = torch.randn(2, 8, requires_grad=True)
    soft_cross_entropy(logits, torch.stack([targets[0], targets[4]])).backward()
    assert logits.grad is not None
    assert logits.grad[0].abs().sum() > 0 == logits.grad[1].abs().sum()


def test_an_epoch_draws_each_corpus_as_often_as_its_passes_say() -> None:
    clips = [
        make_clip(f"{corpus}{i}", corpus=corpus) for corpus, n in {"ravdess": 8, "nemo": 10}.items() for i in range(n)
    ]
    clips += [make_clip(f"more{i}", corpus="more.csv") for i in range(4)]
    settings = replace(SHORT, batch=4, passes={"ravdess": 2.5, "nemo": 0.4})
    assert count_draws(clips, settings.passes) == 20 + 4 + 4
    drawn = [index for batch in _draw_batches(clips, settings, np.random.default_rng(0)) for index in batch]
    assert Counter(clips[index].corpus for index in drawn) == {"ravdess": 20, "nemo": 4, "more.csv": 4}
    times = Counter(clips[index].file for index in drawn)
    assert {times[f"ravdess{i}"] for i in range(8)} == {2, 3}
    assert max(times[f"nemo{i}"] for i in range(10)) == 1


def test_only_ravdess_shapes_the_speaker_space_and_a_clip_needs_no_label(clips: list[Clip]) -> None:
    torch.manual_seed(0)
    network = EmotionCnn(SHORT.network).eval()
    unlabeled = replace(
        clips[0], file="unlabeled", emotion=UNKNOWN, gender=UNKNOWN, corpus=UNLABELED, speaker="unlabeled"
    )
    spaces = [fit_speaker_space(network, part) for part in (clips, [*clips, unlabeled])]
    assert spaces[0].fingerprint == spaces[1].fingerprint
    trained = fit_network([*clips[:15], unlabeled], SHORT, 0, {"unlabeled": SAID})
    assert np.isfinite(predict_clips(trained, clips[:2]).emotion).all()
