"""EmotionCnn, the small network, and its weights on disk. In plain PyTorch: serving needs no transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from . import frontend
from .frontend import N_MELS, LogMel
from .functionals import N_FUNCTIONALS, compute_functionals
from .labels import EMOTIONS, GENDERS, INTENSITIES

CONFIG_NAME, WEIGHTS_NAME = "config.json", "model.safetensors"
REMEDY = "Get it again, or run train.py --protocol all."


class WeightsError(RuntimeError):
    """The weights are missing or damaged. The message says how to get them."""


@dataclass(frozen=True)
class CnnConfig:
    """The sizes of the network and the emotions it predicts."""

    num_members: int = 1  # of the ensemble, see ensemble_networks
    channels: tuple[int, ...] = (128, 192, 192)  # of the blocks of each member
    kernel: int = 5  # frames
    pools: tuple[int, ...] = (2, 2, 1)  # max pooling behind each block
    attention: int = 64  # hidden units of the pooling
    dropout: float = 0.1
    emotions: tuple[str, ...] = EMOTIONS  # in the order of the logits

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> CnnConfig:
        """Read the fields of config.json; a missing one has its default."""
        given = {field.name: config[field.name] for field in fields(cls) if config.get(field.name) is not None}
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        return cls(**values)


class Logits(NamedTuple):
    """The outputs of the network. Those of ConvBranches are (batch, member, ...)."""

    emotion: Tensor  # (batch, emotion)
    gender: Tensor  # (batch, 2)
    intensity: Tensor  # (batch, 2)
    embedding: Tensor  # (batch, width), the input of SpeakerSpace


class ConvBlock(nn.Module):
    """Conv1d > BatchNorm > ReLU > max pool > dropout. Padding has no effect; the groups are independent."""

    def __init__(self, channels: int, to_channels: int, pool: int, config: CnnConfig) -> None:
        super().__init__()
        groups, padding = config.num_members, config.kernel // 2
        self.conv = nn.Conv1d(channels, to_channels, config.kernel, padding=padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm1d(to_channels)
        self.pool = pool
        self.dropout = nn.Dropout1d(config.dropout)

    def forward(self, frames: Tensor, num_frames: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Map (batch, channel, frame) and the (batch,) numbers of frames to those behind the pool."""
        frames = apply_mask(F.relu(self.norm(self.conv(frames))), num_frames)
        if self.pool > 1:
            frames = F.max_pool1d(frames, self.pool, ceil_mode=True)  # (batch, channel, frame / pool)
            if num_frames is not None:
                num_frames = torch.div(num_frames + self.pool - 1, self.pool, rounding_mode="floor")
        return self.dropout(frames), num_frames


