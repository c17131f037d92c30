from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_corpus import make_clip

from ser_model.calibration import softmax
from ser_model.cnn import CnnConfig, EmotionCnn, ensemble_networks
from ser_model.training.clips import Clip
from ser_model.training.ensemble import (
    Checkpoint,
    FoldLogits,
    combine_logits,
    combine_seeds,
    list_ensembles,
    load_ensemble,
    select_corpus,
)
from ser_model.training.fit import ClipLogits, predict_clips
from ser_model.training.folds import Fold


def make_network(seed: int) -> EmotionCnn:
    torch.manual_seed(seed)
    return EmotionCnn(CnnConfig(channels=(16, 16, 16))).eval()


@pytest.fixture
def clips(rng: np.random.Generator) -> list[Clip]:
    sounds = [rng.normal(size=size).astype(np.float32) for size in (9000, 16000, 12000)]
    return [make_clip(str(n), n, waveform=sound, span=(0, sound.size)) for n, sound in enumerate(sounds)]


def test_combined_logits_are_those_of_the_ensemble(clips: list[Clip]) -> None:
    networks = [make_network(seed) for seed in range(2)]
    together = predict_clips(ensemble_networks(networks), clips)
    added = combine_logits([predict_clips(network, clips) for network in networks])
    assert softmax(together.emotion) == pytest.approx(softmax(added.emotion), abs=1e-4)
    assert together.gender == pytest.approx(added.gender, abs=1e-4)
    assert together.intensity == pytest.approx(added.intensity, abs=1e-4)


@pytest.mark.parametrize(("seeds", "ensembles"), [(1, [(0,)]), (2, [(0, 1)]), (3, [(0, 1), (1, 2), (2, 0)])])
def test_each_network_is_part_of_as_many_ensembles(seeds: int, ensembles: list[tuple[int, ...]]) -> None:
    assert list_ensembles(seeds) == ensembles


def test_seeds_are_combined_fold_by_fold(clips: list[Clip]) -> None:
    folds = [Fold(str(number), [], [clip]) for number, clip in enumerate(clips[:2])]
    networks = [
        FoldLogits(fold, seed, ClipLogits(np.full((1, 8), 10.0**seed), np.zeros((1, 2)), np.zeros((1, 2))))
        for seed in range(3)
        for fold in folds
    ]
    combined = [(one.fold.name, one.seed, one.logits.emotion[0, 0]) for one in combine_seeds(networks)]
    assert combined == [("0", 0, 11), ("1", 0, 11), ("0", 1, 110), ("1", 1, 110), ("0", 2, 101), ("1", 2, 101)]


def test_the_clips_of_one_corpus_keep_their_logits() -> None:
    fold = Fold("0", [], [make_clip("a"), make_clip("b", corpus="nemo"), make_clip("c")])
    one = FoldLogits(fold, 1, ClipLogits(np.arange(24.0).reshape(3, 8), np.zeros((3, 2)), np.zeros((3, 2))))
    (kept,) = select_corpus([one, FoldLogits(Fold("1", [], fold.test[1:2]), 1, one.logits)], "ravdess")
    assert [clip.file for clip in kept.fold.test] == ["a", "c"]
    assert kept.logits.emotion[:, 0].tolist() == [0, 16]
    assert kept.logits.embedding is None


def test_a_checkpoint_is_read_back_unless_something_changed(clips: list[Clip], tmp_path: Path) -> None:
    network, checkpoint = make_network(0), Checkpoint(tmp_path, "3", 1)
    assert checkpoint.load_logits("settings") is None
    logits = predict_clips(network, clips)
    checkpoint.save(network, logits, "settings")
    found = checkpoint.load_logits("settings")
    assert found is not None
    assert found.emotion == pytest.approx(logits.emotion, abs=1e-5)
    assert predict_clips(load_ensemble([checkpoint.network]), clips).emotion == pytest.approx(logits.emotion, abs=1e-5)
    assert checkpoint.load_logits("other settings") is None
    checkpoint.scores.write_bytes(checkpoint.scores.read_bytes()[:500])
    assert checkpoint.load_logits("settings") is None
