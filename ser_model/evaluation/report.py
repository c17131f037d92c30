"""Writes what was measured: metrics.json, predictions.csv and one figure."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ser_model.evaluation.metrics import Scored
from ser_model.labels import GENDERS, INTENSITIES

CHANCE, HUMANS = 0.125, 0.624  # humans: Livingstone & Russo 2018, audio-only speech


def write_report(folder: Path, metrics: dict[str, Any], scored: Scored) -> None:
    """Write metrics.json, predictions.csv and figure.png into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    write_predictions(folder / "predictions.csv", scored, metrics["emotions"])
    draw_report(metrics, scored).savefig(folder / "figure.png", dpi=110)


def write_predictions(path: Path, scored: Scored, emotions: Sequence[str]) -> None:
    """Write one row a clip: file, actor, fold, seed, true emotion, a probability for each, gender, intensity."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        pairs = ["gender", "gender_probability", "intensity", "intensity_probability"]
        rows.writerow(["file", "actor", "fold", "seed", "true", *emotions, *pairs])
        for i, name in enumerate(scored.files):
            probabilities = [f"{value:.4f}" for value in scored.probabilities[i]]
            gender, intensity = scored.gender_probabilities[i], scored.intensity_probabilities[i]
            labels = [scored.actors[i], scored.folds[i], scored.seeds[i], emotions[scored.truth[i]]]
            pairs = [GENDERS[gender.argmax()], f"{gender.max():.4f}"]
            pairs += [INTENSITIES[intensity.argmax()], f"{intensity.max():.4f}"]
            rows.writerow([name, *labels, *probabilities, *pairs])


def draw_report(metrics: dict[str, Any], scored: Scored) -> Figure:
    """Draw the confusion matrix, the accuracy by actor and the reliability diagram side by side."""
    figure = Figure(figsize=(16, 5), layout="constrained")
    confusion, actors, reliability = figure.subplots(1, 3)
    _draw_confusion(confusion, np.array(metrics["confusion"], float), metrics["emotions"])
    _draw_actors(actors, metrics)
    _draw_reliability(reliability, scored, metrics["ece"])
    return figure


def _draw_confusion(axes: Axes, counts: np.ndarray, emotions: Sequence[str]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Purples", vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"  # noqa: PLR2004 - half of the colour scale
        axes.text(
            column,
            row,
            f"{100 * shares[row, column]:.0f}",
            ha="center",
            va="center",
            color=colour,
            fontsize=8,
        )
    axes.set_xticks(range(len(emotions)), emotions, rotation=40, ha="right")
    axes.set_yticks(range(len(emotions)), emotions)
    axes.set_title("Heard as (columns) when acted as (rows), %")


def _draw_actors(axes: Axes, metrics: dict[str, Any]) -> None:
    ranked = sorted(metrics["accuracy_by_actor"].items(), key=lambda item: item[1])
    colours = ["#8a4fbf" if int(actor) % 2 == 0 else "#3f88c5" for actor, _ in ranked]
    axes.bar([actor for actor, _ in ranked], [100 * share for _, share in ranked], color=colours)
    axes.axhline(100 * HUMANS, color="black", linestyle="--", linewidth=1, label="human listeners 62.4")
    axes.axhline(100 * CHANCE, color="grey", linestyle=":", linewidth=1, label="chance 12.5")
    axes.set_ylim(0, 100)
    axes.tick_params(axis="x", labelsize=7)
    axes.legend(fontsize=8)
    axes.set_title("Accuracy by actor, % (violet: women, blue: men)")


def _draw_reliability(axes: Axes, scored: Scored, ece: float, bins: int = 10) -> None:
    confidence, right = scored.probabilities.max(axis=1), scored.guess == scored.truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    filled = [i for i in range(bins) if (bin_of == i).any()]
    axes.bar(
        [(i + 0.5) / bins for i in filled],
        [right[bin_of == i].mean() for i in filled],
        width=0.9 / bins,
        color="#8a4fbf",
    )
    axes.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("certainty given")
    axes.set_ylabel("share right")
    axes.set_title(f"Reliability, expected calibration error {ece:.3f}")
