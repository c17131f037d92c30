"""Guided lines, without a browser: what is learned when, what is said of it, and how it is brought along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from ser_model.audio import Silence
from ser_model.labels import EMOTIONS
from ser_model.voice import LearnedVoice
from ui import service, teach, texts
from ui.visit import Visit

SKIPPED = {"__type__": "update"}


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the model was asked to learn from, each time."""
    asked: list[list[str]] = []

    def learn(clips: Mapping[str, list[str]]) -> LearnedVoice:
        asked.append(list(clips))
        return LearnedVoice("space", dict.fromkeys(clips, (0.5, 1.5)))

    monkeypatch.setattr(service, "learn_voice", learn)
    monkeypatch.setattr(service, "hear", lambda _path: None)
    monkeypatch.setattr(service, "read_voice", LearnedVoice.read)
    return asked


def say(count: int, visit: Visit | None = None) -> tuple[Visit, teach.Lesson, Any]:
    visit, lesson, shown = visit or Visit(), teach.Lesson(), None
    for number in range(count):
        visit, lesson, shown, recorder = teach.take(f"{number}.wav", visit, lesson)
        assert recorder is None  # ready for the next line
    return visit, lesson, shown


def test_the_first_line_is_neutral_and_enough(learned: list[list[str]]) -> None:
    visit, _, shown = say(1)
    assert learned == [["neutral"]]
    assert visit.voice is not None
    assert shown["learned"] == texts.TEACH_LEARNED_ONE
    assert shown["step"] == "Line 2 of 8"
    assert shown["line"].startswith("Calm: ")


def test_all_eight_are_learned_together(learned: list[list[str]]) -> None:
    visit, _, shown = say(8)
    assert learned == [["neutral"], [str(emotion) for emotion in EMOTIONS]]
    assert visit.voice is not None
    assert len(visit.voice.points) == 8
    assert shown["learned"] == texts.TEACH_LEARNED
    assert "line" not in shown
    assert all(step["state"] == "done" for step in shown["steps"])


def test_a_line_that_cannot_be_judged_is_said_again(learned: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    visit, lesson, _ = say(1)

    def fail(_path: str) -> None:
        raise Silence("The recording is silent.")

    monkeypatch.setattr(service, "hear", fail)
    visit, after, shown, recorder = teach.take("silent.wav", visit, lesson)
    assert (after, recorder) == (lesson, None)
    assert shown["problem"] == "The recording is silent."
    assert shown["step"] == "Line 2 of 8"


def test_the_saved_file_brings_the_voice_back(learned: list[list[str]], tmp_path: Path) -> None:
    visit, _, shown = say(1)
    content = unquote(shown["file"].partition(",")[2])
    (tmp_path / teach.FILE).write_text(content)
    again, _, shown, _ = teach.bring_along(str(tmp_path / teach.FILE), Visit())
    assert again.voice == visit.voice
    assert shown["learned"]


def test_a_voice_of_other_weights_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps(LearnedVoice("other weights", {"neutral": (0.5, 1.5)}).to_json()))
    visit, _, shown, _ = teach.bring_along(str(tmp_path / "other.json"), Visit())
    assert visit.voice is None
    assert "learned with other weights" in shown["problem"]
    assert "learned" not in shown


def test_one_line_takes_no_voice_away_that_was_learned_from_more(learned: list[list[str]]) -> None:
    brought = LearnedVoice("space", dict.fromkeys(map(str, EMOTIONS), (0.5, 1.5)))
    visit, _, shown = say(1, Visit(voice=brought))
    assert visit.voice == brought
    assert shown["learned"] == texts.TEACH_LEARNED
    visit, _, _ = say(8, visit)
    assert learned == [[str(emotion) for emotion in EMOTIONS]]


def test_how_many_lines_is_said_only_where_it_is_known(learned: list[list[str]]) -> None:
    visit = Visit(voice=LearnedVoice("space", {"neutral": (0.5, 1.5), "sad": (0.5, 1.5)}))
    assert teach.describe(teach.Lesson(), visit)["learned"] == texts.TEACH_LEARNED_OTHER


def test_a_ninth_line_says_how_to_begin_again(learned: list[list[str]]) -> None:
    _, _, shown = say(9)
    assert shown["problem"] == texts.TEACH_FULL


@pytest.mark.parametrize("content", [b"no json", b"{}", b"\xff\xfe", json.dumps({"kind": "learned voice"}).encode()])
def test_a_file_that_is_no_voice_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_bytes(content)
    visit, _, shown, _ = teach.bring_along(str(tmp_path / "other.json"), Visit())
    assert visit.voice is None
    assert shown["problem"].endswith(".")


def test_forgetting_begins_anew(learned: list[list[str]]) -> None:
    visit, _, _ = say(3)
    visit, lesson, shown, _ = teach.start_again(visit)
    assert (visit.voice, lesson, shown["step"]) == (None, teach.Lesson(), "Line 1 of 8")


def test_emptying_the_recorder_changes_nothing() -> None:
    assert all(update == SKIPPED for update in teach.take(None, Visit(), teach.Lesson()))


def test_every_emotion_has_a_manner() -> None:
    assert set(texts.TEACH_MANNERS) == set(EMOTIONS)
