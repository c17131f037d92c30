"""The comparison: a small head on a frozen pretrained encoder (wav2vec2, HuBERT or WavLM), loaded only on demand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ser_model.calibration import Calibration
from ser_model.cnn import CONFIG_NAME, Logits
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES
from ser_model.recognize import WEIGHTS, EmotionRecognizer

DEFAULT_ENCODER = "facebook/wav2vec2-base"
HEAD_FOLDER = WEIGHTS / "comparison"
HEAD_NAME = "head.safetensors"
MAKE_HEAD = "python train.py --data DIR --model comparison --protocol all --calibration results/comparison/metrics.json"


class ComparisonMissing(RuntimeError):  # noqa: N818 - it names a state, not a fault
    """The encoder or its head is missing or damaged. The message is one line with the command that gets it."""


@dataclass(frozen=True)
class HeadConfig:
    """The encoder that a head belongs to, and the sizes of both."""

    encoder: str
    revision: str
    layers: int  # hidden layers of the encoder, and its input
    width: int  # channels of a layer
    hidden: int = 128
    dropout: float = 0.3
    emotions: tuple[str, ...] = EMOTIONS


class Encoder:
    """A frozen encoder: waveform > mean and deviation over the frames of each layer."""

    def __init__(self, network: Any, name: str, revision: str, normalize: bool) -> None:
        self._network = network.eval().requires_grad_(requires_grad=False)  # in train mode it would drop and mask
        self.name, self.revision, self._normalize = name, revision, normalize
        self.layers = int(network.config.num_hidden_layers) + 1
        self.width = int(network.config.hidden_size)

    @classmethod
    def load(cls, name: str = DEFAULT_ENCODER, revision: str | None = None) -> Encoder:
        """Load an encoder from the model hub, its cache, or a local folder.

        Args:
            name: Such as "facebook/wav2vec2-base", or a folder.
            revision: A commit of the model hub. For a folder: the hash of the weights that it must have.

        Raises:
            ComparisonMissing: It is not on this machine and cannot be downloaded, or the folder has other weights.
        """
        from transformers import AutoModel, Wav2Vec2FeatureExtractor  # noqa: PLC0415 - takes seconds

        local = Path(name).is_dir()
        try:
            commit = "main" if local or revision is None else revision
            network = AutoModel.from_pretrained(name, revision=commit)
            extractor = Wav2Vec2FeatureExtractor.from_pretrained(name, revision=commit)
        except (OSError, ValueError) as error:
            raise ComparisonMissing(
                f"The encoder {name} is not on this machine. Get it with: hf download {name}"
            ) from error
        found = _hash_weights(Path(name)) if local else str(network.config._commit_hash)  # noqa: SLF001
        if local and revision not in (None, found):
            raise ComparisonMissing(
                f"The encoder in {name} is not the one the head was trained on. Train again: {MAKE_HEAD}"
            )
        return cls(network, name, found, bool(extractor.do_normalize))

    def embed(self, waveform: Tensor) -> Tensor:
        """Pool each layer over time, after normalizing its frames as s3prl does.

        Args:
            waveform: (time,) the speech span at 16 kHz.

        Returns:
            (layer, 2 * width): the mean over the frames, then the deviation.
        """
        if self._normalize:
            waveform = (waveform - waveform.mean()) / (waveform.var(correction=0) + 1e-7).sqrt()
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with torch.inference_mode():
            batch = waveform.unsqueeze(0).to(device)  # (1, time)
            hidden = self._network.to(device)(batch, output_hidden_states=True).hidden_states
            frames = F.layer_norm(torch.cat(hidden), (self.width,))  # (layer, frame, width)
            return torch.cat([frames.mean(dim=1), frames.std(dim=1, correction=0)], dim=1).cpu()

    def count_parameters(self) -> int:
        """Return the number of parameters."""
        return sum(parameter.numel() for parameter in self._network.parameters())


class ComparisonHead(nn.Module):
    """Learned weighted sum of the layers > LayerNorm > Linear > ReLU > emotion, gender, intensity."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        self.layer_weights = nn.Parameter(torch.zeros(config.layers))  # before softmax
        self.norm = nn.LayerNorm(2 * config.width)
        self.projection = nn.Linear(2 * config.width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.emotion = nn.Linear(config.hidden, len(config.emotions))
        self.gender = nn.Linear(config.hidden, len(GENDERS))
        self.intensity = nn.Linear(config.hidden, len(INTENSITIES))

    def forward(self, layers: Tensor) -> Logits:
        """Predict from (batch, layer, 2 * width) pooled layers."""
        mixed = torch.einsum("l,blw->bw", self.layer_weights.softmax(dim=0), layers)  # (batch, 2 * width)
        hidden = self.dropout(F.relu(self.projection(self.dropout(self.norm(mixed)))))
        return Logits(self.emotion(hidden), self.gender(hidden), self.intensity(hidden), hidden)


class ComparisonNetwork(nn.Module):
    """Encoder and head with the interface of EmotionCnn, for EmotionRecognizer."""

    def __init__(self, encoder: Encoder, head: ComparisonHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions in the order of the logits."""
        return self.head.config.emotions

    def count_parameters(self) -> int:
        """Return the number of parameters of encoder and head."""
        return self.encoder.count_parameters() + sum(parameter.numel() for parameter in self.head.parameters())

    def forward(self, waveforms: Tensor, *, noise_floor: None = None) -> Logits:  # noqa: ARG002 - subtracts nothing
        """Predict from (batch, time) waveforms at 16 kHz, one by one, because these encoders expect no padding."""
        layers = torch.stack([self.encoder.embed(waveform) for waveform in waveforms])  # (batch, layer, 2 * width)
        return Logits(*self.head(layers))

    def estimate_noise_floor(self, _: Sequence[Tensor]) -> None:
        """Return nothing: these encoders were trained with noise."""


def has_head(folder: Path = HEAD_FOLDER) -> bool:
    """Return whether a head has been trained, so that the comparison can be offered."""
    return (folder / HEAD_NAME).exists()


def save_head(folder: Path, head: ComparisonHead, calibration: dict[str, Any]) -> None:
    """Write FOLDER/config.json and FOLDER/head.safetensors, less than 2 MB."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in head.state_dict().items()}, folder / HEAD_NAME)
    (folder / CONFIG_NAME).write_text(json.dumps(asdict(head.config) | calibration, indent=1) + "\n")


def load_comparison(folder: Path = HEAD_FOLDER) -> EmotionRecognizer:
    """Load the head and the encoder it was trained on.

    Raises:
        ComparisonMissing: One of them is missing or damaged; the message has the command that gets it.
    """
    if not has_head(folder):
        raise ComparisonMissing(f"The comparison head has not been trained yet. Make it with: {MAKE_HEAD}")
    try:
        config = json.loads((folder / CONFIG_NAME).read_text())
        sizes = {name: config[name] for name in HeadConfig.__dataclass_fields__}
        head = ComparisonHead(HeadConfig(**sizes | {"emotions": tuple(sizes["emotions"])}))
        head.load_state_dict(load_file(folder / HEAD_NAME))
        calibration = Calibration.from_config(config)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise ComparisonMissing(
            f"The comparison head in {folder} is damaged. Make it again with: {MAKE_HEAD}"
        ) from error
    encoder = Encoder.load(head.config.encoder, head.config.revision)
    return EmotionRecognizer(ComparisonNetwork(encoder, head), calibration)


def _hash_weights(folder: Path) -> str:
    """Return a name for the weights in a local folder, as long as a commit's."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")) + sorted(folder.glob("pytorch_model*.bin")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:40]
