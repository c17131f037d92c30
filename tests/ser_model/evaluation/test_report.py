"""The generated documents say what the results say, and nothing else of them is touched."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ser_model.evaluation.metrics import Predictions, summarize
from ser_model.evaluation.report import (
    BEGIN,
    END,
    collect_results,
    find_other_weights,
    main,
    render,
    replace_between_marks,
    write_documents,
    write_report,
)
from ser_model.labels import EMOTIONS

ROW = re.compile(r"^\| (?!RAVDESS|---).*\|$", re.MULTILINE)


@pytest.fixture
def results(project: Path) -> dict[str, Any]:
    return collect_results(project / "results")


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """A project with the results, and a README with marks."""
    shutil.copytree(project / "results", tmp_path / "results")
    (tmp_path / "README.md").write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nThe rest.\n")
    return tmp_path


def test_the_metrics_agree_with_the_table_beside_them(
    make_predictions: Callable[..., Predictions], tmp_path: Path
) -> None:
    predictions = make_predictions(0.7, seeds=2)
    write_report(tmp_path / "run", summarize(predictions), predictions)
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    with (tmp_path / "run/predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    correct = [row["true"] == max(EMOTIONS, key=lambda name: float(row[name])) for row in rows]
    assert np.mean(correct) == pytest.approx(metrics["accuracy"])
    assert metrics["clips"] * 2 == len(rows)
    assert metrics["gender"]["accuracy"] == 1.0
    assert {row["intensity"] for row in rows} == {"normal"}
    assert len(metrics["accuracy_by_actor"]) == 24
    assert (tmp_path / "run/figure.png").stat().st_size > 10_000


def test_the_rest_of_the_readme_stays(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--project", str(copy)]) == 0
    text = (copy / "README.md").read_text()
    assert text.startswith(f"# Title\n\n{BEGIN}\n| RAVDESS")
    assert text.endswith(f"{END}\n\nThe rest.\n")
    assert not write_documents(copy)
    assert main(["--project", str(copy)]) == 0
    assert "Nothing changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", [f"a {BEGIN} b", f"a {END} b", f"{END} a {BEGIN} b", f"{BEGIN} a {END} b {BEGIN} c {END}"]
)
def test_without_both_marks_nothing_is_written(copy: Path, text: str) -> None:
    (copy / "README.md").write_text(text)
    with pytest.raises(ValueError, match="once each and in this order"):
        main(["--project", str(copy)])
    assert (copy / "README.md").read_text() == text
    assert not (copy / "docs/results.md").exists()
    assert replace_between_marks(f"a{BEGIN}b{END}c", "new") == f"a{BEGIN}\nnew\n{END}c"


def test_the_readme_has_at_most_nine_rows_with_the_figures_of_the_results(results: dict[str, Any]) -> None:
    text = render("readme.md", results)
    assert len(ROW.findall(text.partition("People from other recordings")[0])) == 9
    assert f"**{100 * results['runs']['luna']['uar']:.1f}**" in text
    results["runs"]["luna"]["uar"] = 0.4321
    assert "**43.2**" in render("readme.md", results)


def test_every_table_names_its_machine_and_weights(results: dict[str, Any]) -> None:
    for number, one in enumerate((*results["runs"].values(), results["enrollment"], results["robustness"])):
        one["machine"] = {"cores": number, "processor": "Example"}
    clip = {
        "path_ms": {"bytes_to_probabilities": 1, "vad": 1, "decode": 1},
        "parameters": {"network": 1},
        "command": "clip",
    }
    clip["compared_ms"] = {"network_with_features": 1}
    names = ("librosa_48_khz", "librosa_16_khz", "wav2vec2_base_sized_encoder")
    clip |= {"times_faster": dict.fromkeys(names, 7), "recording_s": {"1 min": 1, "10 min": 2}}
    clip |= {"weights_id": "abcdef0123456789", "date": "2030-01-01", "machine": {"cores": 99, "processor": "Example"}}
    text = render("results.md", results | {"clip": clip})
    for number in range(len(results["runs"]) + 2):
        assert f"{number} cores of Example" in text
    assert "99 cores of Example, 2030-01-01, weights abcdef012345, `clip`" in text


def test_the_documents_agree_with_the_results(project: Path, results: dict[str, Any]) -> None:
    page, readme = project / "docs/results.md", (project / "README.md").read_text()
    assert page.read_text() == render("results.md", results), "run python -m ser_model report"
    assert replace_between_marks(readme, render("readme.md", results)) == readme, "run python -m ser_model report"


def test_results_that_name_weights_name_those_that_are_shipped(project: Path, tmp_path: Path) -> None:
    assert not find_other_weights(project / "results")
    for name, document in {"old": {"weights_id": "e0b6f2bd"}, "none": {"uar": 1}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    assert find_other_weights(tmp_path) == {"old.json": "e0b6f2bd"}
