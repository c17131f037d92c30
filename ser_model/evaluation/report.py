"""What the results say: metrics.json and its figure for each run, and the generated parts of the documents."""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ser_model.cnn import weights_id
from ser_model.evaluation.corpora import CorpusPredictions
from ser_model.evaluation.metrics import Predictions
from ser_model.files import atomic_folder
from ser_model.labels import GENDERS, INTENSITIES
from ser_model.recognize import WEIGHTS
from ser_model.training.corpora import SOURCES

PROJECT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
CHANCE, HUMANS = 0.125, 0.624  # humans: Livingstone & Russo 2018, audio-only speech
MEN, WOMEN = "#3f88c5", "#8a4fbf"
Document = dict[str, Any]


def describe_origin(packages: Sequence[str]) -> Document:
    """Return the date, the machine, and the versions of Python and of some packages."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": cores, "processor": models[0] if models else platform.machine()},
        "versions": {"python": platform.python_version(), **{package: version(package) for package in packages}},
    }


def write_document(path: Path, document: Document) -> None:
    """Write figures as indented JSON; the folder is created if missing."""
    with atomic_folder(path.parent) as tmp:
        (tmp / path.name).write_text(json.dumps(document, indent=1) + "\n")


def write_report(folder: Path, metrics: Document, predictions: Predictions) -> None:
    """Write metrics.json, predictions.csv and figure.png into a folder."""
    with atomic_folder(folder) as tmp:
        (tmp / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
        _write_predictions(tmp / "predictions.csv", predictions, metrics["emotions"])
        draw_report(metrics).savefig(tmp / "figure.png", dpi=110)


def write_corpora_report(folder: Path, metrics: Document, predictions: CorpusPredictions) -> None:
    """Write metrics.json and predictions.csv of protocol corpora into a folder."""
    with atomic_folder(folder) as tmp:
        (tmp / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
        with (tmp / "predictions.csv").open("w", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            emotions = metrics["emotions"]
            rows.writerow(["file", "actor", "corpus", "fold", "seed", "true", "sure", *emotions])
            columns = ("files", "speakers", "corpora", "folds", "seeds")
            for i in range(predictions.files.size):
                labels = [getattr(predictions, name)[i] for name in columns]
                labels += [emotions[predictions.truth[i]], int(predictions.sure[i])]
                rows.writerow([*labels, *(f"{value:.4f}" for value in predictions.probabilities[i])])


def draw_report(metrics: Document) -> Figure:
    """Draw the confusion matrix and the accuracy by actor side by side."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    confusion, actors = figure.subplots(1, 2)
    _draw_confusion(confusion, np.array(metrics["confusion"], float), metrics["emotions"])
    _draw_actors(actors, metrics["accuracy_by_actor"])
    return figure


def main(argv: list[str]) -> int:
    """Write the results table of README.md and docs/results.md from results/: python -m ser_model report."""
    parser = argparse.ArgumentParser(prog="python -m ser_model report", description=main.__doc__)
    parser.add_argument("--project", type=Path, default=PROJECT, metavar="DIR", help="folder with README.md and docs")
    arguments = parser.parse_args(argv)
    changed = ", ".join(map(str, write_documents(arguments.project)))
    print(f"{changed or 'Nothing'} changed.", file=sys.stderr)
    return 0


def write_documents(project: Path, results: Path | None = None) -> list[Path]:
    """Write the generated parts of the documents, and return the files that changed.

    Args:
        project: The folder with README.md and docs.
        results: The results; project/results if None.

    Raises:
        ValueError: README.md lacks a mark. Nothing is written.
    """
    found = collect_results(results or project / "results")
    readme, page = project / "README.md", project / "docs/results.md"
    new = {
        readme: replace_between_marks(readme.read_text(), render("readme.md", found)),
        page: render("results.md", found),
    }
    changed = [path for path, text in new.items() if not path.exists() or path.read_text() != text]
    for path in changed:
        with atomic_folder(path.parent) as tmp:
            (tmp / path.name).write_text(new[path])
    return changed


