"""What is served hears what was trained, and the published figures say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_corpus import write_corpus

from ser_model.evaluation import served
from ser_model.evaluation.served import main
from ser_model.int8 import has_fast_int8

LUNA_ACTORS = (1, 2, 3, 8, 10)  # one tested in each fold


def run(data: Path, networks: Path, out: Path) -> int:
    return main(["--data", str(data), "--networks", str(networks), "--seeds", "1", "--out", str(out)])


@pytest.mark.skipif(not has_fast_int8(), reason="this processor serves float32")
def test_both_forms_are_heard_and_agree(
    networks: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = write_corpus(tmp_path_factory.mktemp("corpus"), LUNA_ACTORS)
    assert run(data, networks, tmp_path / "served.json") == 0
    found = json.loads((tmp_path / "served.json").read_text())
    assert abs(found["float32"]["uar"] - found["served"]["uar"]) <= 1 - found["answers_unchanged"] + 1e-9
    assert found["answers_unchanged"] > 0.9


def test_missing_networks_are_one_line(
    corpus_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(served, "has_fast_int8", lambda: True)
    assert run(corpus_folder, tmp_path, tmp_path / "out.json") == 2
    assert "--protocol luna" in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_processor_that_serves_float32_has_nothing_to_compare(
    networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(served, "has_fast_int8", lambda: False)
    assert run(tmp_path, networks, tmp_path / "out.json") == 2
    assert "VNNI" in capsys.readouterr().err


def test_the_published_forms_hear_alike(project: Path) -> None:
    report = json.loads((project / "results/served.json").read_text())
    assert abs(report["float32"]["uar"] - report["served"]["uar"]) < 0.003
    assert report["answers_unchanged"] > 0.99
