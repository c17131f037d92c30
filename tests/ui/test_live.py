"""A live session without a browser: what it says, when it ends, and what it forgets."""

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
from ui import live, service, texts
from ui.answer import adjective
from ui.live import LiveState
from ui.page import Visit

SECOND = np.full(48_000, 0.1, np.float32)
SKIPPED = {"__type__": "update"}


@pytest.fixture
def chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path / "audio.wav"


def answer_with(answer: Prediction | Exception, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Predict this from now on; return the sizes of what is predicted."""
    sizes: list[int] = []

    def predict(wav: bytes, _profile: object) -> Prediction:
        sizes.append(len(wav))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(service, "predict", predict)
    return sizes


def hear(chunk: Path, state: LiveState | None = None, sound: Any = SECOND) -> tuple[Any, Any]:
    sf.write(chunk, sound, 48_000)
    return live.take_chunk(str(chunk), state or LiveState(), Visit())


def test_only_the_last_four_seconds_are_predicted(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = answer_with(make_prediction(happy=0.72), monkeypatch)
    state = LiveState()
    for _ in range(6):
        state, _ = hear(chunk, state)
    assert state.window.size == 4 * 16_000
    assert sizes[-1] == sizes[-2] > sizes[0]
    assert state.length_s == pytest.approx(6)


def test_a_chunk_is_deleted_once_read_and_a_file_elsewhere_is_not(
    chunk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(make_prediction(), monkeypatch)
    hear(chunk)
    assert not chunk.exists()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "another"))
    hear(chunk)
    assert chunk.exists()


def test_a_chunk_that_is_gone_or_cannot_be_read_changes_nothing(chunk: Path) -> None:
    assert live.take_chunk(str(chunk), LiveState(), Visit()) == (SKIPPED, SKIPPED)
    chunk.write_bytes(b"no sound")
    assert live.take_chunk(str(chunk), LiveState(), Visit()) == (SKIPPED, SKIPPED)


def test_bars_are_smoothed_and_keep_their_places(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(make_prediction(happy=0.72), monkeypatch)
    state, shown = hear(chunk)
    assert shown["headline"] == "Happy"
    answer_with(make_prediction(sad=0.72), monkeypatch)
    state, shown = hear(chunk, state)
    shares = {bar["name"]: bar["share"] for bar in shown["bars"]}
    assert list(shares) == [adjective(emotion) for emotion in EMOTIONS]
    assert shares["happy"] == shares["sad"] == 38
    assert sum(state.smoothed.values()) == pytest.approx(1)


def test_silence_keeps_the_bars_and_says_so(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(make_prediction(happy=0.72), monkeypatch)
    state, _ = hear(chunk, LiveState(length_s=10))
    answer_with(NoSpeech("No voice was heard."), monkeypatch)
    _, shown = hear(chunk, state)
    assert (shown["headline"], shown["kind"]) == (texts.LIVE_SILENT, "still")
    assert shown["bars"][2]["share"] == 72
    assert not any(bar["leads"] for bar in shown["bars"])


def test_a_missing_model_is_a_sentence(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(WeightsError("missing"), monkeypatch)
    assert hear(chunk)[1]["headline"] == texts.NO_MODEL


def test_it_ends_at_the_limit_with_what_it_was_mostly(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(make_prediction(angry=0.72), monkeypatch)
    state, shown = hear(chunk, LiveState(length_s=live.LIMIT_S - 0.5))
    assert (shown["over"], shown["headline"]) == (True, "You sounded mostly angry.")
    assert state.over
    assert not state.window.size
    assert not state.total
    assert hear(chunk, state) == (SKIPPED, SKIPPED)
    assert not chunk.exists()


def test_stopping_without_a_voice_says_what_to_check() -> None:
    _, shown = live.stop(LiveState(length_s=3))
    assert shown["headline"] == texts.LIVE_NOTHING