def replace_between_marks(text: str, part: str, begin: str = BEGIN, end: str = END) -> str:
    """Replace what is between two marks.

    Raises:
        ValueError: A mark is missing, is there twice, or they are in the wrong order.
    """
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"README.md must have the marks {begin} and {end}, once each and in this order.")
    return f"{text[: text.index(begin)]}{begin}\n{part.strip()}\n{text[text.index(end) :]}"


def collect_results(results: Path) -> Document:
    """Read what was measured: RUN/metrics.json by the name of the run, and NAME.json by name."""
    runs = {path.parent.name: json.loads(path.read_text()) for path in sorted(results.glob("*/metrics.json"))}
    return {"runs": runs} | {path.stem: json.loads(path.read_text()) for path in sorted(results.glob("*.json"))}


def find_other_weights(results: Path, weights: Path = WEIGHTS) -> dict[str, str]:
    """Return the results that were measured with other weights than those in a folder, with the weights they name."""
    shipped = weights_id(weights)
    named = {path.name: json.loads(path.read_text()).get("weights_id", shipped) for path in results.glob("*.json")}
    return {name: found for name, found in sorted(named.items()) if found != shipped}


def render(template: str, results: Document) -> str:
    """Fill in a template of ser_model/evaluation/templates with the results."""
    loader = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 - Markdown
    environment.filters |= {
        "percent": lambda share: f"{100 * share:.1f}",
        "points": lambda share: f"{100 * share:+.1f}",
        "measured": _describe_measurement,
    }

    def measured_on(names: Sequence[str]) -> dict[str, list[str]]:
        """Group results by where and when they were measured."""
        found = [(name, results["runs"].get(name) or results.get(name)) for name in names]
        places = {name: _describe_measurement(one) for name, one in found if one}
        return {where: [name for name in places if places[name] == where] for where in places.values()}

    template_of = environment.get_template(template)
    return template_of.render(results, sources=SOURCES, weights_id=weights_id(WEIGHTS)[:12], measured_on=measured_on)


def _describe_measurement(one: Document) -> str:
    return f"{one['machine']['cores']} cores of {one['machine']['processor']}, {one['date']}"


def _write_predictions(path: Path, predictions: Predictions, emotions: Sequence[str]) -> None:
    """Write one row for each clip: file, actor, fold, seed, true emotion, probabilities, gender, intensity."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        pairs = ["gender", "gender_probability", "intensity", "intensity_probability"]
        rows.writerow(["file", "actor", "fold", "seed", "true", *emotions, *pairs])
        for i, name in enumerate(predictions.files):
            labels = [predictions.speakers[i], predictions.folds[i], predictions.seeds[i]]
            labels += [emotions[predictions.truth[i]]]
            gender, intensity = predictions.gender_probabilities[i], predictions.intensity_probabilities[i]
            pairs = [GENDERS[gender.argmax()], f"{gender.max():.4f}"]
            pairs += [INTENSITIES[intensity.argmax()], f"{intensity.max():.4f}"]
            rows.writerow([name, *labels, *(f"{value:.4f}" for value in predictions.probabilities[i]), *pairs])


def _draw_confusion(axes: Axes, counts: np.ndarray, emotions: Sequence[str]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Purples", vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        color = "white" if shares[row, column] > 0.5 else "black"  # noqa: PLR2004 - half of the color scale
        text = f"{100 * shares[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    axes.set_xticks(range(len(emotions)), emotions, rotation=40, ha="right")
    axes.set_yticks(range(len(emotions)), emotions)
    axes.set_title("Predicted (columns) by acted emotion (rows), %")


def _draw_actors(axes: Axes, accuracy: dict[str, float]) -> None:
    actors = sorted(accuracy, key=lambda actor: accuracy[actor])
    colors = [MEN if int(actor) % 2 else WOMEN for actor in actors]
    axes.bar(actors, [100 * accuracy[actor] for actor in actors], color=colors)
    axes.axhline(100 * HUMANS, color="black", linestyle="--", linewidth=1, label="human listeners 62.4")
    axes.axhline(100 * CHANCE, color="grey", linestyle=":", linewidth=1, label="chance 12.5")
    axes.set_ylim(0, 100)
    axes.tick_params(axis="x", labelsize=7)
    axes.legend(fontsize=8)
    axes.set_title("Accuracy by actor, % (violet: women, blue: men)")
