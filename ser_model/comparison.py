"""The second opinion: a small head on a frozen pretrained encoder, loaded on demand, and its answer joined to ours."""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ser_model.audio import Waveform
from ser_model.calibration import Array, Calibration
from ser_model.cnn import CONFIG_NAME, Logits
from ser_model.download import DownloadError, Progress, can_download, download, find_files
from ser_model.frontend import SAMPLE_RATE
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES
from ser_model.recognize import WEIGHTS, EmotionRecognizer, Prediction, predict_windows
from ser_model.speaker import SpeakerProfile
from ser_model.whisper import WhisperEncoder

DEFAULT_ENCODER = "openai/whisper-base"
ENCODER_FOLDER = "SECOND_OPINION_ENCODER"  # environment variable: a folder with a copy of the encoder
HEAD_FOLDER = WEIGHTS / "comparison"
HEAD_NAME = "head.safetensors"
LEVEL = 0.05  # root mean square of the speech that an encoder hears, -26 dBFS
MIN_LIKENESS = 0.999  # cosine of what an encoder makes of reference_waveform and what the head was trained with
MAKE_HEAD = (
    "python train.py --data DIR --model comparison --protocol all --calibration results/comparison-corpora/metrics.json"
)


class ComparisonMissing(RuntimeError):  # noqa: N818 - it names a state, not a fault
    """The encoder or its head is missing or damaged. The message is one line that says what to do."""


@dataclass(frozen=True)
class HeadConfig:
    """The encoder that a head belongs to, and the sizes of both."""

    encoder: str
    layers: tuple[int, ...]  # whose outputs are used; 0 is the input of the first
    width: int  # channels of a layer
    hidden: int = 128
    dropout: float = 0.3
    emotions: tuple[str, ...] = EMOTIONS


@dataclass(frozen=True)
class JoinWeights:
    """How the emotion logits of the network and of the head are joined, and the calibration of their weighted sum."""

    network_weight: float = 0.25  # chosen on validation corpora, as is the next
    head_weight: float = 1.0
    temperature: float = 1.0  # as in Calibration, as are the next two
    abstention_threshold: float = 0.0
    accuracies: tuple[tuple[float, float], ...] = ()

    def join(self, network: Array, head: Array) -> Array:
        """Return the (..., emotion) logits of the joined answer from those of both."""
        return self.network_weight * network + self.head_weight * head


