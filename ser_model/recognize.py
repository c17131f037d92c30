"""EmotionRecognizer: from a recording to a Prediction, with the calibrated probabilities and "not sure"."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ser_model.audio import CLIP_LIMITS, AudioError, AudioSource, Limits, Waveform, load_audio, read_recording
from ser_model.calibration import Calibration, softmax
from ser_model.cnn import CONFIG_NAME, REMEDY, Logits, WeightsError, load_network, read_config
from ser_model.frontend import NOISE_CONTEXT_S, SAMPLE_RATE
from ser_model.labels import GENDERS, INTENSITIES, Gender, Intensity
from ser_model.speaker import EnrollmentError, SpeakerProfile, SpeakerSpace
from ser_model.vad import SpeechDetector, SpeechSpan

WEIGHTS = Path(__file__).parent / "weights"
MAX_WHOLE_S = 5.5  # speech up to this is one window, as in training (up to 5.2 s)
WINDOW_S, MAX_STEP_S = 4.0, 2.0  # longer speech is cut into windows
WINDOW_BATCH = 8  # larger batches only take more memory
NOT_SURE = "Not sure how this sounds. Pick the mood that fits, or say a longer sentence."
NO_SPACE = (
    "These weights cannot enroll a speaker. Make what is missing with: "
    "python train.py --data DIR --protocol all --calibration results/luna/metrics.json"
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """The emotion in one window of the recording; times in seconds from its start."""

    start_s: float
    end_s: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Prediction:
    """What was predicted for a recording."""

    emotion: str | None  # the most probable one; None if its probability is below the abstention threshold
    sure: bool
    measured_accuracy: float | None  # of answers as sure as this one on strangers; None if not sure, or not measured
    probabilities: dict[str, float]  # of each emotion, calibrated; they add up to 1
    gender: Gender  # how the voice sounds
    gender_probability: float  # 0.5 to 1
    intensity: Intensity  # of the emotion
    intensity_probability: float  # 0.5 to 1
    speech: tuple[float, float]  # start and end in seconds
    timeline: tuple[Segment, ...]  # one segment, or several for a long recording
    notice: str  # a sentence for the speaker, or nothing

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """Return the most probable emotions, best first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])[:count]

    @property
    def recording_notice(self) -> str:
        """What was noticed about the recording, without NOT_SURE; a sentence or nothing."""
        return self.notice.removeprefix(NOT_SURE).strip()

    def with_notice(self, notice: str) -> Prediction:
        """Return the prediction with what read_recording has to say."""
        return replace(self, notice=f"{self.notice} {notice}".strip()) if notice else self

    def to_json(self) -> dict[str, Any]:
        """Return the document that the command line and the API answer with."""
        accuracy = self.measured_accuracy
        return vars(self) | {
            "measured_accuracy": None if accuracy is None else round(accuracy, 2),
            "probabilities": _round(self),
            "gender_probability": round(self.gender_probability, 4),
            "intensity_probability": round(self.intensity_probability, 4),
            "speech": [round(edge, 2) for edge in self.speech],
            "timeline": [
                {"start_s": round(one.start_s, 2), "end_s": round(one.end_s, 2), "probabilities": _round(one)}
                for one in self.timeline
            ],
        }


