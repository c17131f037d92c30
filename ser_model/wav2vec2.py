"""The comparison: a frozen wav2vec2 (or HuBERT, WavLM) encoder of transformers with a small head of our own.

The encoder has hundreds of times the parameters of EmotionCnn and is loaded only when asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional as F

from ser_model.calibrate import Calibration
from ser_model.cnn import Logits
from ser_model.files import read_checked
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES
from ser_model.recognize import WEIGHTS, EmotionRecognizer

DEFAULT_ENCODER = "facebook/wav2vec2-base"
HEAD_FOLDER = WEIGHTS / "wav2vec2"
CONFIG_NAME, HEAD_NAME = "config.json", "head.safetensors"
MAKE_HEAD = "python train.py --data DIR --model wav2vec2 --protocol all --calibration results/wav2vec2/metrics.json"


class ComparisonMissing(RuntimeError):  # noqa: N818 - it says what is, not what went wrong
    """The encoder or its head is not here; the message is one line with the command that gets it."""


@dataclass(frozen=True)
class HeadConfig:
    """Which encoder a head belongs to, and the head's sizes."""

    encoder: str
    revision: str
    layers: int  # hidden layers of the encoder and its input
    width: int  # channels of a layer
    hidden: int = 128
    dropout: float = 0.3
    emotions: tuple[str, ...] = EMOTIONS


class Encoder:
    """A frozen encoder: a waveform becomes one vector a layer, mean and deviation over its frames."""

    def __init__(self, network: Any, name: str, revision: str, normalise: bool) -> None:
        self._network = network.eval().requires_grad_(requires_grad=False)  # in train mode it would drop and mask
        self.name, self.revision, self._normalise = name, revision, normalise
        self.layers = int(network.config.num_hidden_layers) + 1
        self.width = int(network.config.hidden_size)

    @classmethod
    def load(cls, name: str = DEFAULT_ENCODER, revision: str | None = None) -> Encoder:
        """Load an encoder from the model hub's cache, the model hub or a local folder.

        Args:
            name: Such as "facebook/wav2vec2-base", or a folder.
            revision: A commit of the model hub; for a folder, the one that must be found in it.

        Raises:
            ComparisonMissing: It is not here and cannot be fetched, or the folder holds other weights.
        """
        from transformers import AutoModel, Wav2Vec2FeatureExtractor  # noqa: PLC0415 - seconds, and only for this

        local = Path(name).is_dir()
        try:
            commit = None if local else revision
            network = AutoModel.from_pretrained(name, revision=commit or "main")
            prepare = Wav2Vec2FeatureExtractor.from_pretrained(name, revision=commit or "main")
        except (OSError, ValueError) as error:
            raise ComparisonMissing(
                f"The encoder {name} is not on this machine. Get it with: hf download {name}"
            ) from error
        found = fingerprint_folder(Path(name)) if local else str(network.config._commit_hash)  # noqa: SLF001
        if local and revision not in (None, found):
            raise ComparisonMissing(
                f"The encoder in {name} is not the one the head was trained on. Train again: {MAKE_HEAD}"
            )
        return cls(network, name, found, bool(prepare.do_normalize))

    def describe(self, waveform: Tensor) -> Tensor:
        """Pool every layer of one clip; each frame of a layer is normalised first, as s3prl does.

        Args:
            waveform: (time,) the speech span at 16 kHz.

        Returns:
            (layer, 2 * width) means, then deviations over the frames.
        """
        if self._normalise:
            waveform = (waveform - waveform.mean()) / (waveform.var(correction=0) + 1e-7).sqrt()
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with torch.inference_mode():
            batch = waveform.unsqueeze(0).to(device)  # (1, time)
            hidden = self._network.to(device)(batch, output_hidden_states=True).hidden_states
            frames = F.layer_norm(torch.cat(hidden), (self.width,))  # (layer, frame, width)
            return torch.cat([frames.mean(dim=1), frames.std(dim=1, correction=0)], dim=1).cpu()

    def count_parameters(self) -> int:
        """Return how many numbers it has."""
        return sum(parameter.numel() for parameter in self._network.parameters())


