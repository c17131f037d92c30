"""From a recording to a Prediction: decode, find the speech, score it in windows, calibrate, and say when unsure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.audio import CLIP, AudioError, AudioSource, Limits, Waveform, load_audio
from ser_model.calibrate import Calibration, softmax
from ser_model.cnn import WeightsError, load_network, read_config
from ser_model.files import CONFIG_NAME, REMEDY
from ser_model.int8 import hasten
from ser_model.labels import GENDERS, INTENSITIES, Gender, Intensity
from ser_model.speaker import SpeakerSpace, require
from ser_model.speech import SpeechDetector, SpeechSpan
from ser_model.voice import LearnedVoice
from ser_model.windows import Network, measure_window, score_windows

WEIGHTS = Path(__file__).parent / "weights"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moment:
    """The emotion over one window of the recording, in seconds from its beginning."""

    start_s: float
    end_s: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Prediction:
    """How a voice sounds.

    Attributes:
        emotion: The most probable one, or None when no probability reaches the abstention threshold.
        sure: Whether it does.
        probabilities: One for each emotion of the network's config.json, calibrated; they add up to 1.
        gender: Whose kind of voice it sounds like.
        gender_probability: Its probability, 0.5 to 1.
        intensity: How strongly the emotion is shown; neutral was only ever acted in normal intensity.
        intensity_probability: Its probability, 0.5 to 1.
        speech: Where the voice begins and ends, in seconds.
        timeline: One window, or several for a long recording.
        notice: A sentence for the person, or nothing.
    """

    emotion: str | None
    sure: bool
    probabilities: dict[str, float]
    gender: Gender
    gender_probability: float
    intensity: Intensity
    intensity_probability: float
    speech: tuple[float, float]
    timeline: tuple[Moment, ...]
    notice: str

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """Return the most probable emotions, best first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])[:count]

    def to_json(self) -> dict[str, Any]:
        """Return the document that the command line and the API give."""
        return {
            "emotion": self.emotion,
            "sure": self.sure,
            "probabilities": _round_values(self.probabilities),
            "gender": self.gender,
            "gender_probability": round(self.gender_probability, 4),
            "intensity": self.intensity,
            "intensity_probability": round(self.intensity_probability, 4),
            "speech": [round(edge, 2) for edge in self.speech],
            "timeline": [
                {
                    "start_s": round(moment.start_s, 2),
                    "end_s": round(moment.end_s, 2),
                    "probabilities": _round_values(moment.probabilities),
                }
                for moment in self.timeline
            ],
            "notice": self.notice,
        }


class EmotionRecognizer:
    """Hears recordings with one network, in evaluation mode; safe to use from several threads."""

    def __init__(self, network: Network, calibration: Calibration, space: SpeakerSpace | None = None) -> None:
        network.eval()
        self.network = network
        self._calibration = calibration
        self._space = space
        self._detector = SpeechDetector()

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> EmotionRecognizer:
        """Read the weights and their calibration.

        Raises:
            WeightsError: They are missing or damaged.
        """
        config, network = read_config(folder), hasten(load_network(folder))
        try:
            calibration = Calibration.from_config(config)
            bytes.fromhex(config["weights_sha256"])  # load_network compared it; what is served must have one
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{folder / CONFIG_NAME} is damaged. {REMEDY}") from error
        return cls(network, calibration, SpeakerSpace.load(folder, config.get("speaker_sha256")))

    def count_parameters(self) -> int:
        """Return how many numbers the network has."""
        return self.network.count_parameters()

    def recognize(self, source: AudioSource, voice: LearnedVoice | None = None, limits: Limits = CLIP) -> Prediction:
        """Say how a recording sounds.

        Args:
            source: A path, or the bytes of a file; see load_audio for the formats.
            voice: The speaker's, from learn_voice.
            limits: What is refused as too much.

        Raises:
            AudioError, VoiceError: It cannot be judged; the message says what to do.
        """
        return self.hear(load_audio(source, limits), voice)

    def hear(self, waveform: Waveform, voice: LearnedVoice | None = None) -> Prediction:
        """Say how a decoded recording sounds.

        Args:
            waveform: (time,) from load_audio.
            voice: The speaker's, from learn_voice.

        Raises:
            AudioError, VoiceError: It cannot be judged; the message says what to do.
        """
        span = self._detector.find(waveform)
        starts, logits = score_windows(self.network, waveform, span)
        if voice:  # has places of its own, where others have biases
            heard = require(self._space).correct(logits.emotion, logits.embedding, voice)
        else:
            heard = self._calibration.level(logits.emotion)
        windows = softmax(heard, self._calibration.temperature)  # (window, emotion)
        voices = softmax(logits.gender, self._calibration.gender_temperature).mean(axis=0)  # (2,)
        strengths = softmax(logits.intensity, self._calibration.intensity_temperature).mean(axis=0)  # (2,)
        return self._decide(span, starts, windows, voices, strengths)

    def learn_voice(self, clips: Mapping[str, Iterable[AudioSource]]) -> LearnedVoice:
        """Learn how a speaker sounds, so that their other recordings are heard against themselves.

        Args:
            clips: Recordings by the name of the emotion acted in them: a neutral one, or better one of each emotion.

        Raises:
            AudioError, VoiceError: A clip cannot be judged, its emotion is not known, or these weights cannot learn.
        """
        space = require(self._space)
        space.check_names(clips)
        return space.learn(
            {name: np.stack([self._describe(name, one) for one in each]) for name, each in clips.items()}
        )

    def check_voice(self, voice: LearnedVoice) -> None:
        """Make sure that a voice was learned with these weights.

        Raises:
            VoiceError: It was not.
        """
        require(self._space).check(voice)

    def _describe(self, name: str, source: AudioSource) -> Array:
        try:
            waveform = load_audio(source)
            span = self._detector.find(waveform)
        except AudioError as error:
            raise type(error)(f"The clip for {name} is of no use. {error}") from error
        _, scores = score_windows(self.network, waveform, span)
        return np.asarray(scores.embedding.mean(axis=0))

    def _decide(
        self, span: SpeechSpan, starts: list[float], windows: Array, voices: Array, strengths: Array
    ) -> Prediction:
        size_s = measure_window(span)
        names = self.network.emotions
        moments = tuple(
            Moment(start, start + size_s, dict(zip(names, row.tolist(), strict=True)))
            for start, row in zip(starts, windows, strict=True)
        )
        mean = windows.mean(axis=0)
        sure = bool(mean.max() >= self._calibration.abstain_below)
        return Prediction(
            emotion=names[int(mean.argmax())] if sure else None,
            sure=sure,
            probabilities=dict(zip(names, mean.tolist(), strict=True)),
            gender=GENDERS[int(voices.argmax())],
            gender_probability=float(voices.max()),
            intensity=INTENSITIES[int(strengths.argmax())],
            intensity_probability=float(strengths.max()),
            speech=(span.start_s, span.end_s),
            timeline=moments,
            notice="" if sure else "Not sure how this sounds. Pick the mood that fits, or say a longer sentence.",
        )


def _round_values(values: dict[str, float]) -> dict[str, float]:
    return {str(name): round(value, 4) for name, value in values.items()}