class AttentivePooling(nn.Module):
    """Attentive statistics pooling (Okabe et al. 2018, eq. 2-5): weighted mean and deviation over time."""

    def __init__(self, channels: int, hidden: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        inner, outer = nn.Conv1d(channels, hidden, 1, groups=groups), nn.Conv1d(hidden, channels, 1, groups=groups)
        self.attention = nn.Sequential(inner, nn.Tanh(), outer)

    def forward(self, frames: Tensor, num_frames: Tensor | None) -> Tensor:
        """Map (batch, channel, frame) to (batch, 2 * channel), ordered by group."""
        scores = self.attention(frames)  # (batch, channel, frame)
        if num_frames is not None:
            scores = scores.masked_fill(padding_mask(num_frames, frames.shape[2]) == 0, -torch.inf)
        weights = scores.softmax(dim=2)
        mean = (weights * frames).sum(dim=2)
        variance = (weights * frames.square()).sum(dim=2) - mean.square()
        deviation = variance.clamp(min=1e-5).sqrt()
        both = [statistic.unflatten(1, (self.groups, -1)) for statistic in (mean, deviation)]  # (batch, group, channel)
        return torch.cat(both, dim=2).flatten(1)  # (batch, group * 2 * channel)


class ConvBranches(nn.Module):
    """3 x (Conv1d > BatchNorm > ReLU > pool) > attentive pooling > emotion, gender, intensity.

    The members of an ensemble lie side by side as the groups of each convolution and share nothing.
    """

    def __init__(self, config: CnnConfig) -> None:
        super().__init__()
        self.num_members = config.num_members
        widths = [self.num_members * width for width in (N_MELS, *config.channels)]
        self.input_norm = nn.BatchNorm1d(widths[0], affine=False)
        self.spec_augment: nn.Module = nn.Identity()  # set by training
        self.blocks = nn.ModuleList(
            ConvBlock(channels, to_channels, pool, config)
            for channels, to_channels, pool in zip(widths, widths[1:], config.pools, strict=False)
        )
        self.pooling = AttentivePooling(widths[-1], self.num_members * config.attention, self.num_members)
        self.norm = nn.BatchNorm1d(2 * widths[-1])
        self.dropout = nn.Dropout(config.dropout)
        self.emotion, self.gender, self.intensity = (
            nn.Conv1d(2 * widths[-1], self.num_members * len(names), 1, groups=self.num_members)
            for names in (config.emotions, GENDERS, INTENSITIES)
        )

    def forward(self, frames: Tensor, num_frames: Tensor | None) -> Logits:
        """Map (batch, mel, frame) log-mel to (batch, member, class) logits and a (batch, width) embedding."""
        frames = self.input_norm(frames.repeat(1, self.num_members, 1))  # (batch, member * mel, frame)
        frames = apply_mask(self.spec_augment(frames), num_frames)
        for block in self.blocks:
            frames, num_frames = block(frames, num_frames)
        pooled = self.dropout(self.norm(self.pooling(frames, num_frames)))  # (batch, member * 2 * channel)
        emotion, gender, intensity = (
            head(pooled.unsqueeze(2)).view(len(pooled), self.num_members, -1)  # (batch, member, class)
            for head in (self.emotion, self.gender, self.intensity)
        )
        count = frames.shape[2] if num_frames is None else num_frames.unsqueeze(1)
        mean = apply_mask(frames, num_frames).sum(dim=2) / count  # (batch, member * channel)
        variance = apply_mask((frames - mean.unsqueeze(2)).square(), num_frames).sum(dim=2) / count
        return Logits(emotion, gender, intensity, torch.cat([mean, variance.clamp(min=1e-8).sqrt()], dim=1))


class FunctionalsHead(nn.Module):
    """Functionals of the whole clip > z-scores, clipped > linear > emotion."""

    MAX_Z = 4.0
    mean: Tensor
    std: Tensor

    def __init__(self, num_emotions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_FUNCTIONALS))
        self.register_buffer("std", torch.ones(N_FUNCTIONALS))
        self.linear = nn.Linear(N_FUNCTIONALS, num_emotions)

    def forward(self, frames: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Map (batch, mel, frame) log-mel to (batch, emotion) logits."""
        with torch.autocast(frames.device.type, enabled=False):
            scores = (compute_functionals(frames, num_frames) - self.mean) / self.std
            logits: Tensor = self.linear(scores.clamp(-self.MAX_Z, self.MAX_Z))
        return logits

    def fit_standardization(self, functionals: Tensor) -> None:
        """Take mean and deviation from the (clip, functional) array of the training clips."""
        self.mean.copy_(functionals.mean(dim=0))
        self.std.copy_(functionals.std(dim=0, correction=0).clamp(min=1e-3))


class EmotionCnn(nn.Module):
    """Log-mel > convolutions with attentive pooling; beside them, functionals > linear; the probabilities multiplied.

    Both are trained with a loss of their own and make different errors.
    """

    def __init__(self, config: CnnConfig | None = None) -> None:
        super().__init__()
        self.config = config or CnnConfig()
        self.frontend = LogMel()
        self.branches = ConvBranches(self.config)
        self.functionals_head = FunctionalsHead(len(self.config.emotions))

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions in the order of the logits."""
        return self.config.emotions

    def count_parameters(self) -> int:
        """Return the number of trained parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None, noise_floor: Tensor | None = None) -> Logits:
        """Predict from (batch, time) float32 at SAMPLE_RATE, zero-padded.

        Without (batch,) lengths all samples count; without a (1, mel) noise floor nothing is subtracted.
        """
        num_frames = None if lengths is None else frontend.num_frames(lengths)
        if lengths is None:
            lengths = torch.full(waveforms.shape[:1], waveforms.shape[1], device=waveforms.device)
        frames = self.frontend(waveforms, lengths, noise_floor)
        cnn_logits, functional_logits = self.branch_logits(frames, num_frames)
        functional_log_probs = functional_logits.log_softmax(dim=1)  # (batch, emotion)
        if noise_floor is not None:
            weight = frontend.functionals_weight(noise_floor, frontend.rms(waveforms, lengths))
            functional_log_probs = functional_log_probs * weight.unsqueeze(1)
        return Logits(
            emotion=functional_log_probs + cnn_logits.emotion.log_softmax(dim=2).sum(dim=1),
            gender=cnn_logits.gender.mean(dim=1),
            intensity=cnn_logits.intensity.mean(dim=1),
            embedding=cnn_logits.embedding,
        )

    def branch_logits(self, frames: Tensor, num_frames: Tensor | None = None) -> tuple[Logits, Tensor]:
        """Return the logits of the convolutions, (batch, member, ...), and of the functionals, (batch, emotion)."""
        return self.branches(frames, num_frames), self.functionals_head(frames, num_frames)

    def estimate_noise_floor(self, pieces: Sequence[Tensor]) -> Tensor | None:
        """Return the noise floor, (1, mel) power, of (time,) pieces without speech; see frontend."""
        return frontend.estimate_noise_floor(self.frontend.mel, pieces)


def padding_mask(num_frames: Tensor, total: int) -> Tensor:
    """Return (batch, 1, total) ones for the frames of each clip and zeros for its padding."""
    return (torch.arange(total, device=num_frames.device) < num_frames.unsqueeze(1)).unsqueeze(1).float()


def apply_mask(frames: Tensor, num_frames: Tensor | None) -> Tensor:
    """Zero the padding of (batch, channel, frame); without num_frames there is none."""
    return frames if num_frames is None else frames * padding_mask(num_frames, frames.shape[2])


def ensemble_networks(networks: Sequence[EmotionCnn]) -> EmotionCnn:
    """Combine networks that were trained on the same clips into one that multiplies their emotion probabilities."""
    heads = [network.functionals_head.state_dict() for network in networks]
    if not all(torch.equal(head[name], heads[0][name]) for head in heads for name in ("mean", "std")):
        raise ValueError("Only networks that were trained on the same clips can form an ensemble.")
    config = replace(networks[0].config, num_members=sum(network.config.num_members for network in networks))
    ensemble = EmotionCnn(config)
    branches = [network.branches.state_dict() for network in networks]
    joined = {
        name: torch.cat([own[name] for own in branches]) if tensor.dim() else tensor
        for name, tensor in branches[0].items()
    }
    ensemble.branches.load_state_dict(joined)
    linear = {name: sum(head[name] for head in heads) for name in heads[0] if name.startswith("linear")}
    ensemble.functionals_head.load_state_dict(heads[0] | linear)
    return ensemble.eval()


def save_network(network: EmotionCnn, folder: Path) -> None:
    """Write FOLDER/model.safetensors with the tensor names of the class in hub.py."""
    state = {f"network.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, folder / WEIGHTS_NAME, metadata={"format": "pt"})


def load_network(folder: Path) -> EmotionCnn:
    """Read a network, in evaluation mode, from config.json and model.safetensors; may raise a WeightsError."""
    config = read_config(folder)
    try:
        network = EmotionCnn(CnnConfig.from_json(config))
        state = load_file(folder / WEIGHTS_NAME)
        network.load_state_dict({name.removeprefix("network."): tensor for name, tensor in state.items()})
    except (OSError, TypeError, ValueError, SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{folder / WEIGHTS_NAME} is missing or damaged. {REMEDY}") from error
    return network.eval()


def read_config(folder: Path) -> dict[str, Any]:
    """Read FOLDER/config.json; may raise a WeightsError."""
    try:
        return dict(json.loads((folder / CONFIG_NAME).read_text()))
    except (OSError, TypeError, ValueError) as error:
        raise WeightsError(f"{folder / CONFIG_NAME} is missing or damaged. {REMEDY}") from error


def weights_id(folder: Path) -> str:
    """Return the SHA-256 of FOLDER/model.safetensors, by which results name the weights they were measured with."""
    with (folder / WEIGHTS_NAME).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
