"""Small corpora of synthetic voices, named as RAVDESS, CREMA-D and nEMO name their clips, and clips without a file."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.labels import EMOTIONS
from ser_model.training.clips import Clip

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


def write_further(folder: Path) -> Path:
    """Two speakers of CREMA-D and two of nEMO, with the vowels that the emotions have in write_corpus."""
    crema_d = {"NEU": 0, "HAP": 2, "SAD": 3, "ANG": 4, "FEA": 5, "DIS": 6}
    nemo = {"neutral": 0, "happiness": 2, "sadness": 3, "anger": 4, "fear": 5, "surprised": 7}
    names = {f"{who}_IEO_{word}_XX": (who, number) for who in ("1001", "1002") for word, number in crema_d.items()}
    names |= {f"{who}_{word}_1": (who, number) for who in ("SK0", "KD0") for word, number in nemo.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, (who, number) in names.items():
        voice = speak(VOWELS[number], 210 if who in ("1002", "KD0") else 110, 0.15, 0.3, seed=zlib.crc32(name.encode()))
        sf.write(folder / f"{name}.wav", voice, RATE_HZ)
    return folder


def make_clip(file: str, emotion: int = 0, speaker: str = "01", corpus: str = "ravdess", **more: Any) -> Clip:
    """A clip of four samples, which depend on its name."""
    sound = np.random.default_rng(zlib.crc32(file.encode())).standard_normal(4).astype(np.float32)
    return Clip(**{
        "file": file, "waveform": sound, "span": (0, sound.size), "emotion": emotion, "gender": 0, "intensity": 0,
        "speaker": speaker, "corpus": corpus, **more
    })  # fmt: skip