@dataclass
class Encoder:
    """A frozen encoder: waveform > mean and deviation over the frames of some layers."""

    name: str
    width: int  # channels of a layer
    layers: tuple[int, ...]  # whose outputs are used; 0 is the input of the first
    network: nn.Module
    extractor: Any  # of features, which Whisper's encoder does by itself
    parameters: int  # with those of the layers that are not used
    device: str = "cpu"

    @classmethod
    def load(
        cls,
        name: str = DEFAULT_ENCODER,
        layers: Sequence[int] | None = None,
        device: str | None = None,
        progress: Progress | None = None,
    ) -> Encoder:
        """Load a Whisper, wav2vec2, HuBERT or WavLM from a folder, the cache of the Hub, or the Hub.

        By default three layers in the middle are used, on a GPU if there is one.

        Raises:
            ComparisonMissing: It is not on this machine and cannot be downloaded, or is of no known kind.
        """
        try:
            folder = find_files(name) or download(name, progress)
            config = json.loads((folder / CONFIG_NAME).read_text())
            is_whisper = config["model_type"] == "whisper"
            depth = int(config["encoder_layers" if is_whisper else "num_hidden_layers"])
            used = tuple(layers or (depth // 3, depth // 2, 2 * depth // 3))  # the middle knows most of emotion
            width = int(config["d_model" if is_whisper else "hidden_size"])
            network: nn.Module
            if is_whisper:
                (network, parameters), extractor = WhisperEncoder.load(folder, max(used)), None
            else:
                from transformers import AutoFeatureExtractor, AutoModel  # noqa: PLC0415 - takes seconds

                network = AutoModel.from_pretrained(folder, dtype=torch.float32)
                extractor, parameters = AutoFeatureExtractor.from_pretrained(folder), _count(network)
        except DownloadError as error:
            raise ComparisonMissing(str(error)) from error
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise ComparisonMissing(
                f"The encoder {name} is incomplete or of another kind. Get it again with: hf download {name}"
            ) from error
        network.eval().requires_grad_(requires_grad=False)  # in train mode it would drop and mask
        return cls(name, width, used, network, extractor, parameters).to(
            device or ("cuda" if torch.cuda.is_available() else "cpu")
        )

    def to(self, device: str) -> Encoder:
        """Compute on another device from now on."""
        self.network.to(device)
        self.device = device
        return self

    def embed(self, waveform: Tensor) -> Tensor:
        """Map (time,) speech of any level at 16 kHz to (layer, 2 * width): the mean over the frames, the deviation."""
        with torch.inference_mode():
            waveform = waveform * (LEVEL / waveform.square().mean().sqrt().clamp(min=1e-6))
            if self.extractor is None:
                states = self.network(waveform.to(self.device))
            else:
                inputs = self.extractor(waveform.numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt").input_values
                states = self.network(inputs.to(self.device), output_hidden_states=True).hidden_states
            frames = torch.cat([states[layer] for layer in self.layers]).float()  # (layer, frame, width)
            return torch.cat([frames.mean(dim=1), frames.std(dim=1, correction=0)], dim=1).cpu()


class ComparisonHead(nn.Module):
    """z-scores of the pooled layers > Linear > ReLU > emotion, gender, intensity."""

    mean: Tensor
    std: Tensor
    reference: Tensor

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        shape = (len(config.layers), 2 * config.width)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.ones(shape))
        self.register_buffer("reference", torch.zeros(shape))  # what the encoder makes of reference_waveform
        self.projection = nn.Linear(shape[0] * shape[1], config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.emotion = nn.Linear(config.hidden, len(config.emotions))
        self.gender = nn.Linear(config.hidden, len(GENDERS))
        self.intensity = nn.Linear(config.hidden, len(INTENSITIES))

    def forward(self, layers: Tensor) -> Logits:
        """Predict from (batch, layer, 2 * width) pooled layers."""
        scores = ((layers - self.mean) / self.std).flatten(1)  # (batch, layer * 2 * width)
        hidden = self.dropout(F.relu(self.projection(self.dropout(scores))))
        return Logits(self.emotion(hidden), self.gender(hidden), self.intensity(hidden), hidden)

    def check(self, encoder: Encoder) -> None:
        """Raise ComparisonMissing unless an encoder computes what the head was trained on, in any precision."""
        matches = (encoder.width, encoder.layers) == (self.config.width, self.config.layers)
        if matches:
            pair = (encoder.embed(reference_waveform()), self.reference)
            own, wanted = (((one - self.mean) / self.std).flatten() for one in pair)
            matches = float(F.cosine_similarity(own, wanted, dim=0)) >= MIN_LIKENESS
        if not matches:
            raise ComparisonMissing(
                f"{encoder.name} is another encoder than the head was trained on, {self.config.encoder}. "
                f"Use that one, or train a head for yours: {MAKE_HEAD} --encoder {encoder.name}"
            )


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
        return self.encoder.parameters + _count(self.head)

    def forward(self, waveforms: Tensor, *, noise_floor: None = None) -> Logits:  # noqa: ARG002 - subtracts nothing
        """Predict from (batch, time) waveforms at 16 kHz, one by one, because these encoders expect no padding."""
        return Logits(*self.head(torch.stack([self.encoder.embed(waveform) for waveform in waveforms])))

    def estimate_noise_floor(self, _: Sequence[Tensor]) -> None:
        """Return nothing: these encoders were trained with noise."""


@dataclass(frozen=True)
class Opinions(Prediction):
    """The joined answer, and what the network and the head say alone."""

    network: Prediction
    head: Prediction
    network_ms: float  # that the network took, without decoding and finding the speech
    head_ms: float  # that the head took with its encoder

    @property
    def joined(self) -> Prediction:
        """The joined answer alone."""
        return Prediction(**{field.name: getattr(self, field.name) for field in fields(Prediction)})

    @property
    def agree(self) -> bool:
        """Whether both find the same emotion most probable."""
        return self.network.top(1)[0][0] == self.head.top(1)[0][0]

    def to_json(self) -> dict[str, Any]:
        """Return the document of the joined answer, with that of the network ("cnn") and of the head ("large")."""
        pairs = (("cnn", self.network, self.network_ms), ("large", self.head, self.head_ms))
        both = {name: prediction.to_json() | {"ms": round(ms, 1)} for name, prediction, ms in pairs}
        return self.joined.to_json() | both | {"agree": self.agree}


@dataclass(frozen=True)
class SecondOpinion:
    """The head on its encoder, and how its answers join those of the network."""

    recognizer: EmotionRecognizer
    encoder: Encoder
    encoder_name: str  # on the Hub, wherever it was loaded from
    join: JoinWeights

    @classmethod
    def load(
        cls, folder: Path = HEAD_FOLDER, encoder: str | None = None, progress: Progress | None = None
    ) -> SecondOpinion:
        """Load the head in a folder and its encoder, which is downloaded if it is not on this machine.

        The encoder is $SECOND_OPINION_ENCODER or the one that the head was trained on, if none is named.

        Raises:
            ComparisonMissing: One of them is missing, damaged, or they do not match; the message says what to do.
        """
        if not (folder / HEAD_NAME).exists():
            raise ComparisonMissing(
                f"The head for the second opinion has not been trained yet. Make it with: {MAKE_HEAD}"
            )
        try:
            config = json.loads((folder / CONFIG_NAME).read_text())
            sizes = {name: config[name] for name in HeadConfig.__dataclass_fields__}
            lists = {name: tuple(sizes[name]) for name in ("layers", "emotions")}
            head = ComparisonHead(HeadConfig(**sizes | lists))
            head.load_state_dict(load_file(folder / HEAD_NAME))
            joins, names = config["join"], [name for name in JoinWeights.__dataclass_fields__ if name != "accuracies"]
            levels = tuple((float(least), float(right)) for least, right in joins["accuracies"])
            join = JoinWeights(**{name: float(joins[name]) for name in names}, accuracies=levels)
            calibration = Calibration.from_config(config)
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise ComparisonMissing(
                f"The head for the second opinion in {folder} is damaged. Make it again with: {MAKE_HEAD}"
            ) from error
        loaded = Encoder.load(encoder or find_encoder(head.config.encoder), head.config.layers, "cpu", progress)
        head.check(loaded)
        recognizer = EmotionRecognizer(ComparisonNetwork(loaded, head), calibration)
        return cls(recognizer, loaded, head.config.encoder, join)


class JoinedRecognizer(EmotionRecognizer):
    """The network with a second opinion: predictions are the joined ones, with both opinions in them."""

    def __init__(self, recognizer: EmotionRecognizer, second: SecondOpinion) -> None:
        super().__init__(recognizer.network, recognizer.calibration, recognizer.speaker_space)
        self.second = second

    def predict(self, waveform: Waveform, profile: SpeakerProfile | None = None) -> Opinions:
        """Predict with the network, which may know the speaker, with the head, and with both; see recognize."""
        span, other, join = self.detect(waveform), self.second.recognizer, self.second.join
        begin = time.perf_counter()
        starts, network_logits = predict_windows(self.network, waveform, span)
        network_ms, begin = 1000 * (time.perf_counter() - begin), time.perf_counter()
        _, head_logits = predict_windows(other.network, waveform, span)
        head_ms = 1000 * (time.perf_counter() - begin)
        network, head = self.answer(span, starts, network_logits, profile), other.answer(span, starts, head_logits)
        emotion = join.join(self.adapt(network_logits, profile), head_logits.emotion)  # (window, emotion)
        both = copy.copy(other)  # a new one would load another speech detector
        both.calibration = replace(
            self.calibration,
            class_bias=(),
            temperature=join.temperature,
            abstention_threshold=join.abstention_threshold,
            accuracies=join.accuracies,
        )
        joined = both.answer(span, starts, network_logits._replace(emotion=emotion))
        return Opinions(**vars(joined), network=network, head=head, network_ms=network_ms, head_ms=head_ms)


def reference_waveform() -> Tensor:
    """Return (time,) a second that rises from 100 to 4,000 Hz: the fixed input on which copies of an encoder agree."""
    time_s = torch.arange(SAMPLE_RATE) / SAMPLE_RATE
    return 0.3 * torch.sin(2 * torch.pi * (100 * time_s + 1_950 * time_s.square()))


def find_encoder(name: str) -> str:
    """Return the folder that $SECOND_OPINION_ENCODER names, or else the name; ComparisonMissing if there is none."""
    folder = os.environ.get(ENCODER_FOLDER)
    if folder and not Path(folder, CONFIG_NAME).is_file():
        raise ComparisonMissing(f"{ENCODER_FOLDER} must name a folder with a copy of {name}; {folder} has no encoder.")
    return folder or name


def is_available(folder: Path = HEAD_FOLDER) -> bool:
    """Return whether a second opinion can be offered: its encoder is here or may be downloaded. No request is made."""
    try:
        name = find_encoder(json.loads((folder / CONFIG_NAME).read_text())["encoder"])
    except (OSError, KeyError, TypeError, ValueError, ComparisonMissing):
        return False
    return (folder / HEAD_NAME).exists() and (find_files(name) is not None or can_download())


def save_head(folder: Path, head: ComparisonHead, calibration: Mapping[str, Any]) -> None:
    """Write FOLDER/config.json and FOLDER/head.safetensors, less than 2 MB.

    calibration has the fields of Calibration, and those of JoinWeights under "join".
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in head.state_dict().items()}, folder / HEAD_NAME)
    (folder / CONFIG_NAME).write_text(json.dumps(asdict(head.config) | dict(calibration), indent=1) + "\n")


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
