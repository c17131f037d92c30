"""Several recordings: a row each, whatever one of them is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_model.audio import AudioError
from ser_model.labels import EMOTIONS, Gender, Intensity
from ser_model.recognize import Prediction
from ui import batch, service

SAD = Prediction(
    EMOTIONS[3], True, dict.fromkeys(EMOTIONS, 1 / 8), Gender.MALE, 0.9, Intensity.NORMAL, 0.8, (0.0, 1.0), (), ""
)


@pytest.fixture(autouse=True)
def hear(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(path: str) -> Prediction:
        if "bad" in path:
            raise AudioError("No voice was heard.")
        return SAD

    monkeypatch.setattr(service, "hear", answer)


def test_the_table_grows_and_a_bad_file_is_a_row() -> None:
    states = list(batch.show(["/tmp/a.wav", "/tmp/bad.wav", "/tmp/=c.wav"]))
    assert [len(state.get("rows", [])) for state in states] == [0, 1, 2, 3]
    assert states[-1]["headline"] == "2 of 3 recordings judged."
    first, bad, _ = states[-1]["rows"]
    assert first[:4] == ["a.wav", "sad", "", "male"]
    assert (bad[:3], set(bad[3:])) == (["bad.wav", "", "No voice was heard."], {""})
    assert len(states[-1]["columns"]) == 3 + len(EMOTIONS) + 1
    assert "%0A%27%3Dc.wav" in states[-1]["csv"].replace("%0D", "")


def test_only_bad_files_are_a_table_too() -> None:
    *_, last = batch.show(["bad.wav"])
    assert last["rows"][0][2] == "No voice was heard."


def test_more_files_than_the_limit_are_left_out_and_said() -> None:
    *_, last = batch.show([f"{number}.wav" for number in range(batch.MAX_FILES + 2)])
    assert len(last["rows"]) == batch.MAX_FILES
    assert "2 more were left out" in last["headline"]


def test_nothing_chosen_shows_nothing(tmp_path: Path) -> None:
    assert list(batch.show(None)) == [{}]
