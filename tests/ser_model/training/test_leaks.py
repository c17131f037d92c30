"""Nothing that is scored was trained on: no actor, no clip, no copy of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.training import runs
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.corpus import shuffle_labels
from ser_model.training.fit import FitSettings, Scores
from ser_model.training.folds import ACTORS, Fold, join_training, split_clips
from ser_model.training.ravdess import load_ravdess

BY_ACTOR = ("luna", "emobox", "loso")
SHORT = FitSettings(epochs=1, network=CnnConfig(1, (16, 16, 16)))


def make_clip(number: int, emotion: int, actor: int, song: bool) -> Clip:
    sound = np.full(4, number, np.float32)
    return Clip(f"{number}", sound, (0, 4), emotion, (actor + 1) % 2, number % 2, actor, song)


CLIPS = [
    make_clip(100 * actor + 10 * emotion + copy, emotion, actor, copy > 2)
    for actor in ACTORS
    for emotion in range(8)
    for copy in range(5)
]
EXTRA = [make_clip(100_000 + number, number % 9, 101 + number % 3, song=False) for number in range(30)]


def assert_apart(fold: Fold, by_actor: bool) -> None:
    """No file name, no sound and, if asked for, no actor on two sides."""
    assert not {clip.file for clip in fold.train} & {clip.file for clip in fold.test}
    assert not {clip.waveform.tobytes() for clip in fold.train} & {clip.waveform.tobytes() for clip in fold.test}
    if by_actor:
        assert not {clip.actor for clip in fold.train} & {clip.actor for clip in fold.test}


@pytest.mark.parametrize("protocol", [*BY_ACTOR, "random"])
def test_no_actor_and_no_clip_is_on_two_sides(protocol: str) -> None:
    folds = join_training(split_clips(CLIPS, protocol), EXTRA)
    for fold in folds:
        assert_apart(fold, protocol in BY_ACTOR)
        assert {clip.file for clip in EXTRA} <= {clip.file for clip in fold.train}
    scored = [clip.file for fold in folds for clip in fold.test]
    assert len(scored) == len(set(scored)) == sum(not clip.is_song for clip in CLIPS)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [*BY_ACTOR, "random"])
def test_no_actor_and_no_clip_of_the_real_corpus_is_on_two_sides(protocol: str, shared: Path) -> None:
    for fold in split_clips(prepare_clips(load_ravdess(shared / "data/ravdess")), protocol):
        assert fold.test
        assert_apart(fold, protocol in BY_ACTOR)


@pytest.mark.parametrize("protocol", [*BY_ACTOR, "random"])
def test_training_hears_the_training_part_alone(protocol: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[Clip]] = []
    scored: list[list[Clip]] = []

    def pretend_to_score(_: EmotionCnn, clips: list[Clip]) -> Scores:
        scored.append(clips)
        return Scores(np.zeros((len(clips), 8)), np.zeros((len(clips), 2)), np.zeros((len(clips), 2)))

    def pretend(clips: list[Clip], *_: object) -> EmotionCnn:
        heard.append(clips)
        return EmotionCnn(SHORT.network).eval()

    monkeypatch.setattr(runs, "fit_network", pretend)
    monkeypatch.setattr(runs, "score_clips", pretend_to_score)
    folds = split_clips(CLIPS, protocol)
    runs.run_networks(folds, 1, SHORT, tmp_path, jobs=1)
    assert heard == [fold.train for fold in folds]
    assert scored == [fold.test for fold in folds]


def test_scores_of_other_clips_or_labels_are_not_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []

    def pretend(clips: list[Clip], *_: object) -> EmotionCnn:
        trained.append(len(clips))
        torch.manual_seed(0)
        return EmotionCnn(SHORT.network).eval()

    monkeypatch.setattr(runs, "fit_network", pretend)
    for clips in (CLIPS, CLIPS, shuffle_labels(CLIPS)):
        runs.run_networks(split_clips(clips, "luna")[:1], 1, SHORT, tmp_path, jobs=1)
    assert len(trained) == 2


def test_shuffling_deals_the_same_emotions_out_anew() -> None:
    shuffled = shuffle_labels(CLIPS)
    assert [clip.file for clip in shuffled] == [clip.file for clip in CLIPS]
    for song in (False, True):
        before, after = ([clip.emotion for clip in part if clip.is_song == song] for part in (CLIPS, shuffled))
        assert before != after
        assert sorted(before) == sorted(after)
    assert [clip.emotion for clip in shuffle_labels(CLIPS)] == [clip.emotion for clip in shuffled]
    kept = np.mean([one.emotion == other.emotion for one, other in zip(CLIPS, shuffled, strict=True)])
    assert kept < 0.2
