"""Make the three example voices of the page from nothing but arithmetic, so that anybody may pass them on.

Glottal pulses go through the formants of vowels (Peterson & Barney 1952, table II, rounded), with hissed consonants.

    python examples/make_voices.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.signal import lfilter

FOLDER = Path(__file__).resolve().parents[1] / "ui" / "voices"
RATE_HZ = 16_000
BANDWIDTHS_HZ = (80, 100, 140)
VOWELS_HZ = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}

Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Manner:
    """How a sentence is said: its vowels, pitch (Hz), how far the pitch moves, and the length of a syllable (s)."""

    vowels: str
    pitch_hz: float
    swing: float
    syllable_s: float


MANNERS = {
    "lively": Manner("aeioaeiaeo", 230.0, 0.28, 0.17),
    "slow": Manner("oauoaoua", 115.0, 0.05, 0.33),
    "sharp": Manner("aeaiaeaia", 190.0, 0.14, 0.15),
}


def speak(manner: Manner, seed: int = 0) -> Sound:
    """Return a spoken sentence with a pause before and behind, (time,) at RATE_HZ, peak 0.5."""
    rng = np.random.default_rng(seed)
    count = len(manner.vowels)
    syllables = []
    for number, vowel in enumerate(manner.vowels):
        move = 1 + manner.swing * (np.sin(2.4 * number) + 0.5 - number / count)
        trembling = 1 + 0.03 * np.sin(np.arange(round(manner.syllable_s * RATE_HZ)) / 900)
        syllables.append(say_vowel(vowel, manner.pitch_hz * move * trembling, rng))
    voice = np.concatenate(syllables)
    pause = 1e-4 * rng.standard_normal(round(0.4 * RATE_HZ))
    return np.concatenate([pause, 0.5 * voice / np.abs(voice).max(), pause])


def say_vowel(vowel: str, pitch_hz: Sound, rng: np.random.Generator) -> Sound:
    """Say one syllable, which begins with a hiss, as long as its (time,) pitch; at RATE_HZ, of any level."""
    size = pitch_hz.size
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / RATE_HZ), prepend=0.0)
    sound = lfilter([1], [1, -0.95], pulses + 0.01 * rng.standard_normal(size))
    for centre_hz, width_hz in zip(VOWELS_HZ[vowel], BANDWIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * width_hz / RATE_HZ)
        turn = np.cos(2 * np.pi * centre_hz / RATE_HZ)
        sound = lfilter([1 - radius], [1, -2 * radius * turn, radius**2], sound)
    hiss = 0.02 * np.abs(sound).max() * rng.standard_normal(size) * np.exp(-np.arange(size) / 500)
    return np.asarray(sound * np.hanning(size) ** 0.3 + hiss)


def main() -> None:
    """Write one WAV file for each manner."""
    FOLDER.mkdir(exist_ok=True)
    for name, manner in MANNERS.items():
        sf.write(FOLDER / f"{name}.wav", speak(manner), RATE_HZ, subtype="PCM_16")


if __name__ == "__main__":
    main()
