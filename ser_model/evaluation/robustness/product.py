"""What is no speech must be refused or answered with "not sure", by every model and by the shipped one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ser_model.audio import SAMPLE_RATE, AudioError
from ser_model.calibrate import Calibration
from ser_model.evaluation.networks import load_joined
from ser_model.evaluation.robustness import sounds
from ser_model.evaluation.robustness.listen import make_rng
from ser_model.evaluation.robustness.sounds import Make, Sound
from ser_model.int8 import hasten
from ser_model.recognize import EmotionRecognizer
from ser_model.training.formats import write_wav

LENGTHS_S = (2, 10)
PEAKS_DB = (-60, -30, -6)  # of full scale
NEAR_SILENCE_DB = -72
KINDS: dict[str, Make] = {
    "silence": lambda size, _: np.zeros(size),
    "near-silence": lambda size, rng: rng.standard_normal(size),
    "pure tone": sounds.make_tone,
    "engaged tone": sounds.make_beeps,
    "siren": sounds.make_sweep,
    "music": sounds.make_music,
    "melody": sounds.make_melody,
    "band with melody": sounds.make_band,
    "white noise": sounds.make_white,
    "pink noise": sounds.make_pink,
    "brown noise": sounds.make_brown,
    "swelling noise": sounds.make_waves,
    "mains hum": sounds.make_hum,
    "engine": sounds.make_engine,
    "clicks": sounds.make_clicks,
    "coughs": sounds.repeat_bursts(sounds.make_cough),
    "sneezes": sounds.repeat_bursts(sounds.make_sneeze),
}
Model = tuple[tuple[Path, ...], Calibration]  # folders of its networks


def hear_sounds(kind: str, models: list[Model], variants: int) -> dict[str, Any]:
    """Give variants of one kind of sound to every model and to the shipped one.

    Returns:
        The row of the report: how often it was refused, answered with "not sure", and answered.
    """
    recognizers = [EmotionRecognizer(hasten(load_joined(folders)), own) for folders, own in models]
    recognizers.append(EmotionRecognizer.load())
    counts = Counter({"refused": 0, "not sure": 0, "answered": 0})
    for variant in range(variants):
        data = write_wav()(make_sound(kind, make_rng(kind, str(variant))))
        counts.update(_treat(recognizers, data))
    return {
        "group": "product",
        "name": kind,
        "parameters": f"{variants} synthetic ones of {LENGTHS_S[0]} to {LENGTHS_S[1]} s, {len(recognizers)} models",
        "counts": dict(counts),
        "share": (counts["refused"] + counts["not sure"]) / sum(counts.values()),
        "threshold": {"share": 1.0},
        "pass": counts["answered"] == 0,
        "random_rater": {"share": 0.0, "pass": False},
    }


def make_sound(kind: str, rng: np.random.Generator) -> Sound:
    """Make one sound of a kind, of random length and level."""
    sound = KINDS[kind](round(rng.uniform(*LENGTHS_S) * SAMPLE_RATE), rng)
    peak_db = NEAR_SILENCE_DB if kind == "near-silence" else rng.choice(PEAKS_DB)
    return sound * 10 ** (peak_db / 20) / max(float(np.abs(sound).max()), 1e-12)


def make_row(name: str, parameters: str, held: list[bool]) -> dict[str, Any]:
    """Write the row of a case that must hold every time."""
    share = float(np.mean(held))
    return {
        "group": "product",
        "name": name,
        "parameters": parameters,
        "share": share,
        "threshold": {"share": 1.0},
        "pass": all(held),
        "random_rater": {"share": 0.0, "pass": False},
    }


def _treat(recognizers: list[EmotionRecognizer], data: bytes) -> list[str]:
    """Return what each model makes of a sound; all share the detector that refuses."""
    try:
        return ["answered" if recognizer.recognize(data).sure else "not sure" for recognizer in recognizers]
    except AudioError:
        return ["refused"] * len(recognizers)
