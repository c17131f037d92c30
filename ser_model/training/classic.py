"""The recipe this project grew from: one vector of descriptors a clip, scaled, through a 1-D CNN of three layers.

The one output layer says emotion, gender and intensity side by side, each one-hot in training. The scaler only ever
sees the rows that are trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from ser_model.evaluation.judge import Outcome
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES
from ser_model.training.clips import Clip
from ser_model.training.copies import Vectors, copy_clips
from ser_model.training.fit import Scores
from ser_model.training.folds import Fold, list_speech

SIZES = (len(EMOTIONS), len(GENDERS), len(INTENSITIES))  # classes of each label, side by side in the output


@dataclass(frozen=True)
class ClassicSettings:
    """How the network looks and learns: plain values, none of them searched for."""

    epochs: int = 30
    batch: int = 128  # rows
    learning_rate: float = 2e-3  # highest of the one-cycle schedule
    weight_decay: float = 1e-2
    channels: tuple[int, int, int] = (32, 64, 128)
    kernel: int = 7
    stride: int = 3
    dropout: float = 0.3


class ClassicCnn(nn.Sequential):
    """Three convolutions along the vector and one output layer: (batch, 1, descriptor) -> (batch, class)."""

    def __init__(self, descriptors: int, settings: ClassicSettings) -> None:
        layers: list[nn.Module] = []
        before = 1
        for channels in settings.channels:
            convolution = nn.Conv1d(before, channels, settings.kernel, settings.stride, settings.kernel // 2)
            layers += [convolution, nn.BatchNorm1d(channels), nn.ReLU()]
            before, descriptors = channels, -(-descriptors // settings.stride)
        output = nn.Linear(before * descriptors, sum(SIZES))
        super().__init__(*layers, nn.Flatten(), nn.Dropout(settings.dropout), output)


class ClassicModel:
    """Scaler, one-hot labels and network together."""

    def __init__(self, vectors: Vectors, settings: ClassicSettings) -> None:
        self._vectors, self._settings = vectors, settings
        self._scaler = StandardScaler()
        self._encoder = OneHotEncoder(categories=[range(size) for size in SIZES], sparse_output=False)
        self._network: ClassicCnn

    def fit(self, clips: list[Clip], seed: int) -> ClassicModel:
        """Learn from clips and copies.

        Args:
            clips: What it may hear; nothing else is scaled by or learnt from.
            seed: Decides the first weights and the order.
        """
        torch.manual_seed(seed)
        settings, rng = self._settings, np.random.default_rng(seed)
        rows = _to_tensor(self._scaler.fit_transform(self._gather(clips)))  # (row, 1, descriptor)
        labels = self._encoder.fit_transform([[clip.emotion, clip.gender, clip.intensity] for clip in clips])
        wanted = torch.from_numpy(labels).float()  # (row, class)
        self._network = ClassicCnn(rows.shape[2], settings).train()
        optimiser = torch.optim.AdamW(self._network.parameters(), weight_decay=settings.weight_decay)
        steps = settings.epochs * -(-len(clips) // settings.batch)
        schedule = OneCycleLR(optimiser, settings.learning_rate, total_steps=steps)
        for _ in range(settings.epochs):
            for batch in torch.from_numpy(rng.permutation(len(clips))).split(settings.batch):
                loss = _measure_loss(self._network(rows[batch]), wanted[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
        self._network.eval()
        return self

    def score(self, clips: list[Clip]) -> Scores:
        """Score clips, in the order given."""
        with torch.inference_mode():
            logits = self._network(_to_tensor(self._scaler.transform(self._gather(clips)))).double()
        return Scores(*(part.numpy() for part in logits.split(SIZES, dim=1)))

    def _gather(self, clips: list[Clip]) -> NDArray[np.float64]:
        return np.stack([self._vectors[clip.file] for clip in clips])  # (clip, descriptor)


def run_recipe(
    folds: list[Fold], seeds: int, vectors: Vectors, settings: ClassicSettings, copied: bool
) -> list[Outcome]:
    """Fit the recipe to the speech clips of each fold's training part and their copies, with the seeds from 0 on.

    Args:
        folds: Of clips.
        seeds: How many.
        vectors: The descriptors of every clip and copy.
        settings: How it learns.
        copied: Whether the folds were made of clips and copies, so that none need be added.
    """
    outcomes = []
    for seed in range(seeds):
        for fold in folds:
            heard = fold.train if copied else copy_clips(list_speech(fold.train))
            model = ClassicModel(vectors, settings).fit(heard, seed)
            outcomes.append(Outcome(fold, seed, model.score(fold.test)))
    return outcomes


def _to_tensor(matrix: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(matrix).float().unsqueeze(1)  # (row, 1, descriptor)


def _measure_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Mean cross-entropy of every label against its part of the output."""
    pairs = zip(logits.split(SIZES, dim=1), wanted.split(SIZES, dim=1), strict=True)
    return torch.stack([F.cross_entropy(part, one_hot) for part, one_hot in pairs]).sum()
