"""Guided lines without a browser: when a profile is made, what is said about it, and how it is saved and loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest

from ser_model.audio import Silence
from ser_model.labels import EMOTIONS
from ser_model.speaker import SpeakerProfile
from ui import enroll, service, texts
from ui.enroll import EnrollmentState
from ui.page import Visit

ALL = [str(emotion) for emotion in EMOTIONS]


def make_profile(*emotions: str) -> SpeakerProfile:
    return SpeakerProfile("space", dict.fromkeys(emotions, (0.5, 1.5)))


@pytest.fixture
def enrolled(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The emotions of each profile that the model was asked for."""
    asked: list[list[str]] = []

    def make(clips: Mapping[str, list[str]]) -> SpeakerProfile:
        asked.append(list(clips))
        return make_profile(*clips)

    monkeypatch.setattr(service, "enroll", make)
    monkeypatch.setattr(service, "predict", lambda _path: None)
    monkeypatch.setattr(service, "read_profile", SpeakerProfile.read)
    return asked


def say(count: int, visit: Visit | None = None) -> tuple[Visit, EnrollmentState, Any]:
    visit, state, shown = visit or Visit(), EnrollmentState(), None
    for number in range(count):
        visit, state, shown, recorder = enroll.take_line(f"{number}.wav", visit, state)
        assert recorder is None  # empty for the next line
    return visit, state, shown


def test_the_first_line_is_neutral_and_enough(enrolled: list[list[str]]) -> None:
    visit, _, shown = say(1)
    assert enrolled == [["neutral"]]
    assert visit.profile is not None
    assert (shown["enrolled"], shown["step"]) == (texts.ENROLLED_ONE, "Line 2 of 8")
    assert shown["line"].startswith("Calm: ")


def test_all_eight_make_one_profile_and_a_ninth_says_how_to_begin_again(enrolled: list[list[str]]) -> None:
    visit, _, shown = say(8)
    assert enrolled == [["neutral"], ALL]
    assert visit.profile == make_profile(*ALL)
    assert shown["enrolled"] == texts.ENROLLED_EIGHT
    assert "line" not in shown
    assert all(step["state"] == "done" for step in shown["steps"])
    assert say(9)[2]["problem"] == texts.ENROLL_FULL


def test_in_between_it_says_how_many_lines_were_said_and_what_they_bring(enrolled: list[list[str]]) -> None:
    visit, _, shown = say(4)
    assert shown["enrolled"].startswith("4 of 8 said.")
    assert visit.profile == make_profile("neutral")
    assert [step["state"] for step in shown["steps"]] == [*["done"] * 4, "now", *[""] * 3]


@pytest.mark.parametrize(("place", "learned"), [(0, 2), (2, 1)])
def test_a_line_can_be_said_again(enrolled: list[list[str]], place: int, learned: int) -> None:
    visit, state, _ = say(4)
    state, shown = enroll.say_again(SimpleNamespace(place=str(place)), visit, state)
    assert shown["step"] == f"Line {place + 1} of 8"
    assert shown["steps"][place]["current"]
    visit, state, shown, _ = enroll.take_line("better.wav", visit, state)
    assert (len(state.clips), state.clips[place], state.again) == (4, "better.wav", None)
    assert shown["step"] == "Line 5 of 8"
    assert enrolled == [["neutral"]] * learned


def test_a_line_that_cannot_be_used_is_said_again(enrolled: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    visit, state, _ = say(1)

    def fail(_path: str) -> None:
        raise Silence("The recording is silent.")

    monkeypatch.setattr(service, "predict", fail)
    visit, after, shown, recorder = enroll.take_line("silent.wav", visit, state)
    assert (after, recorder) == (state, None)
    assert (shown["problem"], shown["step"]) == ("The recording is silent.", "Line 2 of 8")


def test_a_saved_profile_can_be_loaded_and_forgotten(enrolled: list[list[str]], tmp_path: Path) -> None:
    visit, _, shown = say(3)
    file = tmp_path / enroll.FILE
    file.write_text(unquote(shown["profile"].partition(",")[2]))
    again, _, shown, _ = enroll.load_profile(str(file), Visit())
    assert again.profile == visit.profile
    assert shown["enrolled"]
    visit, state, shown, _ = enroll.forget_profile(visit)
    assert (visit.profile, state, shown["step"]) == (None, EnrollmentState(), "Line 1 of 8")


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"{}",
        b"\xff\xfe",
        b'{"kind": "speaker profile"}',
        json.dumps(make_profile("neutral").to_json()).encode(),
    ],
    ids=["text", "empty", "bytes", "bare", "other weights"],
)
def test_a_file_that_is_no_profile_of_these_weights_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_bytes(content)
    visit, _, shown, _ = enroll.load_profile(str(tmp_path / "other.json"), Visit())
    assert visit.profile is None
    assert shown["problem"].endswith(".")
    assert "enrolled" not in shown


def test_one_line_does_not_replace_a_profile_from_more(enrolled: list[list[str]]) -> None:
    loaded = make_profile(*ALL)
    visit, _, shown = say(1, Visit(profile=loaded))
    assert (visit.profile, shown["enrolled"]) == (loaded, texts.ENROLLED_EIGHT)
    say(8, visit)
    assert enrolled == [ALL]


def test_the_number_of_lines_is_told_only_where_it_is_known() -> None:
    assert (
        enroll.describe(EnrollmentState(), Visit(profile=make_profile("neutral", "sad")))["enrolled"] == texts.ENROLLED
    )


def test_emptying_the_recorder_changes_nothing() -> None:
    updates = enroll.take_line(None, Visit(), EnrollmentState())
    assert all(update == {"__type__": "update"} for update in updates)


def test_every_emotion_has_a_manner() -> None:
    assert set(texts.ENROLL_MANNERS) == set(EMOTIONS)


@pytest.mark.parametrize(
    ("emotions", "clips"), [(["neutral"], 1), (ALL, 8), (["angry"], None), (["neutral", "sad"], None)]
)
def test_a_gain_is_expected_only_where_it_was_measured(emotions: list[str], clips: int | None) -> None:
    gain = enroll.expected_gain(make_profile(*emotions))
    assert (gain["clips"] if gain else None) == clips


@pytest.mark.parametrize("content", [None, "{", "[]", '{"rows": {"none": {"uar": "x"}}}'])
def test_gains_that_cannot_be_read_are_left_out(content: str | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / "enrollment.json").write_text(content)
    assert enroll.expected_gain(make_profile("neutral"), tmp_path / "enrollment.json") is None
