from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_corpus import write_corpus

from ser_model.__main__ import main
from ser_model.evaluation.robustness.changes import CHECKS
from ser_model.evaluation.robustness.sounds import NON_SPEECH


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three actors, each tested in another fold."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), (2, 3, 9))


def run(corpus: Path, networks: Path, out: Path, *options: str) -> int:
    command = ["robustness", "--data", str(corpus), "--networks", str(networks), "--seeds", "0", "--out", str(out)]
    return main([*command, "--limit", "1", "--jobs", "1", *options])


@pytest.mark.slow
def test_every_change_has_a_row_with_its_threshold(corpus: Path, networks: Path, tmp_path: Path) -> None:
    out = tmp_path / "results" / "robustness.json"
    groups = ("small", "noise", "phone", "tilt", "room", "format", "fairness", "calibration")
    assert run(corpus, networks, out, "--only", *groups) == 0
    report = json.loads(out.read_text())
    rows = {row["name"]: row for row in report["rows"]}
    assert {check.name for check in CHECKS if check.group in groups} <= set(rows)
    assert set(report["groups"]) == set(groups)
    for row in report["rows"]:
        assert {"parameters", "threshold", "pass"} <= set(row)
    assert rows["gain"]["unchanged"] == rows["float"]["unchanged"] == 1.0
    assert rows["gain"]["uar_change"] == 0.0
    assert rows["gain"]["clean_uar"] == report["clean_uar"]
    assert set(report["bars"]) == {"small", "white"}
    assert report["bars"]["small"]["holds"] == (report["groups"]["small"]["passed"] >= 8)


@pytest.mark.slow
def test_the_product_cases_hold_with_the_shipped_weights(
    corpus: Path, networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ser_model.evaluation.robustness.run.VARIANTS", 1)
    out = tmp_path / "product.json"
    assert run(corpus, networks, out, "--only", "product") == 0
    report = json.loads(out.read_text())
    assert {row["name"] for row in report["rows"]} > set(NON_SPEECH)
    failed = {row["name"] for row in report["rows"] if not row["pass"]}
    assert failed <= {"half a minute"}  # repeated synthetic vowels are not speech for so long
    assert report["bars"]["product"]["holds"] == (not failed)


def test_networks_are_looked_for_where_the_remedy_puts_them(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["robustness", "--data", str(corpus), "--out", str(tmp_path / "out.json")]) == 2
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    assert "runs/luna/networks/" in sentence
    assert "--out runs/luna" in sentence


def test_what_is_wrong_is_one_clear_line(
    corpus: Path, networks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(corpus, networks, tmp_path / "x.json", "--only", "weather") == 2
    assert "Choose from small" in capsys.readouterr().err
    assert run(corpus, tmp_path / "nowhere", tmp_path / "x.json") == 2
    assert "train.py --data" in capsys.readouterr().err
    assert run(corpus, networks, tmp_path / "x.json", "--seeds", "7") == 2
    assert "fold-0-seed-7" in capsys.readouterr().err
