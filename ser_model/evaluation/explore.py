"""Pictures of the corpus: how many clips there are, how long and how loud they are, how high the voices lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ser_model.audio import SAMPLE_RATE
from ser_model.features import describe_voice
from ser_model.labels import EMOTIONS, GENDERS
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.ravdess import load_ravdess

PITCH = 35  # position of the mean pitch (log2 Hz) in describe_voice
COLOURS = ("#3f88c5", "#8a4fbf")  # male, female


def draw_corpus(data: Path, out: Path) -> list[Path]:
    """Draw the speech part of a corpus.

    Args:
        data: Folder with RAVDESS.
        out: Folder for the pictures; made when missing.

    Returns:
        The paths of the pictures.

    Raises:
        CorpusError: There are no clips.
    """
    clips = prepare_clips(load_ravdess(data, ("speech",)))
    out.mkdir(parents=True, exist_ok=True)
    figures = {
        "counts.png": _draw_counts(clips),
        "lengths_and_levels.png": _draw_levels(clips),
        "pitch.png": _draw_pitch(clips),
    }
    for name, figure in figures.items():
        figure.savefig(out / name, dpi=110)
    return [out / name for name in figures]


def _draw_counts(clips: list[Clip]) -> Figure:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for gender, name in enumerate(GENDERS):
        counts = [sum(clip.emotion == i and clip.gender == gender for clip in clips) for i in range(len(EMOTIONS))]
        axes.bar(np.arange(len(EMOTIONS)) + 0.4 * gender - 0.2, counts, width=0.4, label=name, color=COLOURS[gender])
    axes.set_xticks(range(len(EMOTIONS)), EMOTIONS)
    axes.legend()
    axes.set_title(f"{len(clips)} clips of {len({clip.actor for clip in clips})} actors")
    return figure


def _draw_levels(clips: list[Clip]) -> Figure:
    figure = Figure(figsize=(12, 4), layout="constrained")
    lengths, levels = figure.subplots(1, 2)
    seconds = [[clip.speech.size / SAMPLE_RATE for clip in clips if clip.emotion == i] for i in range(len(EMOTIONS))]
    decibels = [[_measure_level_db(clip) for clip in clips if clip.emotion == i] for i in range(len(EMOTIONS))]
    for axes, values, title in (
        (lengths, seconds, "Length of the speech span, s"),
        (levels, decibels, "Level of it, dB RMS"),
    ):
        axes.boxplot(values, tick_labels=list(EMOTIONS), showfliers=False)
        axes.tick_params(axis="x", rotation=30)
        axes.set_title(title)
    return figure


def _draw_pitch(clips: list[Clip]) -> Figure:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    pitches = np.array([2 ** describe_voice(clip.speech)[PITCH] for clip in clips])
    for gender, name in enumerate(GENDERS):
        values = [
            pitches[[clip.emotion == i and clip.gender == gender for clip in clips]] for i in range(len(EMOTIONS))
        ]
        filled = [value if value.size else np.array([np.nan]) for value in values]
        axes.plot(list(EMOTIONS), [np.median(value) for value in filled], "o-", label=name, color=COLOURS[gender])
    axes.legend()
    axes.set_title("Median over clips of the mean pitch (YIN), Hz")
    return figure


def _measure_level_db(clip: Clip) -> float:
    return float(10 * np.log10(np.mean(clip.speech**2) + 1e-12))
