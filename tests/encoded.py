"""Files with sound for the tests, made by libsndfile."""

from __future__ import annotations

import io

import numpy as np
import soundfile as sf
from scipy.signal import correlate
from voice import RATE_HZ


def encode(
    samples: np.ndarray,
    rate_hz: int = RATE_HZ,
    form: str = "WAV",
    subtype: str | None = "PCM_16",
    **options: str | float,
) -> bytes:
    file = io.BytesIO()
    sf.write(file, samples, rate_hz, format=form, subtype=subtype, **options)
    return file.getvalue()


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Highest normalized correlation; codecs may shift the sound."""
    return float(correlate(a, b).max() / (np.linalg.norm(a) * np.linalg.norm(b)))
