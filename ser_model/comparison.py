"""The second opinion: a small head on a frozen pretrained encoder, loaded on demand, and its answer joined to ours.

The encoder is Whisper's, or a wav2vec2, HuBERT or WavLM. It hears the speech alone; only its middle layers are used.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
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
from ser_model.recognize import WEIGHTS, EmotionRecognizer, Prediction, WindowLogits, predict_windows
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
    """Factors of the emotion logits of the network and of the head, chosen on validation corpora."""

    network_weight: float = 0.25
    head_weight: float = 1.0

    def join(self, network: Array, head: Array) -> Array:
        """Return the (..., emotion) logits of the joined answer from those of both."""
        return self.network_weight * network + self.head_weight * head


@dataclass(frozen=True, kw_only=True)
class JoinConfig(JoinWeights):
    """How the answers of the network and of the head are joined: a weighted product of probabilities, calibrated.

    Attributes:
        temperature: Divides the weighted sum of the logits.
        abstention_threshold: If the highest probability is below it, the answer is "not sure".
        accuracies: See Calibration.
    """

    network_weight: float
    head_weight: float
    temperature: float
    abstention_threshold: float
    accuracies: tuple[tuple[float, float], ...] = ()


class Encoder:
    """A frozen encoder: waveform > mean and deviation over the frames of some layers."""

    def __init__(
        self, network: nn.Module, extractor: Any, name: str, width: int, layers: tuple[int, ...], parameters: int
    ) -> None:
        self._network = network.eval().requires_grad_(requires_grad=False)  # in train mode it would drop and mask
        self._extractor = extractor  # of features, which Whisper's encoder does by itself
        self._parameters = parameters
        self._device = "cpu"
        self.name = name
        self.layers = layers
        self.width = width

    @classmethod
    def load(
        cls,
        name: str = DEFAULT_ENCODER,
        layers: Sequence[int] | None = None,
        device: str | None = None,
        progress: Progress | None = None,
    ) -> Encoder:
        """Load an encoder from a local folder, the cache of the model hub, or the hub.

        Args:
            name: Such as "openai/whisper-base" or "facebook/wav2vec2-base", or a folder.
            layers: Which layers to use; three in the middle if None.
            device: Where it computes; on a GPU if None and there is one.
            progress: Is told how far the download is.

        Raises:
            ComparisonMissing: It is not on this machine and cannot be downloaded, or is of no known kind.
        """
        best = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            folder = find_files(name) or download(name, progress)
            config = json.loads((folder / CONFIG_NAME).read_text())
            is_whisper = config["model_type"] == "whisper"
            depth = int(config["encoder_layers" if is_whisper else "num_hidden_layers"])
            used = tuple(layers or (depth // 3, depth // 2, 2 * depth // 3))  # the middle knows most of emotion
            if is_whisper:
                network, parameters = WhisperEncoder.load(folder, max(used))
                encoder = cls(network, None, name, int(config["d_model"]), used, parameters)
                return encoder.to(device or best)
            from transformers import AutoFeatureExtractor, AutoModel  # noqa: PLC0415 - takes seconds

            other = AutoModel.from_pretrained(folder, dtype=torch.float32)
            extractor = AutoFeatureExtractor.from_pretrained(folder)
        except DownloadError as error:
            raise ComparisonMissing(str(error)) from error
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise ComparisonMissing(
                f"The encoder {name} is incomplete or of another kind. Get it again with: hf download {name}"
            ) from error
        parameters = sum(parameter.numel() for parameter in other.parameters())
        return cls(other, extractor, name, int(config["hidden_size"]), used, parameters).to(device or best)

    def to(self, device: str) -> Encoder:
        """Compute on another device from now on."""
        self._network.to(device)
        self._device = device
        return self

    def embed(self, waveform: Tensor) -> Tensor:
        """Pool the layers over time. The level does not matter: the speech is brought to LEVEL first.

        Args:
            waveform: (time,) the speech span at 16 kHz.

        Returns:
            (layer, 2 * width): the mean over the frames, then the deviation.
        """
        with torch.inference_mode():
            waveform = waveform * (LEVEL / waveform.square().mean().sqrt().clamp(min=1e-6))
            if self._extractor is None:
                states = self._network(waveform.to(self._device))
            else:
                inputs = self._extractor(waveform.numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt").input_values
                states = self._network(inputs.to(self._device), output_hidden_states=True).hidden_states
            frames = torch.cat([states[layer] for layer in self.layers]).float()  # (layer, frame, width)
            return torch.cat([frames.mean(dim=1), frames.std(dim=1, correction=0)], dim=1).cpu()

    def count_parameters(self) -> int:
        """Return the number of parameters, with those of the layers that are not used."""
        return self._parameters


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
        """Check that an encoder computes what the head was trained on; copies in other precisions pass.

        Raises:
            ComparisonMissing: It does not.
        """
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
        return self.encoder.count_parameters() + sum(parameter.numel() for parameter in self.head.parameters())

    def forward(self, waveforms: Tensor, *, noise_floor: None = None) -> Logits:  # noqa: ARG002 - subtracts nothing
        """Predict from (batch, time) waveforms at 16 kHz, one by one, because these encoders expect no padding."""
        layers = torch.stack([self.encoder.embed(waveform) for waveform in waveforms])  # (batch, layer, 2 * width)
        return Logits(*self.head(layers))

    def estimate_noise_floor(self, _: Sequence[Tensor]) -> None:
        """Return nothing: these encoders were trained with noise."""


@dataclass(frozen=True)
class Opinions(Prediction):
    """The joined answer, and what the network and the head say alone.

    Attributes:
        network: The answer of the network.
        head: The answer of the head.
        network_ms: Time that the network took, without decoding and finding the speech.
        head_ms: Time that the head took with its encoder.
    """

    network: Prediction
    head: Prediction
    network_ms: float
    head_ms: float

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


class SecondOpinion:
    """The head on its encoder, and how its answers join those of the network."""

    def __init__(self, recognizer: EmotionRecognizer, join: JoinConfig) -> None:
        self.recognizer = recognizer
        self.join = join

    @classmethod
    def load(
        cls, folder: Path = HEAD_FOLDER, encoder: str | None = None, progress: Progress | None = None
    ) -> SecondOpinion:
        """Load the head and its encoder, which is downloaded if it is not on this machine.

        Args:
            folder: Of the head.
            encoder: A name or a folder; if None, $SECOND_OPINION_ENCODER or the one that the head was trained on.
            progress: Is told how far the download is.

        Raises:
            ComparisonMissing: One of them is missing, damaged, or they do not match; the message says what to do.
        """
        if not has_head(folder):
            raise ComparisonMissing(
                f"The head for the second opinion has not been trained yet. Make it with: {MAKE_HEAD}"
            )
        try:
            config = json.loads((folder / CONFIG_NAME).read_text())
            sizes = {name: config[name] for name in HeadConfig.__dataclass_fields__}
            lists = {name: tuple(sizes[name]) for name in ("layers", "emotions")}
            head = ComparisonHead(HeadConfig(**sizes | lists))
            head.load_state_dict(load_file(folder / HEAD_NAME))
            calibration, join = Calibration.from_config(config), JoinConfig(**config["join"])
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise ComparisonMissing(
                f"The head for the second opinion in {folder} is damaged. Make it again with: {MAKE_HEAD}"
            ) from error
        loaded = Encoder.load(encoder or find_encoder(head.config.encoder), head.config.layers, "cpu", progress)
        head.check(loaded)
        return cls(EmotionRecognizer(ComparisonNetwork(loaded, head), calibration), join)

    def predict(
        self, recognizer: EmotionRecognizer, waveform: Waveform, profile: SpeakerProfile | None = None
    ) -> Opinions:
        """Predict the emotion in a (time,) waveform with the network, with the head, and with both.

        Args:
            recognizer: The network.
            waveform: From load_audio.
            profile: Of the speaker, for the network.

        Raises:
            AudioError, EnrollmentError: The recording or the profile cannot be used; the message says what to do.
        """
        span = recognizer.detect(waveform)
        begin = time.perf_counter()
        starts, network_logits = predict_windows(recognizer.network, waveform, span)
        middle = time.perf_counter()
        _, head_logits = predict_windows(self.recognizer.network, waveform, span)
        end = time.perf_counter()
        network = recognizer.answer(span, starts, network_logits, profile)
        head = self.recognizer.answer(span, starts, head_logits)
        emotion = self.join.join(recognizer.adapt(network_logits, profile), head_logits.emotion)  # (window, emotion)
        joined_logits = WindowLogits(emotion, network_logits.gender, network_logits.intensity, network_logits.embedding)
        both = copy.copy(self.recognizer)  # a new one would load another speech detector
        both.calibration = Calibration(
            temperature=self.join.temperature,
            gender_temperature=recognizer.calibration.gender_temperature,
            intensity_temperature=recognizer.calibration.intensity_temperature,
            abstention_threshold=self.join.abstention_threshold,
            accuracies=self.join.accuracies,
        )
        joined = both.answer(span, starts, joined_logits)
        return Opinions(
            **vars(joined),
            network=network,
            head=head,
            network_ms=1000 * (middle - begin),
            head_ms=1000 * (end - middle),
        )

    @property
    def encoder(self) -> Encoder:
        """The encoder under the head."""
        return self._network.encoder

    @property
    def encoder_name(self) -> str:
        """What the encoder is called on the Hub, wherever it was loaded from."""
        return self._network.head.config.encoder

    @property
    def _network(self) -> ComparisonNetwork:
        assert isinstance(self.recognizer.network, ComparisonNetwork)
        return self.recognizer.network


class JoinedRecognizer(EmotionRecognizer):
    """The network with a second opinion: predictions are the joined ones, with both opinions in them."""

    def __init__(self, recognizer: EmotionRecognizer, second: SecondOpinion) -> None:
        super().__init__(recognizer.network, recognizer.calibration, recognizer.speaker_space)
        self.second = second

    def predict(self, waveform: Waveform, profile: SpeakerProfile | None = None) -> Opinions:
        """Predict the emotion in a (time,) waveform from load_audio; see recognize."""
        return self.second.predict(self, waveform, profile)


def reference_waveform() -> Tensor:
    """Return (time,) a second that rises from 100 to 4,000 Hz: the fixed input on which copies of an encoder agree."""
    time_s = torch.arange(SAMPLE_RATE) / SAMPLE_RATE
    return 0.3 * torch.sin(2 * torch.pi * (100 * time_s + 1_950 * time_s.square()))


def find_encoder(name: str) -> str:
    """Return the folder that $SECOND_OPINION_ENCODER names, or else the name.

    Raises:
        ComparisonMissing: There is no such folder.
    """
    folder = os.environ.get(ENCODER_FOLDER)
    if folder and not Path(folder, CONFIG_NAME).is_file():
        raise ComparisonMissing(f"{ENCODER_FOLDER} must name a folder with a copy of {name}; {folder} has no encoder.")
    return folder or name


def has_head(folder: Path = HEAD_FOLDER) -> bool:
    """Return whether a head has been trained."""
    return (folder / HEAD_NAME).exists()


def is_available(folder: Path = HEAD_FOLDER) -> bool:
    """Return whether a second opinion can be offered: its encoder is here or may be downloaded. No request is made."""
    try:
        name = find_encoder(json.loads((folder / CONFIG_NAME).read_text())["encoder"])
    except (OSError, KeyError, TypeError, ValueError, ComparisonMissing):
        return False
    return has_head(folder) and (find_files(name) is not None or can_download())


def save_head(folder: Path, head: ComparisonHead, calibration: Mapping[str, Any]) -> None:
    """Write FOLDER/config.json and FOLDER/head.safetensors, less than 2 MB.

    Args:
        folder: Created if missing.
        head: The trained head.
        calibration: The fields of Calibration, and those of JoinConfig under "join".
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in head.state_dict().items()}, folder / HEAD_NAME)
    (folder / CONFIG_NAME).write_text(json.dumps(asdict(head.config) | dict(calibration), indent=1) + "\n")
