"""How good is it? The measured figures beside chance and people, read from results/."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from ser_model.labels import EMOTIONS
from ui import texts
from ui.answer import adjective, bar, percent
from ui.template import SafeContext, escape, template

RESULTS = Path(__file__).resolve().parents[1] / "results"
CHANCE = 1 / len(EMOTIONS)
PEOPLE = 0.624  # Livingstone & Russo 2018, speech without the picture; they had seven answers to choose from
OTHERS = {"classic": texts.CLASSIC, "random": texts.RANDOM, "classic-random-copies": texts.COPIES}  # in results/

logger = logging.getLogger(__name__)


def draw() -> None:
    """Lay out the figures."""
    template("quality", describe(), elem_id="quality", title=texts.QUALITY, summary=texts.QUALITY_SUMMARY)


def describe(results: Path = RESULTS) -> SafeContext:
    """Describe what was measured; missing figures are left out, and so is everything if a file is damaged."""
    try:
        charts, notes = _describe_model(results)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        logger.warning("the figures in %s cannot be shown: %r", results, error)
        charts, notes = [], []
    return escape(charts=charts, notes=[*notes, texts.TERMS])


def _describe_model(results: Path) -> tuple[list[dict[str, Any]], list[str]]:
    model = _read_metrics(results / "luna")
    if not model:
        return [], []
    ladder = [(texts.CHANCE, CHANCE), (texts.PEOPLE, PEOPLE), (texts.THIS_MODEL, model["accuracy"])]
    others = ((name, _read_metrics(results / folder)) for folder, name in OTHERS.items())
    ladder += [(name, metrics["accuracy"]) for name, metrics in others if metrics]
    actors = sorted(model["accuracy_by_actor"].values())
    by_actor = zip(texts.ACTORS, (actors[0], actors[len(actors) // 2], actors[-1]), strict=True)
    figures = (
        (texts.ACCURACY, sorted(ladder, key=lambda rung: rung[1])),
        (texts.RECALL, [(adjective(name), value) for name, value in model["recall"].items()]),
        (texts.BY_ACTOR, by_actor),
    )
    charts = [
        {"label": label, "words": words, "bars": [bar(name, value, name == texts.THIS_MODEL) for name, value in rows]}
        for (label, words), rows in figures
    ]
    notes = [
        texts.SURE_SHARE.format(
            share=percent(model["sure"]["coverage"]),
            right=percent(model["sure"]["accuracy"]),
            gender=percent(model["gender"]["accuracy"]),
        )
    ]
    strangers = _read_metrics(results / "corpora")
    if strangers:
        label, words = texts.STRANGERS
        rows = [(texts.CHANCE_OF_STRANGERS, strangers["mean"]["chance"]), (texts.MEAN, strangers["mean"]["uar"])]
        rows += [(texts.CORPORA.get(name, name), one["uar"]) for name, one in strangers["corpora"].items()]
        bars = [bar(name, value, name == texts.MEAN) for name, value in rows]
        charts.insert(0, {"label": label, "words": words, "bars": bars})  # what a visitor may expect
        mean = strangers["mean"]
        notes.insert(0, texts.STRANGERS_SURE.format(share=percent(mean["sure"]), right=percent(mean["sure_accuracy"])))
    return charts, notes


def _read_metrics(folder: Path) -> dict[str, Any]:
    path = folder / "metrics.json"
    document: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return document
