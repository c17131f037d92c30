"""Hears the changed recordings of one actor with the networks' own fold, as the product would: from a file's bytes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ser_model.audio import SAMPLE_RATE, AudioError, AudioSource, Waveform, load_audio
from ser_model.calibrate import Calibration
from ser_model.evaluation.networks import load_joined
from ser_model.evaluation.robustness.checks import CLEAN, Check
from ser_model.evaluation.robustness.recording import Recording
from ser_model.int8 import hasten
from ser_model.recognize import EmotionRecognizer
from ser_model.speech import SpeechDetector
from ser_model.training.formats import write_wav

REFUSED = -1  # the answer to a recording that cannot be judged; never right
BRIEF_S = (0.1, 0.2, 0.3, 0.4, 0.49)
LONG_S = 30
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Actor:
    """The test clips of one actor, with the network of the fold that never heard them.

    Attributes:
        number: 1 to 24.
        networks: Folders of the fold's networks.
        calibration: Fitted on the other actors.
        files: Names of the clips.
        sources: Where, or the bytes with which, each is read.
        truth: Class index of each.
        crowd: Speech of training actors of this fold, for babble.
    """

    number: int
    networks: tuple[Path, ...]
    calibration: Calibration
    files: tuple[str, ...]
    sources: tuple[AudioSource, ...]
    truth: tuple[int, ...]
    crowd: tuple[Waveform, ...]


@dataclass(frozen=True)
class Heard:
    """What was answered: class indices or REFUSED for each check, and whether the two product cases held."""

    truth: NDArray[np.int64]
    answers: dict[str, NDArray[np.int64]]
    brief_refused: tuple[bool, ...]
    long_averaged: tuple[bool, ...]


def hear_actor(actor: Actor, checks: Sequence[Check], with_product: bool) -> Heard:
    """Hear every recording of an actor as it is and after every change."""
    recognizer, detector = load_recognizer(actor), SpeechDetector()
    answers: dict[str, list[int]] = {check.name: [] for check in (CLEAN, *checks)}
    brief: list[bool] = []
    waveforms = [load_audio(source) for source in actor.sources]
    for file, waveform in zip(actor.files, waveforms, strict=True):
        recording = Recording(waveform, _find_edges(detector, waveform), actor.crowd)
        for check in (CLEAN, *checks):
            rng = make_rng(check.name, file)
            answers[check.name].append(_answer(recognizer, check.write(check.change(recording, rng))))
        if with_product:
            brief.append(_refuses_brief(recognizer, recording, make_rng("brief", file)))
    return Heard(
        np.array(actor.truth),
        {name: np.array(given) for name, given in answers.items()},
        tuple(brief),
        (_averages_windows(recognizer, waveforms),) if with_product else (),
    )


def load_recognizer(actor: Actor) -> EmotionRecognizer:
    """Load the fold's model, calibrated on the other actors."""
    return EmotionRecognizer(hasten(load_joined(actor.networks)), actor.calibration)


def make_rng(*names: str) -> np.random.Generator:
    """Return chance that depends on these names alone, not on what is heard before or beside."""
    return np.random.default_rng([zlib.crc32(name.encode()) for name in names])


def _answer(recognizer: EmotionRecognizer, data: bytes) -> int:
    try:
        return int(np.argmax(list(recognizer.recognize(data).probabilities.values())))
    except AudioError:
        return REFUSED


def _find_edges(detector: SpeechDetector, waveform: Waveform) -> tuple[int, int]:
    """Return where the speech begins and ends, of a clip that is refused all of it."""
    try:
        span = detector.find(waveform)
    except AudioError:
        return 0, waveform.size
    return round(span.start_s * SAMPLE_RATE), round(span.end_s * SAMPLE_RATE)


def _refuses_brief(recognizer: EmotionRecognizer, recording: Recording, rng: np.random.Generator) -> bool:
    """Tell whether less than half a second of the speech is refused."""
    first, last = recording.speech
    start, size = rng.integers(first, max(last - SAMPLE_RATE // 2, first + 1)), rng.choice(BRIEF_S) * SAMPLE_RATE
    return _answer(recognizer, write_wav()(recording.waveform[start : start + round(size)])) == REFUSED


def _averages_windows(recognizer: EmotionRecognizer, waveforms: Sequence[Waveform]) -> bool:
    """Tell whether half a minute of an actor is heard in windows and answered with their mean."""
    prediction = recognizer.recognize(write_wav()(np.resize(np.concatenate(waveforms), LONG_S * SAMPLE_RATE)))
    windows = np.array([list(moment.probabilities.values()) for moment in prediction.timeline])
    means = windows.mean(axis=0) - list(prediction.probabilities.values())
    return len(windows) > 1 and bool(np.abs(means).max() < TOLERANCE)
