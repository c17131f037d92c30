"""What it heard: each picture says what it shows, long clips have a timeline, failures are a sentence."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.labels import EMOTIONS, Gender, Intensity
from ser_model.recognize import Moment, Prediction
from ui import closeup, plots, texts

EVEN = dict.fromkeys(EMOTIONS, 1 / 8)
MOMENTS = (Moment(0.4, 4.4, EVEN), Moment(2.4, 6.4, EVEN), Moment(3.0, 7.0, EVEN))
SHORT = Prediction(None, False, EVEN, Gender.MALE, 0.6, Intensity.NORMAL, 0.8, (0.4, 2.1), MOMENTS[:1], "")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    return tmp_path / "voice.wav"


def titles(figures: list[dict[str, str]]) -> list[str]:
    return [figure["title"] for figure in figures]


def test_four_pictures_with_words(clip: Path) -> None:
    figures = closeup.draw(clip, SHORT)
    assert titles(figures) == [texts.FIGURES[name][0] for name in ("waveform", "mel", "voice", "classic")]
    for figure in figures:
        head, data = figure["image"].split(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data).startswith(b"\x89PNG")
        assert len(data) < 300_000
        assert "{" not in figure["words"]
    assert "0.4 to 2.1 seconds" in figures[0]["words"]


def test_a_long_clip_shows_the_emotion_over_time(clip: Path) -> None:
    long = replace(SHORT, speech=(0.4, 7.0), timeline=MOMENTS)
    assert texts.FIGURES["timeline"][0] in titles(closeup.draw(clip, long))


def test_pitch_is_that_of_the_voice() -> None:
    voice = plots.measure_voice(speak(pitch_hz=200.0), (0.4, 2.1))
    assert np.nanmedian(voice.pitch_hz) == pytest.approx(200, rel=0.1)
    assert np.isnan(voice.pitch_hz[voice.time_s < 0.39]).all()


def test_without_a_clip_there_is_a_sentence(tmp_path: Path) -> None:
    assert [shown["headline"] for shown in closeup.show(None, None)] == [texts.NO_CLIP]
    *_, last = closeup.show(str(tmp_path / "gone.wav"), SHORT)
    assert last["headline"] == texts.GONE
