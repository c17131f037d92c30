from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ser_model.__main__ import main
from ser_model.cnn import CnnConfig, EmotionCnn, save_network
from ser_model.evaluation.robustness import TESTS


def test_explore_draws_the_corpus(corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--data", str(corpus_folder), "--out", str(tmp_path)]) == 0
    pictures = capsys.readouterr().out.split()
    assert len(pictures) == 3
    assert all(Path(path).stat().st_size > 5_000 for path in pictures)


@pytest.mark.parametrize("command", [["explore", "--out", "x"], ["robustness", "--out", "x.json"]])
def test_an_empty_folder_is_one_clear_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--data", str(tmp_path)]) == 2
    assert "zenodo" in capsys.readouterr().err


def test_robustness_reports_every_change(corpus_folder: Path, tmp_path: Path) -> None:
    for fold in range(5):
        folder = tmp_path / f"fold-{fold}-seed-0"
        folder.mkdir()
        torch.manual_seed(0)
        sizes = CnnConfig((16, 16, 16))
        save_network(EmotionCnn(sizes), folder)
        (folder / "config.json").write_text(json.dumps(sizes.__dict__))
    out = tmp_path / "robustness.json"
    command = [
        "robustness",
        "--data",
        str(corpus_folder),
        "--networks",
        str(tmp_path),
        "--out",
        str(out),
        "--limit",
        "4",
    ]
    assert main(command) == 0
    report = json.loads(out.read_text())
    assert set(report["changes"]) == set(TESTS)
    assert report["changes"]["gain of 20 dB"]["unchanged"] == 1.0


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_change_keeps_finite_sound_of_like_length(name: str, rng: np.random.Generator) -> None:
    voice = 0.1 * rng.standard_normal(20_000).astype(np.float32)
    changed = TESTS[name].change(voice, rng)
    assert np.isfinite(changed).all()
    assert abs(changed.size - voice.size) <= 1000
