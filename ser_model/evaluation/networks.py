"""Where train.py --protocol luna leaves its networks, by which sound is heard that they were not trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ser_model.cnn import EmotionCnn, join_networks, load_network
from ser_model.training.joined import name_network

NETWORKS = Path("runs/luna/networks")  # trained on every actor but those of the test fold
CHOOSING = Path("runs/choosing/networks")  # trained on neither those nor the validation actors
REMEDY = (
    "Make networks with: python train.py --data DIR --protocol luna --seeds 5 --out runs/luna "
    "(--seeds 2 is enough for robustness)"
)


def find_networks(networks: Path, fold: str, seeds: Iterable[int]) -> tuple[Path, ...]:
    """Return the folders of one fold's networks with these seeds.

    Raises:
        ValueError: One is not there; the message says how to make it.
    """
    folders = tuple(networks / name_network(fold, seed) for seed in seeds)
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"{folder} is missing. {REMEDY}")
    return folders


def load_joined(folders: Sequence[Path]) -> EmotionCnn:
    """Load networks as one.

    Raises:
        WeightsError: One is missing or damaged.
    """
    return join_networks([load_network(folder) for folder in folders])
