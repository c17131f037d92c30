"""A made voice for the tests: glottal pulses through the formants of a sentence's vowels, with hissed consonants.

Formant frequencies are rounded from Peterson & Barney 1952, table II.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE_HZ = 16_000
VOWELS_HZ = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
BANDWIDTHS_HZ = (80, 100, 140)


def speak(
    vowels: str = "aeiouaei", pitch_hz: float = 140.0, syllable_s: float = 0.22, pause_s: float = 0.4, seed: int = 0
) -> NDArray[np.float32]:
    """Speak one syllable a vowel, with silence before and behind; (time,) float32 at RATE_HZ, peak 0.5."""
    rng = np.random.default_rng(seed)
    size = round(syllable_s * RATE_HZ)
    parts = []
    for number, vowel in enumerate(vowels):
        glide = pitch_hz * (1.15 - 0.3 * number / max(len(vowels), 1) + 0.04 * np.sin(np.arange(size) / 900))
        pulses = np.diff(np.floor(np.cumsum(glide) / RATE_HZ), prepend=0.0)
        sound = lfilter([1], [1, -0.95], pulses + 0.01 * rng.standard_normal(size))
        for centre, width in zip(VOWELS_HZ[vowel], BANDWIDTHS_HZ, strict=True):
            radius = np.exp(-np.pi * width / RATE_HZ)
            sound = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE_HZ), radius**2], sound)
        hiss = 0.02 * np.abs(sound).max() * rng.standard_normal(size) * np.exp(-np.arange(size) / 500)
        parts.append(sound * np.hanning(size) ** 0.3 + hiss)
    voice = np.concatenate(parts)
    quiet = 1e-4 * rng.standard_normal(round(pause_s * RATE_HZ))
    return np.concatenate([quiet, 0.5 * voice / np.abs(voice).max(), quiet]).astype(np.float32)
