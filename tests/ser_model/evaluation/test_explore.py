from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from made_corpus import make_clip, write_corpus
from voice import speak

from ser_model.__main__ import main
from ser_model.evaluation.explore import PLOTS, compute_features, plot_corpus
from ser_model.training.clips import Clip


@pytest.mark.slow
def test_explore_plots_the_corpus_on_one_page(tmp_path: Path) -> None:
    out = tmp_path / "out"
    page = plot_corpus(write_corpus(tmp_path / "corpus", (2, 3)), out, processes=1, dpi=50).read_text()
    shown = set(re.findall(r'src="([^"]+)"', page))
    assert shown == {f"{plot}.png" for plot in PLOTS}
    assert all((out / picture).stat().st_size > 2_000 for picture in shown)
    assert "16 clips of 2 actors" in page
    assert "{{" not in page


def make_sound(sound: np.ndarray) -> Clip:
    return make_clip("voice", waveform=sound, span=(0, sound.size))


def test_features_are_those_of_the_voice(rng: np.random.Generator) -> None:
    low, high = (compute_features(make_sound(0.1 * speak(pitch_hz=hz, pause_s=0))) for hz in (110, 220))
    assert high.pitch_hz / low.pitch_hz == pytest.approx(2, rel=0.1)
    assert low.duration_s == pytest.approx(8 * 0.22)
    loud = compute_features(make_sound(speak(pitch_hz=110, pause_s=0)))
    assert loud.level_db - low.level_db == pytest.approx(20, abs=0.1)
    assert low.mel_db.shape == (64, 60)
    assert np.isnan(compute_features(make_sound(1e-3 * rng.standard_normal(16_000).astype(np.float32))).pitch_hz)


@pytest.mark.parametrize("command", [["explore", "--out", "x"], ["robustness", "--out", "x.json"]])
def test_an_empty_folder_is_one_clear_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--data", str(tmp_path)]) == 2
    assert "zenodo" in capsys.readouterr().err
