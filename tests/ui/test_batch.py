"""Several recordings: a row each, whatever one of them is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from predictions import make_prediction

from ser_model.audio import NoSpeech
from ser_model.cnn import WeightsError
from ser_model.labels import EMOTIONS
from ser_model.recognize import Prediction
from ui import batch, service, texts
from ui.service import Lazy


@pytest.fixture(autouse=True)
def recognizer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recognizer:
        def predict(self, waveform: Any, _profile: None) -> Prediction:
            if not waveform.any():
                raise NoSpeech("No voice was heard.")
            return make_prediction(sad=0.8)

    monkeypatch.setattr(service, "recognizer", Lazy(Recognizer))


def write(path: Path, level: float) -> str:
    sf.write(path, np.tile(np.array([level, -level], np.float32), 8_000), 16_000)
    return str(path)


def test_the_table_grows_and_a_bad_file_is_a_row(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, level) for name, level in (("a.wav", 0.1), ("bad.wav", 0), ("=c.wav", 0.1))]
    states = list(batch.show_results(paths))
    assert [len(state.get("rows", [])) for state in states] == [0, 1, 2, 3]
    assert states[-1]["headline"] == "2 judged, 1 could not be."
    first, bad, _ = states[-1]["rows"]
    assert first[:5] == ["a.wav", "sad", "", "female", "3%"]
    assert (bad[:3], set(bad[3:])) == (["bad.wav", "", "No voice was heard."], {""})
    assert len(states[-1]["columns"]) == len(first) == len(bad) == 4 + len(EMOTIONS)
    assert "%0A%27%3Dc.wav" in states[-1]["csv"]


def test_only_bad_files_are_a_table_too(tmp_path: Path) -> None:
    *_, last = batch.show_results([write(tmp_path / "bad.wav", 0)])
    assert last["rows"] == [["bad.wav", "", "No voice was heard.", ""]]


def test_more_files_than_the_limit_are_left_out_and_told(tmp_path: Path) -> None:
    *_, last = batch.show_results([write(tmp_path / "a.wav", 0.1)] * (batch.MAX_FILES + 2))
    assert len(last["rows"]) == batch.MAX_FILES
    assert "2 more were left out" in last["headline"]


def test_no_files_show_nothing_and_a_missing_model_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise WeightsError("missing")

    assert list(batch.show_results(None)) == [{}]
    monkeypatch.setattr(service, "recognizer", Lazy(fail))
    assert list(batch.show_results(["a.wav"]))[-1]["headline"] == texts.NO_MODEL
