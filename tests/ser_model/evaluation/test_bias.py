"""The settings of the biases are compared on validation actors, and the chosen ones stand in the results."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from ser_model.evaluation.bias import PENALTIES, SAD_WEIGHTS, main
from ser_model.evaluation.judge import BiasSettings


def test_the_chosen_settings_are_within_a_point_of_the_best_with_more_of_sad_right(project: Path) -> None:
    report = json.loads((project / "results/bias-choosing.json").read_text())
    assert report["chosen"] == asdict(BiasSettings())
    assert len(report["rows"]) == len(SAD_WEIGHTS) * len(PENALTIES)
    best = max(report["rows"], key=lambda row: (row["uar"], row["sad_recall"]))
    (chosen,) = (row for row in report["rows"] if {name: row[name] for name in report["chosen"]} == report["chosen"])
    assert chosen["uar"] >= best["uar"] - 0.01
    assert chosen["sad_recall"] >= best["sad_recall"]


def test_missing_scores_are_one_line(corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(corpus_folder), "--scores", str(tmp_path), "--out", str(tmp_path / "out.json")]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("ser_model: ")
    assert not (tmp_path / "out.json").exists()
