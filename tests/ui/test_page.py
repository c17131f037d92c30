"""The main path without a browser: a clip is predicted, a mood is picked, errors are words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from predictions import make_prediction
from voice import RATE_HZ, speak

from ser_model.audio import AudioError, NoSpeech
from ser_model.cnn import WeightsError
from ser_model.speaker import EnrollmentError, SpeakerProfile
from ui import page, service, texts
from ui.page import Visit

UNSURE = make_prediction(sure=False)
PROFILE = SpeakerProfile("space", {"neutral": (0.5,)})


def answer_with(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(*_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(service, "predict", predict)


def test_the_picked_mood_overrides_the_voice() -> None:
    visit, *_ = page.pick_mood("happy", Visit(UNSURE))
    assert visit.probabilities == {"happy": 1.0}
    assert visit.prediction is UNSURE


def test_a_sure_voice_marks_its_mood_and_an_unsure_one_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(make_prediction(sad=0.8), monkeypatch)
    visit, said, moods, *_ = page.predict_clip("clip.wav", Visit())
    assert (said["kind"], moods.value, moods.label) == ("sure", "sad", texts.CORRECT)
    assert visit.probabilities["sad"] == 0.8
    answer_with(UNSURE, monkeypatch)
    visit, said, moods, *_ = page.predict_clip("clip.wav", visit)
    assert (said["kind"], moods.value, moods.label) == ("unsure", None, texts.WHICH)


@pytest.mark.parametrize(
    ("error", "headline", "keeps_profile"),
    [
        (AudioError("The recording is silent. Please speak again."), "The recording is silent.", True),
        (WeightsError("model.safetensors is missing."), "Voice recognition is unavailable.", True),
        (EnrollmentError("Made with other weights. Please enroll again."), "Made with other weights.", False),
    ],
)
def test_a_voice_that_cannot_be_predicted_is_a_sentence(
    error: Exception, headline: str, keeps_profile: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(error, monkeypatch)
    visit, said, moods, problem, first_minute = page.predict_clip("audio.wav", Visit(UNSURE, profile=PROFILE))
    assert (problem["headline"], said, moods.value, first_minute.visible) == (headline, {}, None, False)
    assert visit == Visit(profile=PROFILE if keeps_profile else None)


def test_a_recording_that_was_deleted_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="record again"):
        service.predict(tmp_path / "gone.wav")


def test_clearing_the_clip_leaves_the_page_as_it_is() -> None:
    assert all(update == {"__type__": "update"} for update in page.predict_clip(None, Visit()))


@pytest.mark.parametrize(("name", "said"), [("audio.wav", "Please speak closer."), ("memo.m4a", "Choose another.")])
def test_a_file_is_not_asked_to_speak_closer(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(
        NoSpeech("No voice was heard. Choose another.", "No voice was heard. Please speak closer."), monkeypatch
    )
    *_, problem, _ = page.predict_clip(name, Visit())
    assert said in f"{problem['headline']} {problem['detail']}"


def test_of_a_recording_that_is_too_long_the_first_minute_can_be_used(tmp_path: Path) -> None:
    sf.write(tmp_path / "long.flac", np.resize(speak(), 70 * RATE_HZ), RATE_HZ)
    *_, problem, first_minute = page.predict_clip(str(tmp_path / "long.flac"), Visit())
    assert "longer than a minute" in problem["headline"]
    assert first_minute.visible
    assert sf.info(page.cut_clip(str(tmp_path / "long.flac"))).duration == 60
