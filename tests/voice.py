"""A synthetic voice for the tests: the vowels of the example voices, at any pitch and length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from examples.make_voices import RATE_HZ, Style, say_vowel


def speak(
    vowels: str = "aeiouaei", pitch_hz: float = 140.0, syllable_s: float = 0.22, pause_s: float = 0.4, seed: int = 0
) -> NDArray[np.float32]:
    """Speak a syllable for each vowel, with a pause before and after; (time,) float32 at RATE_HZ, peak 0.5."""
    rng = np.random.default_rng(seed)
    vibrato = 0.04 * np.sin(np.arange(round(syllable_s * RATE_HZ)) / 900)
    falls = [1.15 - 0.3 * number / len(vowels) for number in range(len(vowels))]  # as in a sentence
    style = Style(vowels, pitch_hz, 0.0, syllable_s)
    voice = np.concatenate(
        [say_vowel(vowel, pitch_hz * (fall + vibrato), rng, style) for vowel, fall in zip(vowels, falls, strict=True)]
    )
    pause = 1e-4 * rng.standard_normal(round(pause_s * RATE_HZ))
    return np.concatenate([pause, 0.5 * voice / np.abs(voice).max(), pause]).astype(np.float32)
