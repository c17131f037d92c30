"""Copies of clips with noise, shift, pitch and speed changed once for all, and the descriptors of clips and copies."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from ser_model import features
from ser_model.audio import SAMPLE_RATE, Waveform
from ser_model.features import describe_voice
from ser_model.training.clips import Clip
from ser_model.training.whole import write_array

PROCESSES = 2
CHUNK = 20  # clips that a process takes at a time
MARK = "~"  # between a clip's name and the change that made a copy of it

Vectors = dict[str, NDArray[np.float64]]  # (descriptor,) by file name


def _add_noise(voice: Waveform, rng: np.random.Generator) -> Waveform:
    """White noise 10 to 30 dB below the voice."""
    level = np.sqrt(np.mean(voice**2)) * 10 ** (-rng.uniform(10, 30) / 20)
    return np.asarray(voice + level * rng.standard_normal(voice.size), np.float32)


def _shift(voice: Waveform, rng: np.random.Generator) -> Waveform:
    """What leaves at one end comes in at the other, a tenth to a half of the clip."""
    return np.roll(voice, round(voice.size * rng.uniform(0.1, 0.5)))


def _change_pitch(voice: Waveform, rng: np.random.Generator) -> Waveform:
    """Up to two semitones up or down at the same speed."""
    return np.asarray(librosa.effects.pitch_shift(voice, sr=SAMPLE_RATE, n_steps=rng.uniform(-2, 2)), np.float32)


def _change_speed(voice: Waveform, rng: np.random.Generator) -> Waveform:
    """Up to a fifth slower or faster at the same pitch."""
    return np.asarray(librosa.effects.time_stretch(voice, rate=rng.uniform(0.8, 1.2)), np.float32)


CHANGES: dict[str, Callable[[Waveform, np.random.Generator], Waveform]] = {
    "noise": _add_noise,
    "shift": _shift,
    "pitch": _change_pitch,
    "speed": _change_speed,
}


def copy_clips(clips: list[Clip]) -> list[Clip]:
    """Return each clip followed by its four copies, named FILE~noise and so on.

    A copy keeps the labels and the waveform of its clip; its name leads to the descriptors of the changed voice.
    """
    return [
        copy
        for clip in clips
        for copy in (clip, *(replace(clip, file=f"{clip.file}{MARK}{change}") for change in CHANGES))
    ]


def describe_copies(clips: list[Clip], cache: Path) -> Vectors:
    """Compute or take up the descriptors of every clip and of its copies, on two processes, with a progress bar.

    Args:
        clips: The corpus, without copies.
        cache: Folder that holds one file for each corpus and way of describing it.
    """
    path = cache / f"{_name_cache(clips)}.npy"
    if not path.exists():
        run = Parallel(n_jobs=PROCESSES, batch_size=CHUNK, return_as="generator")
        described = run(delayed(_describe_with_copies)(clip) for clip in clips)
        rows = list(tqdm(described, total=len(clips), desc="Describing clips and copies", unit="clip"))
        write_array(path, np.concatenate(rows))
    return {copy.file: row for copy, row in zip(copy_clips(clips), np.load(path), strict=True)}


def _describe_with_copies(clip: Clip) -> NDArray[np.float64]:
    return np.stack([describe_voice(voice) for voice in (clip.speech, *_vary(clip))])  # (copy, descriptor)


def _vary(clip: Clip) -> list[Waveform]:
    """Change a clip's voice in each way; chance depends on its name alone."""
    rng = np.random.default_rng(zlib.crc32(clip.file.encode()))
    return [change(clip.speech, rng) for change in CHANGES.values()]


def _name_cache(clips: list[Clip]) -> str:
    key = hashlib.sha256()
    for module in (__file__, features.__file__):
        key.update(Path(module).read_bytes())
    for clip in clips:
        key.update(clip.file.encode())
        key.update(clip.speech.tobytes())
    return key.hexdigest()[:16]
