"""EmotionCnn, the compact network: plain torch, read from safetensors, no transformers needed to serve it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.transforms import FrequencyMasking, TimeMasking

from ser_model.features import N_MELS, LogMel, count_frames
from ser_model.files import REMEDY, WEIGHTS_NAME, read_checked
from ser_model.files import WeightsError as WeightsError  # noqa: PLC0414 - whoever loads a network catches it
from ser_model.files import read_config as read_config  # noqa: PLC0414
from ser_model.functionals import N_FUNCTIONALS, measure_functionals
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES

MASKED_BANDS, MASKED_FRAMES = 10, 10  # hidden at most, once a clip, in training (SpecAugment, Park et al. 2019)


@dataclass(frozen=True)
class CnnConfig:
    """The sizes of the network, and the emotions it tells apart."""

    channels: tuple[int, int, int] = (128, 192, 192)
    kernel: int = 5  # frames
    pools: tuple[int, int, int] = (2, 2, 1)  # frames merged behind each block
    attention: int = 64  # hidden units of the pooling
    dropout: float = 0.1
    emotions: tuple[str, ...] = EMOTIONS  # one for each score of the emotion head, in its order

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> CnnConfig:
        """Read what config.json keeps; one that names no emotions has the eight of RAVDESS.

        Raises:
            KeyError: A size is missing.
        """
        return cls(
            to_triple(config["channels"]),
            config["kernel"],
            to_triple(config["pools"]),
            config["attention"],
            config["dropout"],
            tuple(config.get("emotions", EMOTIONS)),
        )


def to_triple(sizes: Sequence[int]) -> tuple[int, int, int]:
    """Read one size for each of the three blocks from JSON."""
    first, second, third = sizes
    return first, second, third


class Logits(NamedTuple):
    """The scores of the three heads before softmax, and what the voice is told by."""

    emotion: Tensor  # (batch, emotion)
    gender: Tensor  # (batch, 2)
    intensity: Tensor  # (batch, 2)
    embedding: Tensor  # (batch, width) what SpeakerSpace compares voices by


class ConvBlock(nn.Module):
    """Conv1d > BatchNorm > ReLU > max pool > dropout, blind to frames behind a clip's end."""

    def __init__(self, wide_in: int, wide_out: int, kernel: int, pool: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(wide_in, wide_out, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm1d(wide_out)
        self.pool = pool
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, frames: Tensor, counts: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Map (batch, channel, frame) and the (batch,) frame counts to the next block's."""
        frames = blank(F.relu(self.norm(self.conv(frames))), counts)
        frames = F.max_pool1d(frames, self.pool, ceil_mode=True)  # (batch, channel, frame / pool)
        if counts is not None:
            counts = torch.div(counts + self.pool - 1, self.pool, rounding_mode="floor")
        return self.dropout(frames), counts


class AttentivePooling(nn.Module):
    """Attentive statistics pooling (Okabe et al. 2018, eq. 2-5): weighted mean and deviation over time."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Conv1d(channels, hidden, 1), nn.Tanh(), nn.Conv1d(hidden, channels, 1))

    def forward(self, frames: Tensor, counts: Tensor | None) -> Tensor:
        """Pool (batch, channel, frame) with (batch,) counts to (batch, 2 * channel)."""
        scores = self.score(frames)  # (batch, channel, frame)
        if counts is not None:
            scores = scores.masked_fill(mask_of(counts, frames.shape[2]) == 0, -torch.inf)
        weights = scores.softmax(dim=2)
        mean = (weights * frames).sum(dim=2)
        variance = (weights * frames.square()).sum(dim=2) - mean.square()
        return torch.cat([mean, variance.clamp(min=1e-5).sqrt()], dim=1)


class FunctionalsHead(nn.Module):
    """Functionals of the whole clip > standard scores, at most LIMIT > linear: the second opinion on the emotion."""

    LIMIT = 4.0
    mean: Tensor
    deviation: Tensor

    def __init__(self, emotions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_FUNCTIONALS))
        self.register_buffer("deviation", torch.ones(N_FUNCTIONALS))
        self.linear = nn.Linear(N_FUNCTIONALS, emotions)

    def forward(self, frames: Tensor, counts: Tensor | None = None) -> Tensor:
        """Map (batch, mel, frame) log-mel with (batch,) counts to (batch, emotion) logits; all frames when left out."""
        if counts is None:
            counts = torch.full(frames.shape[:1], frames.shape[2], device=frames.device)
        with torch.autocast(frames.device.type, enabled=False):
            scores = (measure_functionals(frames, counts) - self.mean) / self.deviation
            logits: Tensor = self.linear(scores.clamp(-self.LIMIT, self.LIMIT))
        return logits

    def standardise(self, functionals: Tensor) -> None:
        """Take mean and deviation from the (clip, figure) functionals of the training clips."""
        self.mean.copy_(functionals.mean(dim=0))
        self.deviation.copy_(functionals.std(dim=0, correction=0).clamp(min=1e-3))


def mask_of(counts: Tensor, frames: int) -> Tensor:
    """Return (batch, 1, frame) ones where a clip has frames and zeros behind its end."""
    return (torch.arange(frames, device=counts.device) < counts.unsqueeze(1)).unsqueeze(1).float()


def blank(frames: Tensor, counts: Tensor | None) -> Tensor:
    """Zero what lies behind each clip's end in (batch, channel, frame); nothing does without counts."""
    return frames if counts is None else frames * mask_of(counts, frames.shape[2])


def summarise_frames(frames: Tensor, counts: Tensor | None) -> Tensor:
    """Return (batch, 2 * channel) mean and deviation over the real frames of (batch, channel, frame)."""
    sizes = frames.shape[2] if counts is None else counts.unsqueeze(1)
    mean = blank(frames, counts).sum(dim=2) / sizes
    variance = blank((frames - mean.unsqueeze(2)).square(), counts).sum(dim=2) / sizes
    return torch.cat([mean, variance.clamp(min=1e-8).sqrt()], dim=1)


class EmotionCnn(nn.Module):
    """Log-mel > 3 x (Conv1d > BatchNorm > ReLU > pool) > attentive mean and deviation > emotion, gender, intensity.

    Beside the convolutions a linear layer on functionals of the whole clip gives its own opinion on the emotion. The
    two learn apart, each by its own loss, and are multiplied as probabilities.
    """

    def __init__(self, config: CnnConfig | None = None) -> None:
        super().__init__()
        self.config = config or CnnConfig()
        widths = (N_MELS, *self.config.channels)
        self.front_end = LogMel()
        self.functionals = FunctionalsHead(len(self.config.emotions))
        self.standardise = nn.BatchNorm1d(N_MELS, affine=False)
        self.hide = nn.Sequential(
            FrequencyMasking(MASKED_BANDS, iid_masks=True), TimeMasking(MASKED_FRAMES, iid_masks=True)
        )
        self.blocks = nn.ModuleList(
            ConvBlock(wide_in, wide_out, self.config.kernel, pool, self.config.dropout)
            for wide_in, wide_out, pool in zip(widths, widths[1:], self.config.pools, strict=False)
        )
        self.pooling = AttentivePooling(widths[-1], self.config.attention)
        self.norm = nn.BatchNorm1d(2 * widths[-1])
        self.dropout = nn.Dropout(self.config.dropout)
        self.emotion = nn.Linear(2 * widths[-1], len(self.config.emotions))
        self.gender = nn.Linear(2 * widths[-1], len(GENDERS))
        self.intensity = nn.Linear(2 * widths[-1], len(INTENSITIES))

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Logits:
        """Score waveforms.

        Args:
            waveforms: (batch, time) float32 at 16 kHz, zeros behind each clip's end.
            lengths: (batch,) samples in each clip; all of them when left out.
        """
        if lengths is not None:
            return self.score_frames(self.front_end(waveforms, lengths), count_frames(lengths))
        lengths = torch.full(waveforms.shape[:1], waveforms.shape[1], device=waveforms.device)
        return self.score_frames(self.front_end(waveforms, lengths))

    def score_frames(self, frames: Tensor, counts: Tensor | None = None) -> Logits:
        """Score (batch, mel, frame) log-mel frames of which the first (batch,) counts are real; all when left out."""
        heard, described = self.score_apart(frames, counts)
        return heard._replace(emotion=heard.emotion.log_softmax(dim=1) + described.log_softmax(dim=1))

    def score_apart(self, frames: Tensor, counts: Tensor | None = None) -> tuple[Logits, Tensor]:
        """Return the convolutions' logits, and the functionals' (batch, emotion) logits."""
        described = self.functionals(frames, counts)
        frames = self.standardise(frames)
        if self.training:
            frames = self.hide(frames.unsqueeze(1)).squeeze(1)  # (batch, 1, mel, frame) within
        frames = blank(frames, counts)
        for block in self.blocks:
            frames, counts = block(frames, counts)
        pooled = self.dropout(self.norm(self.pooling(frames, counts)))  # (batch, 2 * channel)
        logits = Logits(
            self.emotion(pooled), self.gender(pooled), self.intensity(pooled), summarise_frames(frames, counts)
        )
        return logits, described

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names of the emotions it scores, in their order."""
        return self.config.emotions

    def count_parameters(self) -> int:
        """Return how many numbers training sets."""
        return sum(parameter.numel() for parameter in self.parameters())


def save_network(network: EmotionCnn, folder: Path) -> str:
    """Write the weights as FOLDER/model.safetensors, named as hub.py's wrapper names them.

    Returns:
        Their SHA-256, which belongs into config.json as weights_sha256.
    """
    state = {f"network.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    data = save(state, metadata={"format": "pt"})
    (folder / WEIGHTS_NAME).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def load_network(folder: Path) -> EmotionCnn:
    """Read a network in evaluation mode from FOLDER/config.json and FOLDER/model.safetensors.

    Raises:
        WeightsError: A file is missing, does not fit, or is not the one whose SHA-256 stands in config.json.
    """
    config = read_config(folder)
    try:
        network = EmotionCnn(CnnConfig.from_json(config))
        state = load(read_checked(folder / WEIGHTS_NAME, config.get("weights_sha256")))
        network.load_state_dict({name.removeprefix("network."): tensor for name, tensor in state.items()})
    except (OSError, KeyError, TypeError, ValueError, SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{folder / WEIGHTS_NAME} is missing or damaged. {REMEDY}") from error
    return network.eval()
