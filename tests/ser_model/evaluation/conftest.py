"""Untrained networks of the Luna folds, as train.py leaves them, and random predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ser_model.cnn import CnnConfig, EmotionCnn, save_network
from ser_model.evaluation.metrics import Predictions


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small network for each fold."""
    home = tmp_path_factory.mktemp("networks")
    for fold in range(5):
        folder = home / f"fold-{fold}-seed-0"
        folder.mkdir()
        torch.manual_seed(0)
        sizes = CnnConfig(channels=(16, 16, 16))
        save_network(EmotionCnn(sizes), folder)
        (folder / "config.json").write_text(json.dumps(sizes.__dict__))
    return home


@pytest.fixture
def make_predictions(rng: np.random.Generator) -> Callable[..., Predictions]:
    """Make predictions for 384 clips of 24 actors with about this accuracy."""

    def make(accuracy: float, seeds: int = 1) -> Predictions:
        speakers = np.tile(np.repeat([f"{number:02d}" for number in range(1, 25)], 16), seeds)
        actors = speakers.astype(int)
        truth = np.tile(np.arange(8), actors.size // 8)
        predicted = np.where(rng.random(truth.size) < accuracy, truth, rng.integers(0, 8, truth.size))
        probabilities = np.full((truth.size, 8), 0.05)
        probabilities[np.arange(truth.size), predicted] = 0.65
        gender, intensity = (actors + 1) % 2, np.where(truth > 0, rng.integers(0, 2, truth.size), 0)
        return Predictions(
            files=np.array([f"clip-{i}" for i in range(truth.size)]),
            speakers=speakers,
            truth=truth,
            probabilities=probabilities,
            sure=rng.random(truth.size) < 0.7,
            gender_truth=gender,
            gender_probabilities=np.stack([1.0 - gender, gender], axis=1),
            intensity_truth=intensity,
            intensity_probabilities=np.tile([0.6, 0.4], (truth.size, 1)),
            folds=np.array([str(actor % 5) for actor in actors]),
            seeds=np.repeat(np.arange(seeds), actors.size // seeds),
        )

    return make
