"""A poor telephone line: compressor, AMR narrow band at 7.4 kbit/s, and hiss above its band (after ser-tests)."""

from __future__ import annotations

import numpy as np
import soxr
from scipy.signal import butter, lfilter, sosfilt

from ser_model.audio import SAMPLE_RATE
from ser_model.evaluation.robustness.recording import Changed, Recording
from ser_model.evaluation.robustness.sounds import make_pink
from ser_model.training.formats import Codec, decode

PHONE_RATE_HZ = 8_000
AMR = Codec("libopencore_amrnb", "amr", 7_400, PHONE_RATE_HZ)
THRESHOLD_DB, SLOPE, SMOOTHING_S = -20, 0.8, 0.015  # of the compressor
HISS_DB = -25  # peak of the pink noise, before the high-pass of order 2 at HISS_FROM_HZ
HISS_FROM_HZ = 3_000


def call_by_phone(recording: Recording, rng: np.random.Generator) -> Changed:
    """Send the recording through the line; what comes out has the level of what went in."""
    scaled = recording.waveform / np.abs(recording.waveform).max()
    coded = decode(AMR(_compress(scaled)), "amr")
    wide = soxr.resample(coded, PHONE_RATE_HZ, SAMPLE_RATE)
    hiss = make_pink(wide.size, rng)
    hiss *= 10 ** (HISS_DB / 20) / np.abs(hiss).max()
    heard = wide / np.abs(wide).max() + sosfilt(butter(2, HISS_FROM_HZ, "highpass", fs=SAMPLE_RATE, output="sos"), hiss)
    return np.asarray(heard * np.sqrt(np.mean(recording.waveform**2) / np.mean(heard**2)))


def _compress(waveform: Changed) -> Changed:
    """Let the level grow by 0.8 dB a decibel above -20 dB; one smoothing time serves as attack and release."""
    memory = np.exp(-1 / (SMOOTHING_S * SAMPLE_RATE))
    power = lfilter([1 - memory], [1, -memory], waveform.astype(np.float64) ** 2)
    excess_db = np.maximum(10 * np.log10(power + 1e-12) - THRESHOLD_DB, 0)
    return np.asarray(waveform * 10 ** ((SLOPE - 1) * excess_db / 20))
