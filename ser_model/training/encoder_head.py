"""The head for the second opinion: a frozen encoder embeds every clip once, then a head trains in seconds.

The same heads teach the compact network: see teach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from datasets import Dataset, List, Value
from numpy.typing import NDArray
from torch import Tensor

from ser_model import comparison
from ser_model.calibration import softmax
from ser_model.comparison import ComparisonHead, Encoder, HeadConfig, reference_waveform
from ser_model.labels import EMOTIONS, UNKNOWN
from ser_model.training.clips import Clip, cached_map
from ser_model.training.corpora import UNLABELED
from ser_model.training.ensemble import FoldLogits
from ser_model.training.fit import ClipLogits, SoftLabels, known_cross_entropy, limit_threads, soft_cross_entropy
from ser_model.training.folds import Fold

Layers = dict[str, NDArray[np.float16]]  # (layer, 2 * width) by file name
TEACHERS = 5  # heads, each of which teaches the speakers that it never heard
CLIP_WEIGHTS = {"ravdess": 1.5, "crema-d": 0.6, "nemo": 0.6}  # in the loss; 1 if missing


@dataclass(frozen=True)
class HeadSettings:
    """How the head is trained."""

    epochs: int = 20
    batch: int = 128
    learning_rate: float = 1e-3  # maximum of the one-cycle schedule
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    gender_weight: float = 0.2
    intensity_weight: float = 0.2
    clip_weights: dict[str, float] = field(default_factory=lambda: dict(CLIP_WEIGHTS))


def train_heads(
    folds: list[Fold], seeds: int, table: Dataset, settings: HeadSettings, encoder: Encoder, emotions: tuple[str, ...]
) -> list[FoldLogits]:
    """Train a head for each fold and seed, from 0 on; table is that of the corpora, from prepare."""
    layers = embed_clips(table, encoder)
    found = []
    for seed in range(seeds):
        for fold in folds:
            head = fit_head(fold.train, layers, encoder, seed, settings, emotions)
            found.append(FoldLogits(fold, seed, predict_head(head, fold.test, layers)))
    return found


def teach(
    clips: list[Clip], layers: Layers, encoder: Encoder, settings: HeadSettings, emotions: Sequence[str] = EMOTIONS
) -> SoftLabels:
    """Return what heads say of clips whose speakers they never heard.

    The speakers are divided into TEACHERS groups; each head is trained on all groups but one and answers for that one.
    An unlabeled clip gets the mean of all heads.

    Args:
        clips: The training clips of a fold, so that no head hears a speaker whom the fold scores.
        layers: From embed_clips.
        encoder: Their encoder.
        settings: How a head is trained.
        emotions: The classes.
    """
    labeled = [clip for clip in clips if clip.corpus != UNLABELED]
    unlabeled = [clip for clip in clips if clip.corpus == UNLABELED]
    group_of: dict[str, int] = {}
    for corpus in sorted({clip.corpus for clip in labeled}):
        speakers = sorted({clip.speaker for clip in labeled if clip.corpus == corpus})
        order = np.random.default_rng(0).permutation(len(speakers))
        group_of |= {speakers[place]: number % TEACHERS for number, place in enumerate(order)}
    answers: dict[str, NDArray[np.float32]] = {}
    total = np.zeros((len(unlabeled), len(emotions)))
    for number in range(TEACHERS):
        others = [clip for clip in labeled if group_of[clip.speaker] != number]
        own = [clip for clip in labeled if group_of[clip.speaker] == number]
        head = fit_head(others, layers, encoder, number, settings, emotions)
        said = softmax(predict_head(head, [*own, *unlabeled], layers).emotion)
        answers |= dict(zip((clip.file for clip in own), said.astype(np.float32), strict=False))
        total += said[len(own) :]
    mean = (total / TEACHERS).astype(np.float32)
    return answers | dict(zip((clip.file for clip in unlabeled), mean, strict=True))


def embed_clips(table: Dataset, encoder: Encoder) -> Layers:
    """Compute the pooled layers of every clip, or read them from the cache."""
    limit_threads(1)  # the speech detector leaves one thread, and encoders are large
    columns = {"layers": List(List(Value("float16")))}
    settings = {"name": encoder.name, "of_layers": list(encoder.layers)}
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
    """Train a head on the pooled layers of labeled clips; it is returned in evaluation mode."""
    clips = [clip for clip in clips if clip.emotion != UNKNOWN]
    limit_threads(1)
    torch.manual_seed(seed)
    head = ComparisonHead(HeadConfig(encoder.name, encoder.layers, encoder.width, emotions=tuple(emotions))).train()
    inputs = _gather(clips, layers)
    head.mean.copy_(inputs.mean(dim=0))
    head.std.copy_(inputs.std(dim=0, correction=0).clamp(min=1e-3))
    head.reference.copy_(encoder.embed(reference_waveform()))
    emotion, gender, intensity = (
        torch.tensor([getattr(clip, name) for clip in clips]) for name in ("emotion", "gender", "intensity")
    )
    smoothing = settings.label_smoothing
    targets = torch.nn.functional.one_hot(emotion, len(emotions)) * (1 - smoothing) + smoothing / len(emotions)
    weights = torch.tensor([settings.clip_weights.get(clip.corpus, 1.0) for clip in clips])
    weights = weights / weights.mean()
    optimizer = torch.optim.AdamW(head.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    batches = max(len(clips) // settings.batch, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.epochs * batches
    )
    for _ in range(settings.epochs):
        order = torch.randperm(len(clips))
        for batch in order[: batches * settings.batch].split(settings.batch):
            logits = head(inputs[batch])
            loss = soft_cross_entropy(logits.emotion, targets[batch] * weights[batch].unsqueeze(1))
            loss = loss + settings.gender_weight * known_cross_entropy(logits.gender, gender[batch])
            loss = loss + settings.intensity_weight * known_cross_entropy(logits.intensity, intensity[batch])
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
def _load_encoder(name: str, layers: tuple[int, ...]) -> Encoder:
    return Encoder.load(name, layers)


def _embed(row: dict[str, Any], name: str, of_layers: list[int]) -> dict[str, Any]:
    speech = np.asarray(row["waveform"], np.float32)[slice(*row["span"])]
    embedding = _load_encoder(name, tuple(of_layers)).embed(torch.from_numpy(speech))
    return {"layers": embedding.numpy().astype(np.float16)}
