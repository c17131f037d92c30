"""The comparison head's training: the encoder hears every clip once and its layers are kept; a head fits in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ser_model.labels import EMOTIONS
from ser_model.training.clips import Clip
from ser_model.training.fit import Scores, measure_known
from ser_model.training.whole import write_array
from ser_model.wav2vec2 import Encoder, HeadConfig, Wav2vec2Head

CHUNK = 64  # clips kept in one file

Layers = dict[str, NDArray[np.float16]]  # (layer, 2 * width) by file name


@dataclass(frozen=True)
class HeadSettings:
    """How the head learns."""

    epochs: int = 60
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    gender_weight: float = 0.2
    intensity_weight: float = 0.2


def describe_layers(clips: list[Clip], encoder: Encoder, cache: Path) -> Layers:
    """Compute or take up every clip's pooled layers, with a progress bar.

    A file of the cache is written whole or not at all, so a run that was cut off goes on where it stopped.

    Args:
        clips: The corpus.
        encoder: What hears them.
        cache: Folder that holds one folder for each encoder, revision and corpus.
    """
    folder = cache / _name_cache(clips, encoder)
    folder.mkdir(parents=True, exist_ok=True)
    layers: Layers = {}
    with tqdm(total=len(clips), desc=f"Encoding with {encoder.name}", unit="clip") as progress:
        for first in range(0, len(clips), CHUNK):
            part = clips[first : first + CHUNK]
            vectors = _describe_chunk(part, encoder, folder / f"{first:05d}.npy")
            layers |= {clip.file: row for clip, row in zip(part, vectors, strict=True)}
            progress.update(len(part))
    return layers


def fit_head(
    clips: list[Clip],
    layers: Layers,
    encoder: Encoder,
    seed: int,
    settings: HeadSettings,
    emotions: tuple[str, ...] = EMOTIONS,
) -> Wav2vec2Head:
    """Train a head on the kept vectors.

    Returns:
        The head in evaluation mode.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = Wav2vec2Head(HeadConfig(encoder.name, encoder.revision, encoder.layers, encoder.width, emotions=emotions))
    vectors = _gather(clips, layers)
    labels = torch.tensor([[clip.emotion, clip.gender, clip.intensity] for clip in clips])
    optimiser = torch.optim.AdamW(head.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    head.train()
    for _ in range(settings.epochs):
        for rows in torch.from_numpy(rng.permutation(len(clips))).split(settings.batch):
            logits, truth = head(vectors[rows]), labels[rows]
            loss = F.cross_entropy(logits.emotion, truth[:, 0], label_smoothing=settings.label_smoothing)
            loss = loss + settings.gender_weight * F.cross_entropy(logits.gender, truth[:, 1])
            loss = loss + settings.intensity_weight * measure_known(logits.intensity, truth[:, 2])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    return head.eval()


def score_layers(head: Wav2vec2Head, clips: list[Clip], layers: Layers) -> Scores:
    """Score clips by their kept vectors."""
    with torch.inference_mode():
        logits = head.eval()(_gather(clips, layers))
    return Scores(*(head.double().numpy() for head in logits))


def _describe_chunk(clips: list[Clip], encoder: Encoder, path: Path) -> NDArray[np.float16]:
    if path.exists():
        return np.asarray(np.load(path))
    rows = [encoder.describe(torch.from_numpy(clip.speech)).numpy() for clip in clips]
    vectors = np.stack(rows).astype(np.float16)  # (clip, layer, 2 * width)
    write_array(path, vectors)
    return vectors


def _gather(clips: list[Clip], layers: Layers) -> Tensor:
    return torch.from_numpy(np.stack([layers[clip.file] for clip in clips])).float()  # (clip, layer, 2 * width)


def _name_cache(clips: list[Clip], encoder: Encoder) -> str:
    corpus = hashlib.sha256()
    for clip in clips:
        corpus.update(f"{clip.file} {clip.span}".encode())
        corpus.update(clip.speech.tobytes())
    return f"{Path(encoder.name).name}-{encoder.revision[:12]}-{corpus.hexdigest()[:12]}"
