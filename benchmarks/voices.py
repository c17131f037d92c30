"""Made voices for the benchmarks: nobody's recordings are needed, and every one gets another answer."""

from __future__ import annotations

import io

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from examples.make_voices import RATE_HZ, Manner, speak

SENTENCES = ("aeioaeiaeo", "oauoaouaoe", "aeaiaeaiai", "uoeauoeaui")


def say(seconds: float, number: int = 0) -> NDArray[np.float32]:
    """Speak for so many seconds, pauses included, (time,) float32 at 16 kHz; another number is another voice."""
    pitch_hz = 95.0 + 17.0 * (number % 12)
    manner = Manner(
        SENTENCES[number % len(SENTENCES)], pitch_hz, 0.05 + 0.03 * (number % 7), 0.18 + 0.02 * (number % 5)
    )
    sentence = speak(manner, seed=number)
    size = round(seconds * RATE_HZ)
    return np.asarray(np.tile(sentence, -(-size // sentence.size))[:size], dtype=np.float32)


def to_wav(waveform: NDArray[np.float32], rate_hz: int = 48_000) -> bytes:
    """Return a mono WAV file of 16 bits."""
    file = io.BytesIO()
    sf.write(file, soxr.resample(waveform, RATE_HZ, rate_hz), rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


def read_wav(file: bytes) -> NDArray[np.float32]:
    """Return the samples of such a file at its own rate, (time,)."""
    return np.asarray(sf.read(io.BytesIO(file), dtype="float32")[0])
