"""A live session, without a browser: what it says, when it ends, and what it forgets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import voice

from ser_model.audio import AudioError, NoSpeech
from ser_model.labels import EMOTIONS, Gender, Intensity
from ser_model.recognize import Prediction
from ui import live, service, texts, uploads
from ui.visit import Visit

SECOND = np.full(48_000, 0.1, np.float32)


def reading(emotion: str) -> Prediction:
    probabilities = dict.fromkeys(EMOTIONS, 0.04) | {next(one for one in EMOTIONS if one == emotion): 0.72}
    return Prediction(None, False, probabilities, Gender.MALE, 0.9, Intensity.NORMAL, 0.8, (0.0, 1.0), (), "")


@pytest.fixture
def chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(uploads, "folder", lambda: tmp_path)
    path = tmp_path / "audio.wav"
    sf.write(path, SECOND, 48_000)
    return path


def answer_with(said: Prediction | Exception, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []

    def hear(wav: bytes, _voice: object) -> Prediction:
        sizes.append(len(wav))
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(service, "hear", hear)
    return sizes


def test_only_the_last_four_seconds_are_judged(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = answer_with(reading("happy"), monkeypatch)
    session = live.Live()
    for _ in range(6):
        sf.write(chunk, SECOND, 48_000)
        session, _ = live.hear_chunk(str(chunk), session, Visit())
    assert session.window.size == 4 * 16_000
    assert sizes[-1] == sizes[-2] > sizes[0]
    assert session.heard_s == pytest.approx(6)


def test_a_piece_that_was_swept_away_is_passed_over(tmp_path: Path) -> None:
    session, shown = live.hear_chunk(str(tmp_path / "gone.wav"), live.Live(), Visit())
    assert session == shown == {"__type__": "update"}


def test_a_piece_of_sound_is_deleted_once_heard(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(reading("happy"), monkeypatch)
    live.hear_chunk(str(chunk), live.Live(), Visit())
    assert not chunk.exists()


def test_files_that_are_no_uploads_are_never_deleted(
    chunk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(reading("happy"), monkeypatch)
    monkeypatch.setattr(uploads, "folder", lambda: tmp_path / "another")
    live.hear_chunk(str(chunk), live.Live(), Visit())
    assert chunk.exists()


def test_bars_are_smoothed_and_keep_their_places(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(reading("happy"), monkeypatch)
    session, shown = live.hear_chunk(str(chunk), live.Live(), Visit())
    assert shown["headline"] == "Happy"
    sf.write(chunk, SECOND, 48_000)
    answer_with(reading("sad"), monkeypatch)
    session, shown = live.hear_chunk(str(chunk), session, Visit())
    bars = {bar["name"]: bar["share"] for bar in shown["bars"]}
    assert list(bars) == [str(emotion) for emotion in EMOTIONS]
    assert bars["happy"] == bars["sad"] == 38
    assert sum(session.mood.values()) == pytest.approx(1)


def test_silence_keeps_the_bars_and_says_so(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(reading("happy"), monkeypatch)
    session, _ = live.hear_chunk(str(chunk), live.Live(heard_s=10), Visit())
    sf.write(chunk, SECOND, 48_000)
    answer_with(NoSpeech("No voice was heard."), monkeypatch)
    session, shown = live.hear_chunk(str(chunk), session, Visit())
    assert (shown["headline"], shown["kind"]) == (texts.LIVE_SILENT, "still")
    assert shown["bars"][2]["share"] == 72
    assert not any(bar["leads"] for bar in shown["bars"])


def test_it_ends_at_the_limit_with_what_it_was_mostly(chunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(reading("angry"), monkeypatch)
    session, shown = live.hear_chunk(str(chunk), live.Live(heard_s=live.LIMIT_S - 0.5), Visit())
    assert shown["over"] is True
    assert shown["headline"] == "You sounded mostly angry."
    assert session.over
    assert not session.window.size
    assert not session.total
    sf.write(chunk, SECOND, 48_000)
    after, unchanged = live.hear_chunk(str(chunk), session, Visit())
    assert after == unchanged == {"__type__": "update"}
    assert not chunk.exists()


def test_stopping_without_a_voice_says_what_to_check() -> None:
    _, shown = live.stop(live.Live(heard_s=3))
    assert shown["headline"] == texts.LIVE_NOTHING


def test_a_piece_that_cannot_be_read_changes_nothing(chunk: Path) -> None:
    chunk.write_bytes(b"no sound")
    assert live.hear_chunk(str(chunk), live.Live(), Visit())[1] == {"__type__": "update"}


def test_a_real_voice_moves_the_bars(chunk: Path) -> None:
    sf.write(chunk, voice.speak(), voice.RATE_HZ)
    try:
        _, shown = live.hear_chunk(str(chunk), live.Live(), Visit())
    except AudioError as error:  # pragma: no cover - what must not happen
        pytest.fail(str(error))
    assert any(bar["leads"] for bar in shown["bars"])
