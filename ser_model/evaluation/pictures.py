"""Draws the pictures of the corpus; colours of text and ground come from the theme that is in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ser_model.evaluation.measures import MELS, Measures
from ser_model.features import HIGHEST_HZ, LOWEST_HZ
from ser_model.labels import EMOTIONS, GENDERS

COLOURS = ("#3f88c5", "#a56bd6")  # male, female: both legible on either ground
SEMITONES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
COEFFICIENTS = [str(number) for number in range(20)]
PITCHES_HZ = (80, 100, 150, 200, 300, 400, 600)
MARKED_HZ = (100, 300, 1000, 3000, 7000)


def _make_theme(page: str, ink: str, grid: str) -> dict[str, Any]:
    inked = dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), ink)
    grounds = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor"), page)
    plain = {"grid.color": grid, "font.size": 11, "axes.spines.top": False, "axes.spines.right": False}
    return {**inked, **grounds, **plain}


THEMES = {"light": _make_theme("#ffffff", "#1c1c22", "#e4e4ea"), "dark": _make_theme("#17171c", "#ececf1", "#34343e")}


def _draw_counts(measures: list[Measures]) -> Figure:
    """Draw how many clips there are by emotion and gender."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    for gender in range(len(GENDERS)):
        counts = [len(_select(measures, emotion, gender)) for emotion in range(len(EMOTIONS))]
        bars = axes.bar(_places(gender), counts, width=0.36, color=COLOURS[gender])
        axes.bar_label(bars, fontsize=9)
    _label_emotions(axes)
    axes.set_ylabel("clips")
    return figure


def _draw_boxes(
    measures: list[Measures], value: Callable[[Measures], float], unit: str, octaves: bool = False
) -> Figure:
    """Draw one measure by emotion and gender.

    Args:
        measures: The clips.
        value: Reads the measure; clips for which it is nan are left out.
        unit: Of the measure.
        octaves: Whether the scale is logarithmic.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    for gender in range(len(GENDERS)):
        rows = [[value(one) for one in _select(measures, emotion, gender)] for emotion in range(len(EMOTIONS))]
        _draw_row(axes, rows, gender)
    _label_emotions(axes)
    axes.set_ylabel(unit)
    if octaves:
        axes.set_yscale("log")
        axes.set_yticks(PITCHES_HZ, [str(hz) for hz in PITCHES_HZ])
        axes.set_yticks([], minor=True)
    return figure


def _draw_spectrograms(measures: list[Measures]) -> Figure:
    """Draw the mean mel spectrogram of each emotion, all on one scale."""
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    grid = figure.subplots(2, len(EMOTIONS) // 2, sharex=True, sharey=True)
    means = {i: np.mean([one.mel_db for one in _select(measures, i)], axis=0) for i in _list_present(measures)}
    low, high = np.quantile(np.stack(list(means.values())), [0.01, 0.99])
    centres_hz = librosa.mel_frequencies(MELS + 2, fmin=LOWEST_HZ, fmax=HIGHEST_HZ)[1:-1]
    for emotion, axes in enumerate(grid.flat):
        axes.set_title(EMOTIONS[emotion], fontsize=11)
        if emotion in means:
            image = axes.imshow(
                means[emotion],
                origin="lower",
                aspect="auto",
                vmin=low,
                vmax=high,
                cmap="magma",
                extent=(0, 100, -0.5, MELS - 0.5),
            )
    axes.set_yticks(np.interp(MARKED_HZ, centres_hz, range(MELS)), [str(hz) for hz in MARKED_HZ])
    figure.supxlabel("% of the speech", fontsize=11)
    figure.supylabel("Hz", fontsize=11)
    figure.colorbar(image, ax=grid, label="dB", shrink=0.8)
    return figure


def _draw_profile(
    measures: list[Measures], value: Callable[[Measures], NDArray[np.float64]], names: list[str], axis: str
) -> Figure:
    """Draw how far each emotion's mean lies from that of all clips, in standard deviations between clips.

    Args:
        measures: The clips.
        value: Reads the (number,) means of a clip.
        names: Of the numbers.
        axis: What the numbers are.
    """
    everything = np.stack([value(one) for one in measures])  # (clip, number)
    deviation = np.maximum(everything.std(axis=0), 1e-9)
    table = np.full((len(EMOTIONS), len(names)), np.nan)
    for emotion in _list_present(measures):
        mine = np.mean([value(one) for one in _select(measures, emotion)], axis=0)
        table[emotion] = (mine - everything.mean(axis=0)) / deviation
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    axes = figure.subplots()
    reach = float(np.nanmax(np.abs(table)))
    image = axes.imshow(table, aspect="auto", cmap="PuOr", vmin=-reach, vmax=reach)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(EMOTIONS)), EMOTIONS)
    axes.set_xlabel(axis)
    figure.colorbar(image, ax=axes, label="standard deviations from the mean")
    return figure


def _draw_row(axes: Axes, rows: list[list[float]], gender: int) -> None:
    boxes = axes.boxplot(
        [[number for number in row if not np.isnan(number)] for row in rows],
        positions=_places(gender),
        widths=0.32,
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
    )
    for name in ("boxes", "whiskers", "caps"):
        for artist in boxes[name]:
            artist.set_color(COLOURS[gender])
    for line in boxes["medians"]:
        line.set(color="white", linewidth=2)


def _label_emotions(axes: Axes) -> None:
    axes.set_xticks(range(len(EMOTIONS)), EMOTIONS)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    patches = [Patch(color=colour, label=f"{name} voices") for colour, name in zip(COLOURS, GENDERS, strict=True)]
    axes.figure.legend(handles=patches, loc="outside upper right", ncols=2, frameon=False)


def _places(gender: int) -> NDArray[np.float64]:
    return np.arange(len(EMOTIONS), dtype=np.float64) + 0.4 * gender - 0.2


def _select(measures: list[Measures], emotion: int, gender: int | None = None) -> list[Measures]:
    return [one for one in measures if one.emotion == emotion and gender in (None, one.gender)]


def _list_present(measures: list[Measures]) -> list[int]:
    return sorted({one.emotion for one in measures})


PICTURES: dict[str, Callable[[list[Measures]], Figure]] = {
    "counts": _draw_counts,
    "durations": lambda measures: _draw_boxes(measures, lambda one: one.duration_s, "seconds"),
    "loudness": lambda measures: _draw_boxes(measures, lambda one: one.level_db, "dB"),
    "pitch": lambda measures: _draw_boxes(measures, lambda one: one.pitch_hz, "Hz", octaves=True),
    "mel": _draw_spectrograms,
    "mfcc": lambda measures: _draw_profile(measures, lambda one: one.mfcc, COEFFICIENTS, "coefficient"),
    "chroma": lambda measures: _draw_profile(measures, lambda one: one.chroma, SEMITONES, "semitone"),
}
