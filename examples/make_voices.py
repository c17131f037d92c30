"""Synthesize the three example voices of the page, so that they can be shared without anybody's recording.

Glottal pulses pass through the formants of vowels (Peterson & Barney 1952, table II, rounded); each syllable starts
with noise, like a consonant. Pitch, tempo, loudness and breath make a voice cheerful, sad or angry.

    python examples/make_voices.py [FOLDER]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.signal import lfilter

FOLDER = Path(__file__).resolve().parents[1] / "ui" / "voices"
RATE_HZ = 16_000
BANDWIDTHS_HZ = (80, 100, 140)
FORMANTS_HZ = {
    "a": (730, 1090, 2440), "e": (530, 1840, 2480), "i": (270, 2290, 3010), "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}  # fmt: skip

Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Style:
    """How a sentence is spoken."""

    vowels: str  # one for each syllable
    pitch_hz: float  # the mean
    pitch_range: float  # of the melody, as a share of the mean
    syllable_s: float
    fall: float = 0.2  # of the pitch over the sentence, as a share of the mean
    stress: float = 0.0  # how much softer every other syllable is, 0 to 1
    tilt: float = 0.95  # the higher, the softer the glottal pulses, 0 to 1
    breath: float = 0.01  # noise in the glottal pulses
    shift: float = 1.0  # factor of the formants; above 1 the vocal tract is shorter


STYLES = {
    "cheerful": Style("oiuooiaeoeue", 246, 0.23, 0.16, fall=0.18, stress=0.13, tilt=0.71, breath=0.002, shift=0.94),
    "sad": Style("uuuuuu", 113, 0.13, 0.42, fall=0.27, tilt=0.89, breath=0.066, shift=1.02),
    "angry": Style("oaaoaeaaeie", 186, 0.30, 0.13, fall=0.09, stress=0.64, tilt=0.35, breath=0.003, shift=1.3),
}


def speak(style: Style, seed: int = 0) -> Sound:
    """Synthesize a sentence with a pause before and after it: (time,) at RATE_HZ, peak 0.5."""
    rng = np.random.default_rng(seed)
    count, size = len(style.vowels), round(style.syllable_s * RATE_HZ)
    syllables = []
    for number, vowel in enumerate(style.vowels):
        melody = style.pitch_range * np.sin(2.4 * number + np.linspace(0, 1.2, size)) - style.fall * number / count
        vibrato = 0.02 * np.sin(np.arange(size) / 500)
        pitch_hz = style.pitch_hz * (1 + melody + vibrato)
        syllable = say_vowel(vowel, pitch_hz, rng, style)
        syllables.append(syllable / np.abs(syllable).max() * (1 - style.stress * (number % 2)))
    voice = np.concatenate(syllables)
    pause = 1e-4 * rng.standard_normal(round(0.4 * RATE_HZ))
    return np.concatenate([pause, 0.5 * voice / np.abs(voice).max(), pause])


def say_vowel(vowel: str, pitch_hz: Sound, rng: np.random.Generator, style: Style) -> Sound:
    """Synthesize one syllable as long as its (time,) pitch contour, at RATE_HZ and any level."""
    size = pitch_hz.size
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / RATE_HZ), prepend=0.0)
    sound = lfilter([1], [1, -style.tilt], pulses + style.breath * rng.standard_normal(size))
    for center_hz, width_hz in zip(FORMANTS_HZ[vowel], BANDWIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * width_hz / RATE_HZ)
        cosine = np.cos(2 * np.pi * style.shift * center_hz / RATE_HZ)
        sound = lfilter([1 - radius], [1, -2 * radius * cosine, radius**2], sound)
    noise = 0.02 * np.abs(sound).max() * rng.standard_normal(size) * np.exp(-np.arange(size) / 500)
    return np.asarray(sound * np.hanning(size) ** 0.3 + noise)


def main(folder: Path = FOLDER) -> None:
    """Write one WAV file per style."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, style in STYLES.items():
        sf.write(folder / f"{name}.wav", speak(style), RATE_HZ, subtype="PCM_16")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
