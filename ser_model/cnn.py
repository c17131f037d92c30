"""EmotionCnn, the compact network: plain torch, read from safetensors, no transformers needed to serve it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torchaudio.transforms import FrequencyMasking, TimeMasking

from ser_model.background import measure_background, measure_trust
from ser_model.blocks import AttentivePooling, ConvBlock, FunctionalsHead, blank, summarise_frames
from ser_model.features import N_MELS, LogMel, count_frames, measure_rms
from ser_model.files import REMEDY, WEIGHTS_NAME, read_checked
from ser_model.files import WeightsError as WeightsError  # noqa: PLC0414 - whoever loads a network catches it
from ser_model.files import read_config as read_config  # noqa: PLC0414
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES

MASKED_BANDS, MASKED_FRAMES = 10, 10  # hidden at most, once a clip, in training (SpecAugment, Park et al. 2019)


@dataclass(frozen=True)
class CnnConfig:
    """The sizes of the network, and the emotions it tells apart."""

    towers: int = 1  # stacks of convolutions side by side, see join_networks
    channels: tuple[int, int, int] = (128, 192, 192)  # of each tower
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
            config["towers"],
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

    emotion: Tensor  # (batch, emotion); what Towers give is (batch, tower, emotion), and so on
    gender: Tensor  # (batch, 2)
    intensity: Tensor  # (batch, 2)
    embedding: Tensor  # (batch, width) what SpeakerSpace compares voices by


class Towers(nn.Module):
    """3 x (Conv1d > BatchNorm > ReLU > pool) > attentive mean and deviation > emotion, gender, intensity.

    Towers lie side by side in the channels, as the groups of each convolution: none hears another.
    """

    def __init__(self, config: CnnConfig) -> None:
        super().__init__()
        self.count = config.towers
        widths = [self.count * width for width in (N_MELS, *config.channels)]
        self.standardise = nn.BatchNorm1d(widths[0], affine=False)
        self.hide = nn.Sequential(
            FrequencyMasking(MASKED_BANDS, iid_masks=True), TimeMasking(MASKED_FRAMES, iid_masks=True)
        )
        self.blocks = nn.ModuleList(
            ConvBlock(wide_in, wide_out, config.kernel, pool, config.dropout, self.count)
            for wide_in, wide_out, pool in zip(widths, widths[1:], config.pools, strict=False)
        )
        self.pooling = AttentivePooling(widths[-1], self.count * config.attention, self.count)
        self.norm = nn.BatchNorm1d(2 * widths[-1])
        self.dropout = nn.Dropout(config.dropout)
        self.emotion, self.gender, self.intensity = (
            nn.Conv1d(2 * widths[-1], self.count * len(names), 1, groups=self.count)
            for names in (config.emotions, GENDERS, INTENSITIES)
        )

    def forward(self, frames: Tensor, counts: Tensor | None) -> Logits:
        """Score (batch, mel, frame) log-mel frames of which the first (batch,) counts are real, (batch, tower, ...)."""
        frames = self.standardise(frames.repeat(1, self.count, 1))  # (batch, tower * mel, frame)
        if self.training:
            frames = self.hide(frames.unsqueeze(1)).squeeze(1)  # (batch, 1, tower * mel, frame) within
        frames = blank(frames, counts)
        for block in self.blocks:
            frames, counts = block(frames, counts)
        pooled = self.dropout(self.norm(self.pooling(frames, counts)))  # (batch, tower * 2 * channel)
        emotion, gender, intensity = (
            head(pooled.unsqueeze(2)).view(len(pooled), self.count, -1)  # (batch, tower, class)
            for head in (self.emotion, self.gender, self.intensity)
        )
        return Logits(emotion, gender, intensity, summarise_frames(frames, counts))


class EmotionCnn(nn.Module):
    """Log-mel > towers of convolutions, and beside them a linear layer on functionals of the whole clip.

    Each learns by a loss of its own and errs elsewhere; their opinions on the emotion are multiplied as probabilities.
    Training makes networks of one tower; join_networks puts several of them into one.
    """

    def __init__(self, config: CnnConfig | None = None) -> None:
        super().__init__()
        self.config = config or CnnConfig()
        self.front_end = LogMel()
        self.towers: nn.Module = Towers(self.config)
        self.functionals = FunctionalsHead(len(self.config.emotions))
        self._size = sum(parameter.numel() for parameter in self.parameters())  # int8.py hides some

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None, background: Tensor | None = None) -> Logits:
        """Score waveforms.

        Args:
            waveforms: (batch, time) float32 at 16 kHz, zeros behind each clip's end.
            lengths: (batch,) samples in each clip; all of them when left out.
            background: (1, mel) from measure_background; nothing is taken away when left out.
        """
        counts = None if lengths is None else count_frames(lengths)
        if lengths is None:
            lengths = torch.full(waveforms.shape[:1], waveforms.shape[1], device=waveforms.device)
        frames = self.front_end(waveforms, lengths, background)
        if background is None:
            return self.score_frames(frames, counts)
        return self.score_frames(frames, counts, measure_trust(background, measure_rms(waveforms, lengths)))

    def measure_background(self, pieces: Sequence[Tensor]) -> Tensor | None:
        """Return what is there all the time in (time,) pieces beside the speech, as (1, mel) power, if they tell."""
        return measure_background(self.front_end.mel, pieces)

    def score_frames(self, frames: Tensor, counts: Tensor | None = None, trust: Tensor | None = None) -> Logits:
        """Score log-mel frames.

        Args:
            frames: (batch, mel, frame).
            counts: (batch,) how many of them are real; all when left out.
            trust: (batch,) weight of the functionals' opinion, 0 to 1; 1 when left out.
        """
        heard, described = self.score_apart(frames, counts)
        described = described.log_softmax(dim=1)  # (batch, emotion)
        if trust is not None:
            described = described * trust.unsqueeze(1)
        return Logits(
            emotion=described + heard.emotion.log_softmax(dim=2).sum(dim=1),
            gender=heard.gender.mean(dim=1),
            intensity=heard.intensity.mean(dim=1),
            embedding=heard.embedding,
        )

    def score_apart(self, frames: Tensor, counts: Tensor | None = None) -> tuple[Logits, Tensor]:
        """Return the towers' logits, (batch, tower, ...), and the functionals' (batch, emotion) logits."""
        return self.towers(frames, counts), self.functionals(frames, counts)

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names of the emotions it scores, in their order."""
        return self.config.emotions

    def count_parameters(self) -> int:
        """Return how many numbers training sets."""
        return self._size


def join_networks(networks: Sequence[EmotionCnn]) -> EmotionCnn:
    """Make one network, in evaluation mode, that says what several say together: the product of their probabilities.

    Raises:
        ValueError: They were not trained on the same clips.
    """
    first = networks[0]
    joined = EmotionCnn(replace(first.config, towers=sum(network.config.towers for network in networks)))
    towers = [network.towers.state_dict() for network in networks]
    joined.towers.load_state_dict(
        {name: torch.cat([one[name] for one in towers]) if own.dim() else own for name, own in towers[0].items()}
    )
    for name, buffer in first.functionals.named_buffers():
        if not all(torch.equal(buffer, network.functionals.get_buffer(name)) for network in networks):
            raise ValueError("Networks can be joined that were trained on the same clips alone.")
    state = [network.functionals.state_dict() for network in networks]
    weights = {name: sum(one[name] for one in state) for name in state[0] if name.startswith("linear")}
    joined.functionals.load_state_dict(state[0] | weights)
    return joined.eval()


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
