"""A synthetic corpus and the weights of an untrained network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from made_corpus import write_corpus

from ser_model.cnn import EmotionCnn, save_network
from ser_model.hub import make_config, make_feature_extractor


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), (2, 3, 5, 6, 9, 10))


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    network = EmotionCnn().eval()
    save_network(network, folder)
    make_config(network.config, temperature=1.3).save_pretrained(folder)
    make_feature_extractor().save_pretrained(folder)
    return folder
