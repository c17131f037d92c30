"""The comparison head: a frozen encoder embeds every clip once, then a head trains in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from datasets import Dataset, List, Value
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ser_model import comparison
from ser_model.comparison import ComparisonHead, Encoder, HeadConfig
from ser_model.labels import EMOTIONS
from ser_model.training.corpora import Clip, cached_map
from ser_model.training.ensemble import FoldLogits
from ser_model.training.fit import ClipLogits, known_cross_entropy, limit_threads
from ser_model.training.folds import Fold

Layers = dict[str, NDArray[np.float16]]  # (layer, 2 * width) by file name


@dataclass(frozen=True)
class HeadSettings:
    """How the head is trained."""

    epochs: int = 60
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    gender_weight: float = 0.2
    intensity_weight: float = 0.2


def train_heads(
    folds: list[Fold], seeds: int, table: Dataset, settings: HeadSettings, encoder: Encoder, emotions: tuple[str, ...]
) -> list[FoldLogits]:
    """Train a head for each fold and seed, from 0 on; table is that of the corpus, from prepare."""
    layers = embed_clips(table, encoder)
    found = []
    for seed in range(seeds):
        for fold in folds:
            head = fit_head(fold.train, layers, encoder, seed, settings, emotions)
            found.append(FoldLogits(fold, seed, predict_head(head, fold.test, layers)))
    return found


def embed_clips(table: Dataset, encoder: Encoder) -> Layers:
    """Compute the pooled layers of every clip, or read them from the cache."""
    limit_threads(1)  # the speech detector leaves one thread, and encoders are large
    columns = {"layers": List(List(Value("float16")))}
    settings = {"name": encoder.name, "revision": encoder.revision}
    description = f"Encoding with {encoder.name}"
    table, audio = table.select_columns(["file", "waveform", "span"]), ["waveform", "span"]
    embedded = cached_map(table, _embed, columns, description, (comparison,), 1, drop=audio, **settings)
    rows = embedded.with_format("numpy")
    return {row["file"]: np.asarray(row["layers"], np.float16) for row in rows}


def fit_head(
    clips: list[Clip],
    layers: Layers,
    encoder: Encoder,
    seed: int,
    settings: HeadSettings,
    emotions: Sequence[str] = EMOTIONS,
) -> ComparisonHead:
    """Train a head on the pooled layers; it is returned in evaluation mode."""
    torch.set_num_threads(1)  # a head gains nothing from a second one
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    config = HeadConfig(encoder.name, encoder.revision, encoder.layers, encoder.width, emotions=tuple(emotions))
    head = ComparisonHead(config).train()
    inputs = _gather(clips, layers)
    labels = torch.tensor([[clip.emotion, clip.gender, clip.intensity] for clip in clips])
    optimizer = torch.optim.AdamW(head.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    for _ in range(settings.epochs):
        for batch in torch.from_numpy(rng.permutation(len(clips))).split(settings.batch):
            logits, truth = head(inputs[batch]), labels[batch]
            loss = F.cross_entropy(logits.emotion, truth[:, 0], label_smoothing=settings.label_smoothing)
            loss = loss + settings.gender_weight * F.cross_entropy(logits.gender, truth[:, 1])
            loss = loss + settings.intensity_weight * known_cross_entropy(logits.intensity, truth[:, 2])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return head.eval()


def predict_head(head: ComparisonHead, clips: list[Clip], layers: Layers) -> ClipLogits:
    """Return the logits for clips, in the order given."""
    with torch.inference_mode():
        logits = head.eval()(_gather(clips, layers))
    return ClipLogits(*(part.double().numpy() for part in logits))


def _gather(clips: list[Clip], layers: Layers) -> Tensor:
    return torch.from_numpy(np.stack([layers[clip.file] for clip in clips])).float()  # (clip, layer, 2 * width)


@lru_cache(maxsize=1)
def _load_encoder(name: str, revision: str) -> Encoder:
    return Encoder.load(name, revision)


def _embed(row: dict[str, Any], name: str, revision: str) -> dict[str, Any]:
    speech = np.asarray(row["waveform"], np.float32)[slice(*row["span"])]
    return {"layers": _load_encoder(name, revision).embed(torch.from_numpy(speech)).numpy().astype(np.float16)}
