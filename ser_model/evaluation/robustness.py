"""The robustness suite: clips are changed as microphones and rooms would, and scored by the networks of the Luna folds.

The changes and thresholds of the first group follow audeering's ser-tests (docs/method-tests.rst, "small changes"),
those of the second its noise and phone tests with noise made here; every clip is scored by a network that never heard
its actor, and "unchanged" is the share of clips that keep their answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from ser_model.audio import SAMPLE_RATE, Waveform
from ser_model.cnn import load_network
from ser_model.evaluation.metrics import measure_uar
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import score_clips
from ser_model.training.folds import split_clips
from ser_model.training.ravdess import load_ravdess

Change = Callable[[Waveform, np.random.Generator], NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Test:
    """One change, the share of answers that must stay, and how much UAR may be lost."""

    change: Change
    unchanged: float
    uar_loss: float = 1.0


def measure_robustness(data: Path, networks: Path, limit: int | None = None) -> dict[str, Any]:
    """Run every test on the speech clips.

    Args:
        data: Folder with RAVDESS.
        networks: Folder in which train.py --protocol luna left its networks.
        limit: At most so many clips of each fold.

    Raises:
        ValueError: The networks are missing.

    Returns:
        The clean UAR, and for each change: share unchanged, change of UAR, thresholds, whether it passes.
    """
    folds = split_clips(prepare_clips(load_ravdess(data, ("speech",))), "luna")
    if not networks.is_dir():
        raise ValueError(
            f"{networks} is missing. Make it with: python train.py --data {data} --protocol luna --out results/luna"
        )
    parts = [(load_network(networks / f"fold-{fold.name}-seed-0"), fold.test[:limit]) for fold in folds]
    truth = np.array([clip.emotion for _, clips in parts for clip in clips])

    def answer(change: Change) -> NDArray[np.int64]:
        rng = np.random.default_rng(0)
        return np.concatenate(
            [
                score_clips(network, [_alter(clip, change, rng) for clip in clips]).emotion.argmax(axis=1)
                for network, clips in parts
            ]
        )

    clean = answer(lambda waveform, _: waveform)
    clean_uar = measure_uar(truth, clean)
    changes = {}
    for name, test in TESTS.items():
        guess = answer(test.change)
        unchanged, uar_change = float((guess == clean).mean()), measure_uar(truth, guess) - clean_uar
        passed = unchanged > test.unchanged and uar_change > -test.uar_loss
        changes[name] = {
            "unchanged": unchanged,
            "uar_change": uar_change,
            "must_stay": test.unchanged,
            "may_lose": test.uar_loss,
            "pass": bool(passed),
        }
    command = "python -m ser_model robustness --data DIR --out results/robustness.json"
    return {"command": command, "clips": truth.size, "clean_uar": clean_uar, "changes": changes}


def _alter(clip: Clip, change: Change, rng: np.random.Generator) -> Clip:
    speech = change(clip.speech, rng).astype(np.float32)
    return Clip(
        clip.file, speech, (0, speech.size), clip.emotion, clip.gender, clip.intensity, clip.actor, clip.is_song
    )


def _add(noise: NDArray[np.float64], waveform: Waveform, snr_db: float) -> NDArray[np.float64]:
    level = np.sqrt(np.mean(waveform**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return np.asarray(waveform + level * noise)


def _add_tone(waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float64]:
    times = np.arange(waveform.size) / SAMPLE_RATE
    return _add(np.sin(2 * np.pi * rng.uniform(5000, 7000) * times), waveform, rng.choice([40, 45, 50]))


def _add_white(snr_db: tuple[float, ...]) -> Change:
    return lambda waveform, rng: _add(rng.standard_normal(waveform.size), waveform, rng.choice(snr_db))


def _add_pink(waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.standard_normal(waveform.size))
    return _add(np.fft.irfft(spectrum / np.sqrt(np.arange(1, spectrum.size + 1)), waveform.size), waveform, 20)


def _add_hum(waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float64]:
    times = np.arange(waveform.size) / SAMPLE_RATE
    waves = [np.sin(2 * np.pi * 50 * k * times + rng.uniform(0, 6)) / k for k in range(1, 9)]
    return _add(np.sum(waves, axis=0), waveform, 20)


def _clip(waveform: Waveform, rng: np.random.Generator) -> Waveform:
    limit = np.quantile(np.abs(waveform), 1 - rng.choice([0.001, 0.002, 0.003]))
    return waveform.clip(-limit, limit)


def _pass_high(waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(lfilter(*butter(1, rng.choice([50, 100, 150]), "highpass", fs=SAMPLE_RATE), waveform))


def _pass_low(waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(lfilter(*butter(1, rng.choice([7500, 7000, 6500]), "lowpass", fs=SAMPLE_RATE), waveform))


def _phone(waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float64]:
    """300 to 3,400 Hz, 8 kHz, mu-law of 8 bits, faint noise."""
    narrow = soxr.resample(
        np.asarray(lfilter(*butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE), waveform)), 16_000, 8_000
    )
    scaled = narrow / max(np.abs(narrow).max(), 1e-9)
    coded = np.round(np.sign(scaled) * np.log1p(255 * np.abs(scaled)) / np.log(256) * 127) / 127
    decoded = np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255
    return _add(rng.standard_normal(waveform.size), soxr.resample(decoded, 8_000, 16_000)[: waveform.size], 25)


def _tilt(decibels: float) -> Change:
    """Raise (or lower) the highest frequency by so many decibels against the lowest, in a straight line."""

    def change(waveform: Waveform, _: np.random.Generator) -> NDArray[np.float64]:
        spectrum = np.fft.rfft(waveform)
        return np.fft.irfft(spectrum * 10 ** (decibels * np.linspace(-0.5, 0.5, spectrum.size) / 20), waveform.size)

    return change


def _room(rt60_s: float) -> Change:
    """Convolve with noise that dies away by 60 dB in so many seconds, behind the direct sound."""

    def change(waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float64]:
        times = np.arange(round(rt60_s * SAMPLE_RATE)) / SAMPLE_RATE
        tail = rng.standard_normal(times.size) * np.exp(-6.9 * times / rt60_s)
        echo = np.fft.irfft(np.fft.rfft(waveform, 65536 * 2) * np.fft.rfft(tail, 65536 * 2))[: waveform.size]
        return _add(echo, waveform, 3)

    return change


TESTS = {
    "tone 40 to 50 dB": Test(_add_tone, 0.95),
    "zeros before": Test(lambda x, rng: np.pad(x, (rng.choice([100, 500, 1000]), 0)), 0.95),
    "zeros behind": Test(lambda x, rng: np.pad(x, (0, rng.choice([100, 500, 1000]))), 0.95),
    "clipped": Test(_clip, 0.95),
    "beginning cropped": Test(lambda x, rng: x[rng.choice([100, 500, 1000]) :], 0.95),
    "end cropped": Test(lambda x, rng: x[: -rng.choice([100, 500, 1000])], 0.95),
    "gain": Test(lambda x, rng: x * 10 ** (rng.choice([-2, -1, 1, 2]) / 20), 0.95),
    "gain of 20 dB": Test(lambda x, rng: x * rng.choice([0.1, 10]), 0.95),
    "high-pass": Test(_pass_high, 0.95),
    "low-pass": Test(_pass_low, 0.95),
    "white noise 35 to 45 dB": Test(_add_white((35, 40, 45)), 0.95),
    "white noise 20 dB": Test(_add_white((20,)), 0.90, 0.05),
    "pink noise 20 dB": Test(_add_pink, 0.90, 0.05),
    "mains hum 20 dB": Test(_add_hum, 0.90, 0.05),
    "phone": Test(_phone, 0.50, 0.05),
    "tilt up": Test(_tilt(12), 0.80, 0.02),
    "tilt down": Test(_tilt(-12), 0.80, 0.02),
    "room 0.4 s": Test(_room(0.4), 0.80),
}
