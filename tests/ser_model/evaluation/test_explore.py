from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from made_corpus import write_corpus
from voice import speak

from ser_model.__main__ import main
from ser_model.evaluation import explore
from ser_model.evaluation.measures import measure_clip
from ser_model.training.clips import Clip


@pytest.mark.slow
def test_explore_draws_the_corpus_on_one_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, "PROCESSES", 1)
    monkeypatch.setattr(explore, "DPI", 50)
    corpus, out = write_corpus(tmp_path / "corpus", (2, 3)), tmp_path / "out"
    assert main(["explore", "--data", str(corpus), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.split() == [str(out / "index.html")]
    assert "Measuring" in said.err
    page = (out / "index.html").read_text()
    shown = set(re.findall(r'src(?:set)?="([^"]+)"', page))
    names = ("counts", "durations", "loudness", "pitch", "mel", "mfcc", "chroma")
    assert shown == {f"{name}-{theme}.png" for name in names for theme in ("light", "dark")}
    assert all((out / picture).stat().st_size > 2_000 for picture in shown)
    assert "16 clips of 2 actors" in page
    assert "$" not in page


def test_measures_are_those_of_the_voice() -> None:
    low, high = (measure_clip(make_clip(0.1 * speak(pitch_hz=pitch_hz, pause_s=0))) for pitch_hz in (110, 220))
    assert high.pitch_hz / low.pitch_hz == pytest.approx(2, rel=0.1)
    assert low.duration_s == pytest.approx(8 * 0.22)
    loud = measure_clip(make_clip(speak(pitch_hz=110, pause_s=0)))
    assert loud.level_db - low.level_db == pytest.approx(20, abs=0.1)
    assert low.mel_db.shape == (64, 60)
    assert low.chroma.sum() == pytest.approx(1)


def test_a_clip_without_voice_has_no_pitch(rng: np.random.Generator) -> None:
    assert np.isnan(measure_clip(make_clip(1e-3 * rng.standard_normal(16_000).astype(np.float32))).pitch_hz)


def make_clip(voice: np.ndarray) -> Clip:
    return Clip("03-01-01-01-01-01-01", voice, (0, voice.size), 0, 0, 0, 1, False)


@pytest.mark.parametrize("command", [["explore", "--out", "x"], ["robustness", "--out", "x.json"]])
def test_an_empty_folder_is_one_clear_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--data", str(tmp_path)]) == 2
    assert "zenodo" in capsys.readouterr().err