class Wav2vec2Head(nn.Module):
    """Learned weighting of the layers > Linear > ReLU > emotion, gender, intensity."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        self.layer_scores = nn.Parameter(torch.zeros(config.layers))
        self.norm = nn.LayerNorm(2 * config.width)
        self.project = nn.Linear(2 * config.width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.emotion = nn.Linear(config.hidden, len(config.emotions))
        self.gender = nn.Linear(config.hidden, len(GENDERS))
        self.intensity = nn.Linear(config.hidden, len(INTENSITIES))

    def forward(self, vectors: Tensor) -> Logits:
        """Score (batch, layer, 2 * width) pooled layers."""
        weights = self.layer_scores.softmax(dim=0)
        mixed = torch.einsum("l,blw->bw", weights, vectors)  # (batch, 2 * width)
        hidden = self.dropout(F.relu(self.project(self.dropout(self.norm(mixed)))))
        return Logits(self.emotion(hidden), self.gender(hidden), self.intensity(hidden), hidden)


class ComparisonNetwork(nn.Module):
    """Encoder and head behind the interface of EmotionCnn, for EmotionRecognizer."""

    def __init__(self, encoder: Encoder, head: Wav2vec2Head) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, waveforms: Tensor, *, background: None = None) -> Logits:  # noqa: ARG002 - it takes none away
        """Score (batch, time) waveforms at 16 kHz, one after the other, for these encoders ask for no padding."""
        vectors = torch.stack([self.encoder.describe(waveform) for waveform in waveforms])
        return Logits(*self.head(vectors))

    def measure_background(self, _: Sequence[Tensor]) -> None:
        """Return nothing: these encoders learnt from recordings with their noise."""

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names of the emotions it scores, in their order."""
        return self.head.config.emotions

    def count_parameters(self) -> int:
        """Return how many numbers encoder and head have."""
        return self.encoder.count_parameters() + sum(parameter.numel() for parameter in self.head.parameters())


def save_head(folder: Path, head: Wav2vec2Head, calibration: dict[str, Any]) -> None:
    """Write FOLDER/config.json and FOLDER/head.safetensors, under 2 MB."""
    folder.mkdir(parents=True, exist_ok=True)
    data = save({name: tensor.contiguous() for name, tensor in head.state_dict().items()})
    (folder / HEAD_NAME).write_bytes(data)
    config = asdict(head.config) | calibration | {"head_sha256": hashlib.sha256(data).hexdigest()}
    (folder / CONFIG_NAME).write_text(json.dumps(config, indent=1) + "\n")


def load_comparison(folder: Path = HEAD_FOLDER) -> EmotionRecognizer:
    """Open the comparison: the head, and the encoder it was trained on.

    Raises:
        ComparisonMissing: One of them is not here; the message says the command that gets it.
    """
    if not (folder / HEAD_NAME).exists():
        raise ComparisonMissing(f"The comparison head has not been trained yet. Make it with: {MAKE_HEAD}")
    try:
        config = json.loads((folder / CONFIG_NAME).read_text())
        fields = {name: config[name] for name in HeadConfig.__dataclass_fields__}
        head = Wav2vec2Head(HeadConfig(**fields | {"emotions": tuple(fields["emotions"])}))
        head.load_state_dict(load(read_checked(folder / HEAD_NAME, str(config["head_sha256"]))))
        calibration = Calibration.from_config(config)
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise ComparisonMissing(
            f"The comparison head in {folder} is damaged. Make it again with: {MAKE_HEAD}"
        ) from error
    encoder = Encoder.load(head.config.encoder, head.config.revision)
    return EmotionRecognizer(ComparisonNetwork(encoder, head), calibration)


def fingerprint_folder(folder: Path) -> str:
    """Return a name for the weights in a local folder that changes when they do."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")) + sorted(folder.glob("pytorch_model*.bin")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:40]
