"""Both models on one clip: what is said when they agree, when they do not, and when there is only one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import soundfile as sf
from predictions import make_prediction
from tiny_encoder import write_encoder
from voice import RATE_HZ, speak

from ser_model.calibration import Calibration
from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.comparison import ComparisonHead, Encoder, HeadConfig, load_comparison, save_head
from ser_model.recognize import EmotionRecognizer, Prediction
from ui import comparison, service, texts
from ui.comparison import ComparisonResult, ModelReading
from ui.page import Visit
from ui.service import Lazy

CALIBRATION = {"temperature": 1.0, "gender_temperature": 1.0, "abstention_threshold": 0.0}
HAPPY, SAD = make_prediction(happy=0.72), make_prediction(sad=0.72)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    return tmp_path / "voice.wav"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained network stands for the small model."""
    recognizer = EmotionRecognizer(EmotionCnn(CnnConfig()), Calibration())
    monkeypatch.setattr(service, "recognizer", Lazy(lambda: recognizer))


def bring_large(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "large_model", Lazy(load))


def test_both_models_predict(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder.load(str(write_encoder(tmp_path / "encoder")))
    head = ComparisonHead(HeadConfig(encoder.name, encoder.revision, encoder.layers, encoder.width))
    save_head(tmp_path / "head", head, CALIBRATION)
    bring_large(lambda: load_comparison(tmp_path / "head"), monkeypatch)
    found = comparison.compare(clip, timeout_s=60).to_json()
    assert set(found) == {"cnn", "large", "agree", "notice"}
    assert found["notice"] == ""
    assert isinstance(found["agree"], bool)
    assert found["large"]["parameters"] > encoder.count_parameters()
    assert found["cnn"]["parameters"] == EmotionCnn(CnnConfig()).count_parameters()
    assert all(found[model]["ms"] > 0 for model in ("cnn", "large"))


def test_without_the_large_model_the_small_one_answers(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_large(lambda: load_comparison(tmp_path), monkeypatch)
    found = comparison.compare(clip).to_json()
    assert (found["large"], found["agree"]) == (None, None)
    assert "python train.py" in found["notice"]
    assert "\n" not in found["notice"]


@pytest.mark.parametrize(("predicted", "trained"), [(True, True), (True, False), (False, True)])
def test_it_is_offered_where_the_large_model_was_trained(
    predicted: bool, trained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "has_head", lambda: trained)
    button, shown = comparison.offer_comparison(Visit(HAPPY if predicted else None))
    assert (button.visible, shown) == (predicted and trained, {})


def test_while_the_large_model_loads_the_page_says_so(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: float) -> None:
        raise TimeoutError

    bring_large(lambda: None, monkeypatch)
    monkeypatch.setattr(comparison.large_model, "get", never)
    assert comparison.compare(clip).notice == texts.STILL_LOADING
    first, last = comparison.show_comparison(str(clip), Visit())
    assert (first["headline"], last["headline"]) == (texts.COMPARING, texts.ONE_MODEL)


def test_a_large_model_that_breaks_is_told_and_logged(
    clip: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def load() -> EmotionRecognizer:
        raise RuntimeError("shapes differ")

    bring_large(load, monkeypatch)
    assert comparison.compare(clip).notice == texts.BROKEN
    assert "shapes differ" in caplog.text


def test_a_clip_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound")
    *_, last = comparison.show_comparison(str(tmp_path / "notes.wav"), Visit())
    assert "recording" in last["headline"]
    assert next(iter(comparison.show_comparison(None, Visit())))["headline"] == texts.NO_CLIP


def test_what_a_space_says_about_its_quota_is_shown(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise gr.Error("You have no GPU time left today.", print_exception=False)

    monkeypatch.setattr(comparison, "compare", refuse)
    assert list(comparison.show_comparison(str(clip), Visit()))[-1]["headline"] == "You have no GPU time left today."


@pytest.mark.parametrize(("other", "headline"), [(HAPPY, texts.AGREE), (SAD, texts.DISAGREE)])
def test_agreement_is_about_the_most_probable_emotion(other: Prediction, headline: str) -> None:
    small = ModelReading(HAPPY, 12.3, 290_000)
    shown = comparison.describe(ComparisonResult(small, ModelReading(other, 480.0, 94_500_000)))
    assert shown["headline"] == headline
    assert "326 times" in shown["detail"]
    costs = ["0.29 million parameters, 12 ms", "94.5 million parameters, 480 ms"]
    assert [model["cost"] for model in shown["models"]] == costs


@pytest.mark.slow
def test_on_zerogpu_only_the_comparison_asks_for_the_gpu(project: Path) -> None:
    zero = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:1", "SYSTEM": "spaces"}
    asks = "hasattr(comparison.predict_on_gpu, '__wrapped__'), hasattr(service.predict, '__wrapped__')"
    code = f"import app; from ui import comparison, service; print({asks})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=os.environ | zero, capture_output=True, text=True, check=False
    )
    assert done.stdout.split()[-2:] == ["True", "False"], done.stderr[-800:]
