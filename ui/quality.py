"""How good is it? The measured figures beside chance and people, read from results/ and never written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ser_model.labels import EMOTIONS
from ui import texts
from ui.bars import markup, percent
from ui.template import Shown, shown

RESULTS = Path(__file__).resolve().parents[1] / "results"
CHANCE = 1 / len(EMOTIONS)
PEOPLE = 0.624  # Livingstone & Russo 2018, speech without the picture; they had seven answers to choose from

TEMPLATE = (
    """
<details class="quality">
  <summary>{{value.title}}</summary>
  <p>{{value.summary}}</p>
  {{#each value.charts}}
  <figure>
    <figcaption><h3>{{this.title}}</h3><p class="quiet">{{this.words}}</p></figcaption>
"""
    + markup("this.bars", "{{this.title}}")
    + """
  </figure>
  {{/each}}
  {{#each value.notes}}<p class="quiet">{{this}}</p>{{/each}}
</details>
"""
)


def describe(results: Path = RESULTS) -> Shown:
    """Describe what was measured; figures that have not been measured yet are left out."""
    model = _read(results / "luna" / "metrics.json")
    charts, notes = [], [texts.TERMS]
    if model:
        others = {name: _read(results / folder / "metrics.json") for name, folder in texts.OTHERS.items()}
        charts = [_ladder(model, others), _recall(model), _actors(model)]
        notes.insert(0, _sentence(model))
    return shown(title=texts.QUALITY, summary=texts.QUALITY_SUMMARY, charts=charts, notes=notes)


def _ladder(model: dict[str, Any], others: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rungs = [(texts.CHANCE, CHANCE, False), (texts.PEOPLE, PEOPLE, False), (texts.THIS_MODEL, model["accuracy"], True)]
    rungs += [(name, metrics["accuracy"], False) for name, metrics in others.items() if metrics]
    return _chart(texts.LADDER, sorted(rungs, key=lambda rung: rung[1]))


def _recall(model: dict[str, Any]) -> dict[str, Any]:
    return _chart(texts.RECALL, [(name, value, False) for name, value in model["recall"].items()])


def _actors(model: dict[str, Any]) -> dict[str, Any]:
    actors = sorted(model["accuracy_by_actor"].values())
    middle = actors[len(actors) // 2]
    rows = zip(texts.ACTORS, (actors[0], middle, actors[-1]), strict=True)
    return _chart(texts.BY_ACTOR, [(name, value, False) for name, value in rows])


def _sentence(model: dict[str, Any]) -> str:
    return texts.SURE_SHARE.format(
        share=percent(model["answered"]["share"]),
        right=percent(model["answered"]["accuracy"]),
        voice=percent(model["gender"]["accuracy"]),
    )


def _chart(words: tuple[str, str], rows: list[tuple[str, float, bool]]) -> dict[str, Any]:
    bars = [
        {"name": name, "share": round(100 * value), "percent": percent(value), "leads": leads}
        for name, value, leads in rows
    ]
    return {"title": words[0], "words": words[1], "bars": bars}


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return document
