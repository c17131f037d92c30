"""The second opinion on the page and at /compare: when it is offered, while it loads, and what both say."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import soundfile as sf
from predictions import make_prediction
from tiny_whisper import write_head, write_whisper
from voice import RATE_HZ, speak

from ser_model.audio import AudioError
from ser_model.calibration import Calibration
from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.comparison import ComparisonMissing, JoinedRecognizer, Opinions, SecondOpinion
from ser_model.recognize import EmotionRecognizer, Prediction
from ui import comparison, service, texts
from ui.page import Visit
from ui.service import Lazy

HAPPY, SAD = make_prediction(happy=0.72), make_prediction(sad=0.72)


def make_opinions(network: Prediction, head: Prediction, joined: Prediction) -> Opinions:
    return Opinions(**vars(joined), network=network, head=head, network_ms=12.3, head_ms=98.7)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    return tmp_path / "voice.wav"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> JoinedRecognizer:
    """An untrained network, and an untrained head on a tiny encoder."""
    encoder = write_whisper(tmp_path_factory.mktemp("encoder"))
    second = SecondOpinion.load(write_head(tmp_path_factory.mktemp("head"), encoder), str(encoder))
    return JoinedRecognizer(EmotionRecognizer(EmotionCnn(CnnConfig()), Calibration()), second)


Bring = Callable[[Callable[[], Any]], None]


@pytest.fixture(autouse=True)
def bring(monkeypatch: pytest.MonkeyPatch, untrained: JoinedRecognizer) -> Bring:
    """Sets how the second opinion is loaded; at first, it is the untrained one."""
    monkeypatch.delenv("SECOND_OPINION", raising=False)
    network = EmotionRecognizer(untrained.network, untrained.calibration)
    monkeypatch.setattr(service, "recognizer", Lazy(lambda: network))

    def bring(load: Callable[[], Any]) -> None:
        monkeypatch.setattr(service, "joined", Lazy(load, retry_s=60))

    bring(lambda: untrained)
    return bring


def fail(error: Exception) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


def ask(path: Path | None, visit: Visit | None = None) -> list[comparison.Shown]:
    """Return everything that the page shows after the click."""

    async def collect() -> list[comparison.Shown]:
        return [shown async for shown in comparison.show_opinions(path and str(path), visit or Visit(HAPPY))]

    return asyncio.run(collect())


def test_both_opinions_and_the_joined_one_come_with_their_cost(clip: Path) -> None:
    found = comparison.compare(clip)
    assert set(found) == {"cnn", "large", "joined", "agree", "notice"}
    assert found["notice"] == ""
    assert isinstance(found["agree"], bool)
    assert found["cnn"]["parameters"] == EmotionCnn(CnnConfig()).count_parameters()
    assert found["large"]["parameters"] > 0
    assert min(found[model]["ms"] for model in ("cnn", "large")) > 0
    assert sum(found["joined"]["probabilities"].values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("error", "notice"),
    [
        (ComparisonMissing("There is no head."), "There is no head."),
        (TimeoutError(), texts.STILL_LOADING),
        (RuntimeError("shapes differ"), texts.BROKEN),
    ],
)
def test_without_a_second_opinion_the_network_answers(clip: Path, bring: Bring, error: Exception, notice: str) -> None:
    bring(fail(error))
    found = comparison.compare(clip)
    assert (found["large"], found["joined"], found["agree"], found["notice"]) == (None, None, None, notice)
    assert found["cnn"]["ms"] > 0
    *_, (said, use, opinions) = ask(clip)
    assert (said["headline"], use.visible, opinions) == (texts.NO_SECOND_OPINION, False, None)


def test_switched_off_it_is_neither_offered_nor_loaded(
    clip: Path, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_OPINION", "off")
    monkeypatch.setattr(comparison, "is_available", lambda: True)
    bring(fail(AssertionError("loaded")))
    assert comparison.compare(clip)["notice"] == texts.SWITCHED_OFF
    assert not comparison.offer_opinions(Visit(HAPPY))[0].visible


@pytest.mark.parametrize(("predicted", "available"), [(True, True), (True, False), (False, True)])
def test_it_is_offered_for_a_prediction_where_it_can_be_given(
    predicted: bool, available: bool, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "is_available", lambda: available)
    bring(fail(AssertionError("loaded before the click")))
    button, said, use, opinions = comparison.offer_opinions(Visit(HAPPY if predicted else None))
    assert button.visible == (predicted and available)
    assert (said["headline"], use.visible, opinions) == ("", False, None)


def test_while_it_is_downloaded_the_page_shows_how_far_it_is(
    clip: Path, bring: Bring, untrained: JoinedRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "POLL_S", 0.01)
    told = threading.Event()

    def load() -> JoinedRecognizer:
        service.download_progress.bytes = (112_000_000, 290_000_000)
        told.wait(20)
        service.download_progress.bytes = None
        return untrained

    bring(load)

    async def click() -> list[comparison.Shown]:
        seen = []
        async for shown in comparison.show_opinions(str(clip), Visit(HAPPY)):
            seen.append(shown)
            if shown[0]["headline"] == texts.DOWNLOADING:
                told.set()
        return seen

    seen = [said for said, *_ in asyncio.run(click())]
    headlines = [said["headline"] for said in seen]
    first = seen[headlines.index(texts.DOWNLOADING)]
    assert (first["here"], first["whole"]) == (112, 290)
    assert "112 of 290 MB" in first["detail"]
    assert headlines[-2] == texts.ASKING
    assert len(seen[-1]["models"]) == 3


def test_the_page_says_plainly_what_each_is(clip: Path, untrained: JoinedRecognizer) -> None:
    *_, (said, use, opinions) = ask(clip)
    assert use.visible
    network, head, joined = said["models"]
    assert f"{untrained.network.count_parameters() / 1e6:.1f} million" in network["about"]
    assert "680,000 hours" in head["about"]
    assert "openai/whisper-base" in head["about"]
    assert [model["name"] for model in said["models"]] == [texts.NETWORK, texts.HEAD, texts.JOINED]
    assert opinions is not None
    assert joined["reading"].lower().startswith(said["detail"].removeprefix("Together they say: ").split(",")[0])


@pytest.mark.parametrize("head", [HAPPY, SAD])
def test_agreement_is_about_the_most_probable_emotion(head: Prediction, untrained: JoinedRecognizer) -> None:
    said = comparison.describe(make_opinions(HAPPY, head, HAPPY), untrained)
    words = texts.AGREE if head is HAPPY else texts.DISAGREE
    assert said["headline"] == words.format(first="happy", second="sad")
    assert "happy, 72%" in said["detail"]
    assert "12 ms" in said["models"][0]["about"]


def test_used_for_the_films_it_replaces_the_answer_and_a_picked_mood() -> None:
    opinions = make_opinions(HAPPY, SAD, SAD)
    visit, said, moods, use = comparison.use_opinions(opinions, "voice.wav", Visit(HAPPY, mood="angry"))
    assert visit.probabilities["sad"] == pytest.approx(0.72)
    assert (said["face"], moods.value, use.visible) == ("sad", "sad", False)
    *_, (_, use, _) = ask(Path("gone.wav"), visit)  # shown again, the clip is not needed
    assert not use.visible


def test_a_clip_that_cannot_be_used_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.wav").write_text("no sound")
    assert "recording" in ask(tmp_path / "notes.wav")[-1][0]["headline"]
    assert ask(tmp_path / "gone.wav")[-1][0]["headline"] == texts.GONE
    assert ask(None)[-1][0]["headline"] == texts.NO_CLIP
    with pytest.raises(AudioError):
        comparison.compare(tmp_path / "notes.wav")
    quota = gr.Error("You have no GPU time left today.", print_exception=False)
    monkeypatch.setattr(comparison, "predict_on_gpu", lambda *_: fail(quota)())
    assert ask(tmp_path / "notes.wav")[-1][0]["headline"] == "You have no GPU time left today."


def test_always_means_that_everything_answers_with_both(
    clip: Path, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not isinstance(service.predict(clip), Opinions)
    monkeypatch.setenv("SECOND_OPINION", "always")
    assert isinstance(service.predict(clip), Opinions)
    assert isinstance(service.current_recognizer(), JoinedRecognizer)
    bring(fail(ComparisonMissing("There is no head.")))
    assert not isinstance(service.predict(clip), Opinions)


def test_a_wrong_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_OPINION", "sometimes")
    with pytest.raises(ValueError, match=r"^SECOND_OPINION must be one of ask, always, off\.$"):
        service.warm_up()


@pytest.mark.slow
def test_on_zerogpu_only_the_comparison_asks_for_the_gpu(project: Path) -> None:
    zero = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:1", "SYSTEM": "spaces"}
    asks = "hasattr(comparison.predict_on_gpu, '__wrapped__'), hasattr(service.predict, '__wrapped__')"
    code = f"import app; from ui import comparison, service; print({asks})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=os.environ | zero, capture_output=True, text=True, check=False
    )
    assert done.stdout.split()[-2:] == ["True", "False"], done.stderr[-800:]
