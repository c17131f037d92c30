"""Networks trained apart say together what their scores say when they are added."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ser_model.calibrate import softmax
from ser_model.cnn import CnnConfig, EmotionCnn, join_networks
from ser_model.evaluation.judge import Outcome
from ser_model.training.clips import Clip
from ser_model.training.fit import Scores, score_clips
from ser_model.training.folds import Fold
from ser_model.training.joined import join_outcomes, join_scores, list_models


def make_network(seed: int, mean: float = 0.0) -> EmotionCnn:
    torch.manual_seed(seed)
    network = EmotionCnn(CnnConfig(channels=(16, 16, 16))).eval()
    network.functionals.mean.fill_(mean)
    return network


def make_clips() -> list[Clip]:
    rng = np.random.default_rng(0)
    sounds = [rng.normal(size=size).astype(np.float32) for size in (9000, 16000, 12000)]
    return [Clip(str(n), sound, (0, sound.size), n, 0, 0, 1, False) for n, sound in enumerate(sounds)]


def test_one_joined_network_says_what_the_sum_of_their_scores_says() -> None:
    networks, clips = [make_network(seed) for seed in range(2)], make_clips()
    together = score_clips(join_networks(networks), clips)
    added = join_scores([score_clips(network, clips) for network in networks])
    assert softmax(together.emotion) == pytest.approx(softmax(added.emotion), abs=1e-4)
    assert together.gender == pytest.approx(added.gender, abs=1e-4)
    assert together.intensity == pytest.approx(added.intensity, abs=1e-4)


def test_a_network_joined_with_none_is_itself() -> None:
    network, clips = make_network(0), make_clips()
    joined = score_clips(join_networks([network]), clips)
    assert joined.emotion == pytest.approx(score_clips(network, clips).emotion)


def test_networks_of_different_clips_are_not_joined() -> None:
    with pytest.raises(ValueError, match="same clips"):
        join_networks([make_network(0), make_network(1, mean=1.0)])


@pytest.mark.parametrize(("seeds", "models"), [(1, [(0,)]), (2, [(0, 1)]), (3, [(0, 1), (1, 2), (2, 0)])])
def test_each_network_takes_part_in_as_many_models(seeds: int, models: list[tuple[int, ...]]) -> None:
    assert list_models(seeds) == models


def test_outcomes_are_joined_fold_by_fold() -> None:
    folds = [Fold(str(number), [], [clip]) for number, clip in enumerate(make_clips()[:2])]
    outcomes = [
        Outcome(fold, seed, Scores(np.full((1, 8), 10.0**seed), np.zeros((1, 2)), np.zeros((1, 2))))
        for seed in range(3)
        for fold in folds
    ]
    joined = join_outcomes(outcomes)
    assert [(one.fold.name, one.seed, one.scores.emotion[0, 0]) for one in joined] == [
        ("0", 0, 11.0), ("1", 0, 11.0), ("0", 1, 110.0), ("1", 1, 110.0), ("0", 2, 101.0), ("1", 2, 101.0),
    ]  # fmt: skip
