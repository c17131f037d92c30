"""Rooms: the same voice with the echo of a room around it."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from ser_model.audio import SAMPLE_RATE
from ser_model.evaluation.robustness.recording import Change, Changed, Recording

DISTANCE_M = 0.5  # from the mouth to the microphone of a laptop on the table
VOLUME_M3 = 60  # a living room
DIRECTIVITY = 2.0  # of a mouth
FIRST_ECHO_S = 0.003


def add_room(rt60_s: float) -> Change:
    """Echo that dies away by 60 dB in so many seconds, behind the direct sound."""

    def change(recording: Recording, rng: np.random.Generator) -> Changed:
        echo = fftconvolve(recording.waveform, make_echo(rt60_s, rng))
        return np.asarray(np.pad(recording.waveform, (0, echo.size - recording.waveform.size)) + echo)

    return change


def make_echo(rt60_s: float, rng: np.random.Generator) -> Changed:
    """Draw the impulse response of the echo alone: Gaussian noise under an exponential (Polack 1988)."""
    times = np.arange(round(rt60_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(times.size) * np.exp(-np.log(1000) * times / rt60_s) * (times >= FIRST_ECHO_S)
    return np.asarray(tail * np.sqrt(10 ** (-measure_direct_db(rt60_s) / 10) / np.sum(tail**2)))


def measure_direct_db(rt60_s: float) -> float:
    """How far the direct sound is above the echo: the critical distance is 0.057 sqrt(Q V / RT60) (Kuttruff 2009)."""
    critical_m = 0.057 * np.sqrt(DIRECTIVITY * VOLUME_M3 / rt60_s)
    return float(20 * np.log10(critical_m / DISTANCE_M))
