from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from ser_model.files import WEIGHTS_NAME
from ser_model.recognize import WEIGHTS, EmotionRecognizer
from ser_model.training.card import collect_figures, list_code, list_packages, make_card, write_card


@pytest.fixture
def figures(project: Path) -> dict[str, dict[str, object]]:
    return collect_figures(project / "results/luna/metrics.json")


def test_the_shipped_card_agrees_with_the_results(figures: dict[str, dict[str, object]]) -> None:
    assert (WEIGHTS / "README.md").read_text() == make_card(WEIGHTS, figures), "run python -m ser_model.training.card"


def test_the_model_index_has_every_protocol_that_was_measured(figures: dict[str, dict[str, object]]) -> None:
    results = ModelCard.load(WEIGHTS / "README.md").data.eval_results
    told = {(one.dataset_args["protocol"], one.metric_name): one.metric_value for one in results}
    assert set(figures) >= {"luna", "random"}
    for protocol, metrics in figures.items():
        assert told[protocol, "UAR"] == round(metrics["uar"], 4)
        assert told[protocol, "accuracy"] == round(metrics["accuracy"], 4)
        assert told[protocol, "expected calibration error"] == round(metrics["ece"], 4)


def test_the_card_says_size_limits_and_terms() -> None:
    card = ModelCard.load(WEIGHTS / "README.md")
    assert card.data.license == "cc-by-nc-sa-4.0"
    assert card.data.library_name == "transformers"
    parameters = EmotionRecognizer.load().count_parameters()
    assert f"{parameters:,} parameters" in card.text
    assert parameters < 1_000_000
    assert (WEIGHTS / WEIGHTS_NAME).stat().st_size < 5_000_000
    for words in ("North American actors", "two English sentences", "not a diagnosis", "trust_remote_code=True"):
        assert words in " ".join(card.text.split())


def test_it_follows_a_change_of_the_results_and_leaves_other_models_out(project: Path, tmp_path: Path) -> None:
    weights = shutil.copytree(WEIGHTS, tmp_path / "weights")
    metrics = json.loads((project / "results/luna/metrics.json").read_text())
    changes = {
        "luna": {"uar": 0.4321},
        "random": {"model": "classic", "protocol": "random"},
        "loso": {"settings": {"epochs": 2}, "protocol": "loso"},
    }
    for name, change in changes.items():
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "metrics.json").write_text(json.dumps(metrics | change))
    assert write_card(weights, tmp_path / "results/luna/metrics.json")
    text = (weights / "README.md").read_text()
    assert "| 43.2 (" in text
    assert "speakers known" not in text
    assert "one left out" not in text
    assert not write_card(weights, tmp_path / "results/luna/metrics.json")


def test_the_code_beside_the_weights_is_whole_and_small() -> None:
    names = {path.name for path in list_code()}
    assert {"hub.py", "cnn.py", "features.py", "labels.py"} <= names
    assert not names & {"archive.py", "__main__.py"}
    assert not {"gradio", "datasets", "ray", "pandas"} & set(list_packages())