class Network(Protocol):
    """What EmotionRecognizer needs of a network; EmotionCnn and ComparisonNetwork have it."""

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions in the order of the logits."""

    def __call__(self, waveforms: Tensor, *, noise_floor: Any) -> Logits:
        """Predict from (batch, time) waveforms and the result of estimate_noise_floor."""

    def estimate_noise_floor(self, pieces: Sequence[Tensor]) -> Any:
        """Estimate the noise from (time,) pieces without speech, if the network uses it."""

    def eval(self) -> Any:
        """Switch to evaluation mode."""

    def count_parameters(self) -> int:
        """Return the number of parameters."""


class EmotionRecognizer:
    """Predicts the emotion in recordings with one network; safe to use from several threads."""

    def __init__(self, network: Network, calibration: Calibration, speaker_space: SpeakerSpace | None = None) -> None:
        network.eval()
        self.network, self.calibration, self.speaker_space = network, calibration, speaker_space
        self._detector = SpeechDetector()

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> EmotionRecognizer:
        """Read the weights, their calibration and their speaker space; may raise a WeightsError."""
        network = load_network(folder)
        try:
            calibration = Calibration.from_config(read_config(folder))
        except (KeyError, TypeError) as error:
            raise WeightsError(f"{folder / CONFIG_NAME} is damaged. {REMEDY}") from error
        return cls(network, calibration, SpeakerSpace.load(folder))

    def recognize(
        self, source: AudioSource, profile: SpeakerProfile | None = None, limits: Limits = CLIP_LIMITS
    ) -> Prediction:
        """Predict the emotion in a file or its bytes, given the profile of the speaker from enroll, if there is one.

        Raises:
            AudioError, EnrollmentError: The recording or the profile cannot be used; the message says what to do.
            OSError: The path cannot be read.
        """
        recording = read_recording(source, limits)
        return self.predict(recording.waveform, profile).with_notice(recording.notice)

    def predict(self, waveform: Waveform, profile: SpeakerProfile | None = None) -> Prediction:
        """Predict the emotion in a (time,) waveform from load_audio; see recognize."""
        span = self.detect(waveform)
        return self.answer(span, *predict_windows(self.network, waveform, span), profile)

    def detect(self, waveform: Waveform) -> SpeechSpan:
        """Find the speech in a (time,) waveform; may raise an AudioError."""
        return self._detector.detect(waveform)

    def answer(
        self, span: SpeechSpan, starts: list[float], logits: WindowLogits, profile: SpeakerProfile | None = None
    ) -> Prediction:
        """Make a prediction of the outputs for the windows of a span, from predict_windows."""
        calibration = self.calibration if profile is None else self.calibration.enrolled()
        windows = softmax(self.adapt(logits, profile) + (calibration.class_bias or 0.0), calibration.temperature)
        gender = softmax(logits.gender, calibration.gender_temperature).mean(axis=0)  # (2,)
        intensity = softmax(logits.intensity, calibration.intensity_temperature).mean(axis=0)  # (2,)
        names, window_s = self.network.emotions, window_length_s(span)
        timeline = tuple(
            Segment(start_s, start_s + window_s, dict(zip(names, row.tolist(), strict=True)))
            for start_s, row in zip(starts, windows, strict=True)
        )
        emotion = windows.mean(axis=0)  # (emotion,)
        sure = bool(emotion.max() >= calibration.abstention_threshold)
        return Prediction(
            emotion=names[int(emotion.argmax())] if sure else None,
            sure=sure,
            measured_accuracy=calibration.measured_accuracy(float(emotion.max())) if sure else None,
            probabilities=dict(zip(names, emotion.tolist(), strict=True)),
            gender=GENDERS[int(gender.argmax())],
            gender_probability=float(gender.max()),
            intensity=INTENSITIES[int(intensity.argmax())],
            intensity_probability=float(intensity.max()),
            speech=(span.start_s, span.end_s),
            timeline=timeline,
            notice="" if sure else NOT_SURE,
        )

    def adapt(self, logits: WindowLogits, profile: SpeakerProfile | None) -> Array:
        """Return the (window, emotion) logits, adapted to a speaker if there is a profile."""
        if profile is None:
            return logits.emotion
        return np.asarray(self._require_space().adapt(logits.emotion, logits.embedding, profile))

    def enroll(self, clips: Mapping[str, Iterable[AudioSource]]) -> SpeakerProfile:
        """Make a profile of a speaker from recordings by emotion: a neutral one, or better one of each.

        Raises:
            AudioError, EnrollmentError: A clip cannot be used, its emotion is unknown, or the weights cannot enroll.
        """
        space = self._require_space()
        space.check_names(clips)
        return space.enroll({name: np.stack([self._embed(name, clip) for clip in own]) for name, own in clips.items()})

    def check_profile(self, profile: SpeakerProfile) -> None:
        """Raise an EnrollmentError unless a profile was made with these weights."""
        self._require_space().check(profile)

    def _embed(self, name: str, source: AudioSource) -> Array:
        try:
            waveform = load_audio(source)
            span = self._detector.detect(waveform)
        except AudioError as error:
            raise type(error)(f"The clip for {name} cannot be used. {error}") from error
        return np.asarray(predict_windows(self.network, waveform, span)[1].embedding.mean(axis=0))

    def _require_space(self) -> SpeakerSpace:
        if self.speaker_space is None:
            raise EnrollmentError(NO_SPACE)
        return self.speaker_space


class WindowLogits(NamedTuple):
    """The outputs of the network for the windows of a recording."""

    emotion: Array  # (window, emotion)
    gender: Array  # (window, 2)
    intensity: Array  # (window, 2)
    embedding: Array  # (window, width)


def predict_windows(network: Network, waveform: Waveform, span: SpeechSpan) -> tuple[list[float], WindowLogits]:
    """Run the network on the windows of a span; return their starts in seconds and the outputs."""
    starts, size = window_starts(span), round(window_length_s(span) * SAMPLE_RATE)
    firsts = [min(round(start * SAMPLE_RATE), waveform.size - size) for start in starts]
    first, last, context = (round(time_s * SAMPLE_RATE) for time_s in (span.start_s, span.end_s, NOISE_CONTEXT_S))
    around = [waveform[max(first - context, 0) : first], waveform[last : last + context]]  # without speech
    outputs = []
    with torch.inference_mode():
        noise_floor = network.estimate_noise_floor([torch.from_numpy(piece) for piece in around])
        for batch in range(0, len(firsts), WINDOW_BATCH):
            windows = np.stack([waveform[i : i + size] for i in firsts[batch : batch + WINDOW_BATCH]])  # (window, time)
            outputs.append(network(torch.from_numpy(windows), noise_floor=noise_floor))
    return starts, WindowLogits(*(torch.cat(parts).double().numpy() for parts in zip(*outputs, strict=True)))


def window_starts(span: SpeechSpan) -> list[float]:
    """Return the starts, in seconds, of evenly spread windows that cover a span."""
    if span.end_s - span.start_s <= MAX_WHOLE_S:
        return [span.start_s]
    last = span.end_s - WINDOW_S
    count = 1 + math.ceil((last - span.start_s) / MAX_STEP_S)
    return [float(start) for start in np.linspace(span.start_s, last, count)]


def window_length_s(span: SpeechSpan) -> float:
    """Return the length of each window of a span, in seconds."""
    length_s = span.end_s - span.start_s
    return length_s if length_s <= MAX_WHOLE_S else WINDOW_S


def _round(answer: Prediction | Segment) -> dict[str, float]:
    return {str(name): round(value, 4) for name, value in answer.probabilities.items()}
