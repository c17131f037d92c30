from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_model.voice import KIND, MOST_BYTES, VERSION, LearnedVoice, VoiceError, name_clips

NUMBERS = st.lists(st.floats(-1e5, 1e5), min_size=3, max_size=3)
GOOD: dict[str, Any] = {"kind": KIND, "version": VERSION, "space": "abc", "points": {"neutral": [0.5, 1]}}


@given(st.dictionaries(st.sampled_from(["neutral", "sad", "angry"]), NUMBERS, min_size=1))
def test_a_voice_comes_back_from_json(points: dict[str, list[float]]) -> None:
    voice = LearnedVoice("abc", {name: tuple(point) for name, point in points.items()})
    for form in (voice.to_json(), json.dumps(voice.to_json()), json.dumps(voice.to_json()).encode()):
        again = LearnedVoice.from_json(form)
        assert again.space == voice.space
        assert {name: pytest.approx(point, abs=1e-3) for name, point in again.points.items()} == dict(voice.points)


@pytest.mark.parametrize(
    "hostile",
    [
        None, 3, [], {}, "", "{", b"\xff\xfe\x00", "[" * 100_000, "null", GOOD | {"kind": "recipe"},
        GOOD | {"version": 2}, GOOD | {"space": 7}, GOOD | {"points": {}}, GOOD | {"points": [1]},
        GOOD | {"points": {"neutral": []}}, GOOD | {"points": {"neutral": ["1"]}},
        GOOD | {"points": {"neutral": [True]}}, GOOD | {"points": {"neutral": [float("nan")]}},
        GOOD | {"points": {"neutral": [1e300]}}, GOOD | {"points": {"neutral": [10**400]}},
        GOOD | {"points": {"neutral": [0.0] * 5000}}, GOOD | {"points": {str(i): [0.0] for i in range(99)}},
    ],
)  # fmt: skip
def test_what_is_no_voice_is_refused_in_one_sentence(hostile: object) -> None:
    with pytest.raises(VoiceError) as caught:
        LearnedVoice.from_json(hostile)
    assert len(str(caught.value)) < 120
    assert "\n" not in str(caught.value)


def test_clips_are_named_as_people_and_ravdess_name_them() -> None:
    paths = [Path(name) for name in ("sad.wav", "2-Happy.flac", "my_angry_voice.mp3", "03-01-06-01-01-01-12.wav")]
    assert list(name_clips(paths)) == ["sad", "happy", "angry", "fearful"]


def test_one_clip_of_any_name_is_neutral_but_of_several_each_must_say() -> None:
    assert list(name_clips([Path("me.wav")])) == ["neutral"]
    with pytest.raises(VoiceError, match=r"me\.wav does not say its emotion"):
        name_clips([Path("sad.wav"), Path("me.wav")])
    with pytest.raises(VoiceError, match="does not say"):
        name_clips([Path("sad-or-happy.wav"), Path("sad.wav")])


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "voice.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(VoiceError, match="too large"):
        LearnedVoice.read(path)
