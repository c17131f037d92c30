"""A made corpus and an untrained network's weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from made_corpus import write_corpus

from ser_model.cnn import EmotionCnn, save_network
from ser_model.hub import EmotionFeatureExtractor, make_config


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), (2, 3, 5, 6, 9, 10))


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    network = EmotionCnn().eval()
    digest = save_network(network, folder)
    calibration = {"temperature": 1.3, "gender_temperature": 1.0, "abstain_below": 0.0}
    make_config(network.config, weights_sha256=digest, **calibration).save_pretrained(folder)
    EmotionFeatureExtractor().save_pretrained(folder)
    return folder
