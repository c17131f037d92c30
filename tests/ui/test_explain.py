"""What it heard: each plot says what it shows, long clips have a timeline, failures are a sentence."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from PIL import Image
from predictions import make_prediction
from voice import RATE_HZ, speak

from ser_model.labels import EMOTIONS
from ser_model.recognize import Segment
from ui import explain, texts
from ui.page import Visit

EVEN = dict.fromkeys(map(str, EMOTIONS), 1 / 8)
SEGMENTS = tuple(Segment(start, start + 4, EVEN) for start in (0.4, 2.4, 3.0))
SHORT = replace(make_prediction(), speech=(0.4, 2.1), timeline=SEGMENTS[:1])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    return tmp_path / "voice.wav"


def test_four_plots_with_words(clip: Path) -> None:
    figures = explain.draw_figures(clip, SHORT)
    names = ("waveform", "mel", "voice", "classic")
    assert [figure["title"] for figure in figures] == [texts.FIGURES[name][0] for name in names]
    for figure in figures:
        head, data = figure["image"].split(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data).startswith(b"\x89PNG")
        assert len(data) < 300_000
        assert "{" not in figure["words"] + figure["seen"]
    assert "0.4 to 2.1 seconds" in figures[0]["words"]
    assert figures[0]["seen"].endswith("speech from 0.4 to 2.1 seconds.")


def test_the_plots_have_the_colors_of_the_page(clip: Path) -> None:
    light, dark = (explain.draw_figures(clip, SHORT, colors)[0]["image"] for colors in (explain.LIGHT, explain.DARK))
    panels = [
        Image.open(io.BytesIO(base64.b64decode(image.split(",")[1]))).getpixel((2, 2))[:3] for image in (light, dark)
    ]
    assert panels == [(255, 255, 255), (31, 27, 24)]


def test_a_long_clip_shows_the_emotion_over_time(clip: Path) -> None:
    figures = explain.draw_figures(clip, replace(SHORT, speech=(0.4, 7.0), timeline=SEGMENTS))
    assert figures[0]["title"] == texts.FIGURES["timeline"][0]


def test_the_course_of_the_emotion_is_said_in_words() -> None:
    sad = {**EVEN, "sad": 0.6}
    calm = {**EVEN, "calm": 0.6}
    course = explain.describe_course([Segment(0, 4, calm), Segment(2, 6, sad), Segment(4, 8.5, sad)])
    assert course == "calm until 4.0 s, sad until 8.5 s"


def test_pitch_is_that_of_the_voice() -> None:
    tracks = explain.measure_voice(speak(pitch_hz=200.0), (0.4, 2.1))
    assert np.nanmedian(tracks.pitch_hz) == pytest.approx(200, rel=0.1)
    assert np.isnan(tracks.pitch_hz[tracks.time_s < 0.39]).all()


def test_without_a_clip_there_is_a_sentence(tmp_path: Path) -> None:
    assert [shown["headline"] for shown in explain.show_plots(None, Visit())] == [texts.NO_CLIP]
    *_, last = explain.show_plots(str(tmp_path / "gone.wav"), Visit(SHORT))
    assert last["headline"] == texts.GONE


def test_plots_are_offered_for_a_prediction_only() -> None:
    assert explain.offer_plots(Visit(SHORT))[0].visible is True
    assert explain.offer_plots(Visit())[0].visible is False
