"""A small corpus of synthetic voices with RAVDESS names."""

from __future__ import annotations

from pathlib import Path

import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.labels import EMOTIONS

VOWELS = ("aaaaaa", "oooooo", "aeiaei", "uuuuuu", "aiaiai", "iiiiii", "oeoeoe", "iaiaia")


def write_corpus(folder: Path, actors: tuple[int, ...], repetitions: int = 1) -> Path:
    """Each emotion has its own vowels, each actor a pitch; odd actors are low, even ones high; strong is faster."""
    for actor in actors:
        home = folder / f"Actor_{actor:02d}"
        home.mkdir(parents=True)
        for emotion in range(1, len(EMOTIONS) + 1):
            for repetition in range(1, repetitions + 1):
                pitch_hz = (110 if actor % 2 else 210) + 3 * actor + 5 * repetition
                strong = emotion > 1 and (emotion + actor // 2) % 2 == 0  # neutral is always normal
                syllable_s = 0.15 if strong else 0.2
                voice = speak(VOWELS[emotion - 1], pitch_hz, syllable_s, pause_s=0.3, seed=actor + repetition)
                sf.write(home / f"03-01-0{emotion}-0{1 + strong}-01-0{repetition}-{actor:02d}.wav", voice, RATE_HZ)
    return folder
