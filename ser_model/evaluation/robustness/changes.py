"""Changes that hardly anybody hears, and spectral tilts.

After audeering's ser-tests (docs/method-tests.rst: small changes, spectral tilt), with the same numbers, each drawn
anew for every clip. Signal-to-noise ratios are against the speech, not the whole recording: about 3 dB harder there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import butter, fftconvolve, firwin2, lfilter

from ser_model.audio import SAMPLE_RATE
from ser_model.evaluation.robustness.recording import Change, Changed, Recording

FEW_SAMPLES = (100, 500, 1000)
TILT_TAPS = 1025


def keep(recording: Recording, _: np.random.Generator) -> Changed:
    """Change nothing."""
    return recording.waveform


def add_tone(recording: Recording, rng: np.random.Generator) -> Changed:
    """A sine at 5 to 7 kHz, its peak 40, 45 or 50 dB under the recording's."""
    level = np.abs(recording.waveform).max() * _to_gain(-rng.choice([40, 45, 50]))
    times = np.arange(recording.waveform.size) / SAMPLE_RATE
    return np.asarray(recording.waveform + level * np.sin(2 * np.pi * rng.uniform(5000, 7000) * times))


def append_zeros(recording: Recording, rng: np.random.Generator) -> Changed:
    """6, 31 or 62 ms of silence behind."""
    return np.pad(recording.waveform, (0, rng.choice(FEW_SAMPLES)))


def prepend_zeros(recording: Recording, rng: np.random.Generator) -> Changed:
    """6, 31 or 62 ms of silence before."""
    return np.pad(recording.waveform, (rng.choice(FEW_SAMPLES), 0))


def clip_peaks(recording: Recording, rng: np.random.Generator) -> Changed:
    """The highest 0.1, 0.2 or 0.3 % of the samples are clipped."""
    limit = np.quantile(np.abs(recording.waveform), 1 - rng.choice([0.001, 0.002, 0.003]))
    return recording.waveform.clip(-limit, limit)


def crop_beginning(recording: Recording, rng: np.random.Generator) -> Changed:
    """The first 6, 31 or 62 ms are cut off."""
    return recording.waveform[rng.choice(FEW_SAMPLES) :]


def crop_end(recording: Recording, rng: np.random.Generator) -> Changed:
    """The last 6, 31 or 62 ms are cut off."""
    return recording.waveform[: -rng.choice(FEW_SAMPLES)]


def amplify(gains_db: Sequence[float]) -> Change:
    """Louder or softer by one of these."""
    return lambda recording, rng: recording.waveform * _to_gain(rng.choice(gains_db))


def pass_high(recording: Recording, rng: np.random.Generator) -> Changed:
    """Butterworth of order 1 at 50, 100 or 150 Hz."""
    return _filter(recording, "highpass", rng.choice([50, 100, 150]))


def pass_low(recording: Recording, rng: np.random.Generator) -> Changed:
    """Butterworth of order 1 at 7500, 7000 or 6500 Hz."""
    return _filter(recording, "lowpass", rng.choice([7500, 7000, 6500]))


def tilt(top: float) -> Change:
    """A filter whose amplitude goes in a straight line from 1 at 0 Hz to this at 8 kHz; the level stays."""
    taps = firwin2(TILT_TAPS, [0, 1], [1, top])

    def change(recording: Recording, _: np.random.Generator) -> Changed:
        tilted = fftconvolve(recording.waveform, taps, mode="same")
        return np.asarray(tilted * np.sqrt(np.mean(recording.waveform**2) / np.mean(tilted**2)))

    return change


def _filter(recording: Recording, kind: str, edge_hz: float) -> Changed:
    return np.asarray(lfilter(*butter(1, edge_hz, kind, fs=SAMPLE_RATE), recording.waveform))


def _to_gain(decibels: float) -> float:
    return float(10 ** (decibels / 20))
