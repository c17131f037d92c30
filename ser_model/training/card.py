"""The model card, written from results/: python -m ser_model.training.card."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from transformers.dynamic_module_utils import get_imports

from ser_model.cnn import load_network
from ser_model.files import WEIGHTS_NAME
from ser_model.recognize import WEIGHTS
from ser_model.table import read_labels

PACKAGE = Path(__file__).parents[1]
TEMPLATE = Path(__file__).with_name("card.md")
CALIBRATION = PACKAGE.parent / "results/luna/metrics.json"
PROTOCOLS = {
    "luna": "new speakers, Luna folds by actor",
    "emobox": "new speakers, EmoBox folds by actor",
    "loso": "new speakers, one left out at a time",
    "random": "random split of clips, **speakers known**",
}
SAME = ("model", "settings", "extra", "labels")  # as the weights were made
METRICS = {"uar": ("recall", "UAR"), "accuracy": ("accuracy", "accuracy"), "ece": ("ece", "expected calibration error")}


def collect_figures(calibration: Path) -> dict[str, dict[str, Any]]:
    """Read the metrics.json that the weights' calibration comes from, and those of the other protocols beside it.

    Args:
        calibration: Such as results/luna/metrics.json; its neighbours are results/PROTOCOL/metrics.json.

    Returns:
        Metrics by protocol, the calibration's first; those of another model, recipe or corpus are left out.
    """
    main = json.loads(calibration.read_text())
    figures = {main["protocol"]: main}
    for protocol in PROTOCOLS:
        path = calibration.resolve().parents[1] / protocol / "metrics.json"
        metrics = json.loads(path.read_text()) if path.exists() else {}
        if all(metrics.get(name) == main[name] for name in SAME):
            figures.setdefault(protocol, metrics)
    return figures


def write_card(weights: Path = WEIGHTS, calibration: Path = CALIBRATION) -> bool:
    """Write WEIGHTS/README.md; return whether it changed."""
    place = weights / "README.md"
    old = place.read_text() if place.exists() else ""
    text = make_card(weights, collect_figures(calibration))
    place.write_text(text)
    return text != old


def make_card(weights: Path, figures: dict[str, dict[str, Any]]) -> str:
    """Fill the card's template.

    Args:
        weights: The folder with config.json and model.safetensors.
        figures: From collect_figures.
    """
    card = ModelCard.from_template(
        _describe(figures),
        template_path=str(TEMPLATE),
        parameters=load_network(weights).count_parameters(),
        megabytes=(weights / WEIGHTS_NAME).stat().st_size / 1e6,
        labels=read_labels(weights),
        figures=figures,
        main=next(iter(figures.values())),
        protocols=PROTOCOLS,
        packages=list_packages(),
    )
    return str(card).rstrip() + "\n"


def list_code() -> list[Path]:
    """List hub.py and the modules of this package that it needs, which go beside published weights."""
    found, waiting = [], [PACKAGE / "hub.py"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.append(path)
            needed = re.findall(r"^from ser_model\.(\w+) import", path.read_text(), re.MULTILINE)
            waiting += [PACKAGE / f"{name}.py" for name in needed]
    return sorted(found)


def list_packages() -> list[str]:
    """List what must be installed for the code beside published weights."""
    imported = {name for path in list_code() for name in get_imports(path)}
    return sorted(imported - {"ser_model"} - sys.stdlib_module_names)


def _describe(figures: dict[str, dict[str, Any]]) -> ModelCardData:
    return ModelCardData(
        language="en",
        license="cc-by-nc-sa-4.0",
        library_name="transformers",
        pipeline_tag="audio-classification",
        model_name="EmotionCnn",
        datasets=["xbgoose/ravdess"],
        metrics=["recall", "accuracy"],
        tags=["speech-emotion-recognition", "ravdess"],
        eval_results=[
            _describe_result(protocol, metrics, name) for protocol, metrics in figures.items() for name in METRICS
        ],
    )


def _describe_result(protocol: str, metrics: dict[str, Any], name: str) -> EvalResult:
    kind, title = METRICS[name]
    return EvalResult(
        task_type="audio-classification",
        dataset_type="xbgoose/ravdess",
        dataset_name=f"RAVDESS speech, {PROTOCOLS[protocol].replace('*', '')} (not these weights)",
        dataset_config=protocol,  # results with the same one are put together
        dataset_args={"protocol": protocol, "folds": len(metrics["folds"]), "seeds": len(metrics["seeds"])},
        metric_type=kind,
        metric_name=title,
        metric_value=round(metrics[name], 4),
    )


if __name__ == "__main__":
    changed = write_card()
    print("The model card is new." if changed else "The model card agrees with results/.", file=sys.stderr)
