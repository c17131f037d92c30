"""Background noise, coughs and sneezes behind a voice.

After ser-tests' background noise, which takes recorded noise (MUSAN); here babble is made of other actors' clips and
the rest is generated, so the figures are of synthetic noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ser_model.evaluation.robustness.recording import Change, Changed, Recording
from ser_model.evaluation.robustness.sounds import (
    Make,
    Sound,
    make_brown,
    make_clicks,
    make_hum,
    make_music,
    make_pink,
)

ENVIRONMENT: tuple[Make, ...] = (make_pink, make_brown, make_hum, make_clicks)
VOICES = (4, 7)  # in babble
VOICE_GAINS_DB = (-20, -13)


def add_noise(make: Make, snr_db: Sequence[float]) -> Change:
    """Noise over the whole recording, against the RMS of its speech."""

    def change(recording: Recording, rng: np.random.Generator) -> Changed:
        return mix(recording, make(recording.waveform.size, rng), rng.choice(snr_db))

    return change


def add_environment(recording: Recording, rng: np.random.Generator) -> Changed:
    """Pink or brown noise, mains hum, or clicks, 20 dB under the speech."""
    make = ENVIRONMENT[rng.integers(len(ENVIRONMENT))]
    return mix(recording, make(recording.waveform.size, rng), 20)


def add_music(recording: Recording, rng: np.random.Generator) -> Changed:
    """Made music, 20 dB under the speech."""
    return mix(recording, make_music(recording.waveform.size, rng), 20)


def add_babble(recording: Recording, rng: np.random.Generator) -> Changed:
    """Four to seven other people talking, 20 dB under the speech in all."""
    size, babble = recording.waveform.size, np.zeros(recording.waveform.size)
    for _ in range(rng.integers(VOICES[0], VOICES[1], endpoint=True)):
        voice = recording.crowd[rng.integers(len(recording.crowd))].astype(np.float64)
        gain = 10 ** (rng.integers(*VOICE_GAINS_DB, endpoint=True) / 20) / np.sqrt(np.mean(voice**2))
        babble += gain * np.resize(np.roll(voice, rng.integers(voice.size)), size)
    return mix(recording, babble, 20)


def add_burst(make: Callable[[np.random.Generator], Sound]) -> Change:
    """One cough or sneeze anywhere; its energy is 10 dB under that of the speech."""

    def change(recording: Recording, rng: np.random.Generator) -> Changed:
        burst, size = make(rng), recording.waveform.size
        start = rng.integers(max(size - burst.size, 1))
        placed = np.zeros(size)
        placed[start : start + burst.size] = burst[: size - start]
        first, last = recording.speech
        return mix(recording, placed * np.sqrt(size / (last - first)), 10)

    return change


def mix(recording: Recording, noise: Sound, snr_db: float) -> Changed:
    """Add noise at so many decibels under the speech, both as RMS: the noise's over the whole recording."""
    level = recording.speech_rms / max(float(np.sqrt(np.mean(noise**2))), 1e-12) * 10 ** (-snr_db / 20)
    return np.asarray(recording.waveform + level * noise)
