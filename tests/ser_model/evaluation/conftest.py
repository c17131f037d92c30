"""What the tests of the evaluation share: networks of the Luna folds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ser_model.cnn import CnnConfig, EmotionCnn, save_network


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    """A small network for each of the Luna folds, untrained, as train.py leaves them."""
    for fold in range(5):
        folder = tmp_path / "networks" / f"fold-{fold}-seed-0"
        folder.mkdir(parents=True)
        torch.manual_seed(0)
        sizes = CnnConfig(channels=(16, 16, 16))
        save_network(EmotionCnn(sizes), folder)
        (folder / "config.json").write_text(json.dumps(sizes.__dict__))
    return tmp_path / "networks"
