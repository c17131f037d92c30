"""Both models on one clip: what is said when they agree, when they do not, and when there is only one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import soundfile as sf
from tiny_encoder import write_encoder
from voice import RATE_HZ, speak

from ser_model.calibrate import Calibration
from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.labels import EMOTIONS, Gender, Intensity
from ser_model.recognize import EmotionRecognizer, Prediction
from ser_model.wav2vec2 import Encoder, HeadConfig, Wav2vec2Head, load_comparison, save_head
from ui import comparison, rival, service, texts
from ui.visit import Visit

CALIBRATION = {"temperature": 1.0, "gender_temperature": 1.0, "abstain_below": 0.0}
HAPPY = Prediction(
    EMOTIONS[2],
    True,
    dict.fromkeys(EMOTIONS, 0.04) | {EMOTIONS[2]: 0.72},
    Gender.MALE,
    0.9,
    Intensity.NORMAL,
    0.8,
    (0.0, 1.0),
    (),
    "",
)
SAD = replace(HAPPY, probabilities=dict.fromkeys(EMOTIONS, 0.04) | {EMOTIONS[3]: 0.72})


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    return tmp_path / "voice.wav"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained network stands for the small model; the large one is not there unless a test brings it."""
    recognizer = EmotionRecognizer(EmotionCnn(CnnConfig()), Calibration(1.0, 1.0, 0.0))
    monkeypatch.setattr(service, "_read_model", lambda: recognizer)


def bring_tiny_rival(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    encoder = Encoder.load(str(write_encoder(folder / "encoder")))
    head = Wav2vec2Head(HeadConfig(encoder.name, encoder.revision, encoder.layers, encoder.width))
    save_head(folder / "head", head, CALIBRATION)
    monkeypatch.setattr(rival, "rival", rival.Rival(lambda: load_comparison(folder / "head")))
    return encoder


def test_both_models_hear_the_clip(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = bring_tiny_rival(tmp_path, monkeypatch)
    found = comparison.compare(clip, patience_s=60).to_json()
    assert set(found) == {"cnn", "wav2vec2", "agree", "notice"}
    assert found["notice"] == ""
    assert isinstance(found["agree"], bool)
    assert found["wav2vec2"]["parameters"] > encoder.count_parameters()
    assert found["cnn"]["parameters"] == EmotionCnn(CnnConfig()).count_parameters()
    assert all(found[model]["ms"] > 0 for model in ("cnn", "wav2vec2"))


def test_without_the_large_model_the_small_one_answers(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rival, "rival", rival.Rival(lambda: load_comparison(tmp_path)))
    found = comparison.compare(clip).to_json()
    assert (found["wav2vec2"], found["agree"]) == (None, None)
    assert found["notice"].endswith("metrics.json")
    assert "\n" not in found["notice"]


def test_while_it_loads_that_is_said(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(rival.Rival):
        def wait(self, _seconds: float) -> bool:
            return False

    monkeypatch.setattr(rival, "rival", Slow())
    assert comparison.compare(clip).notice == texts.STILL_LOADING
    first, last = comparison.show(str(clip), Visit())
    assert (first["headline"], last["headline"]) == (texts.LOADING_RIVAL, texts.ONE_MODEL)


def test_a_clip_that_cannot_be_heard_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound")
    *_, last = comparison.show(str(tmp_path / "notes.wav"), Visit())
    assert "recording" in last["headline"]
    assert next(iter(comparison.show(None, Visit())))["headline"] == texts.NO_CLIP


def test_what_a_space_says_of_its_quota_is_shown(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise gr.Error("You have no GPU time left today.", print_exception=False)

    monkeypatch.setattr(comparison, "compare", refuse)
    assert list(comparison.show(str(clip), Visit()))[-1]["headline"] == "You have no GPU time left today."


@pytest.mark.parametrize(("other", "headline"), [(HAPPY, texts.AGREE), (SAD, texts.DISAGREE)])
def test_agreement_is_about_the_most_probable_emotion(other: Prediction, headline: str) -> None:
    cnn = comparison.Reading(HAPPY, 12.3, 290_000)
    shown = comparison.describe(comparison.Comparison(cnn, comparison.Reading(other, 480.0, 94_500_000)))
    assert shown["headline"] == headline
    assert "326 times" in shown["detail"]
    assert [model["cost"] for model in shown["models"]] == [
        "290 thousand parameters, 12 ms",
        "94 million parameters, 480 ms",
    ]
