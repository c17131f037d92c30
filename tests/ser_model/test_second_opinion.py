"""A second opinion: what the network, the head and both say, and what is said where there is none."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_whisper import write_head, write_whisper
from voice import speak

from ser_model import comparison
from ser_model.calibration import Calibration, softmax
from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.comparison import (
    ENCODER_FOLDER,
    ComparisonMissing,
    JoinedRecognizer,
    Opinions,
    SecondOpinion,
    is_available,
)
from ser_model.recognize import EmotionRecognizer, Prediction

NETWORK_WEIGHT, HEAD_WEIGHT = 0.5, 1.0  # of tiny_whisper.JOIN


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whisper(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def head(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_head(tmp_path_factory.mktemp("head"), encoder)


@pytest.fixture(scope="module")
def joined(encoder: Path, head: Path) -> JoinedRecognizer:
    torch.manual_seed(1)
    network = EmotionRecognizer(EmotionCnn(CnnConfig()), Calibration())
    return JoinedRecognizer(network, SecondOpinion.load(head, str(encoder)))


@pytest.mark.parametrize("repeats", [1, 5])
def test_the_joined_answer_multiplies_both(joined: JoinedRecognizer, repeats: int) -> None:
    opinions = joined.predict(np.tile(speak(), repeats))
    assert len(opinions.timeline) == len(opinions.network.timeline) == len(opinions.head.timeline)
    for both, network, head in zip(opinions.timeline, opinions.network.timeline, opinions.head.timeline, strict=True):
        logarithms = NETWORK_WEIGHT * np.log(list(network.probabilities.values()))
        logarithms += HEAD_WEIGHT * np.log(list(head.probabilities.values()))
        assert np.allclose(list(both.probabilities.values()), softmax(logarithms), atol=1e-4)
    assert opinions.gender_probability == pytest.approx(opinions.network.gender_probability)
    assert min(opinions.network_ms, opinions.head_ms) > 0


def test_opinions_are_a_prediction_with_two_more_in_it(joined: JoinedRecognizer) -> None:
    opinions = joined.predict(speak())
    document = opinions.to_json()
    assert json.loads(json.dumps(document)) == document
    assert type(opinions.joined) is Prediction
    assert opinions.joined.to_json().items() <= document.items()
    assert document["agree"] == (opinions.network.top(1)[0][0] == opinions.head.top(1)[0][0])
    alone = EmotionRecognizer(joined.network, joined.calibration).predict(speak())
    assert document["cnn"].items() >= alone.to_json().items()
    assert set(document["large"]) == set(document["cnn"]) == {*alone.to_json(), "ms"}


def test_it_is_available_where_head_and_encoder_are(
    encoder: Path, head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub may not be asked in these tests, unless something lets it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv(ENCODER_FOLDER, raising=False)
    assert not is_available(head)
    monkeypatch.setattr(comparison, "can_download", lambda: True)
    assert is_available(head)
    assert not is_available(tmp_path)
    monkeypatch.setenv(ENCODER_FOLDER, str(tmp_path))
    assert not is_available(head)  # the owner meant another place
    monkeypatch.setattr(comparison, "can_download", lambda: False)
    monkeypatch.setenv(ENCODER_FOLDER, str(encoder))
    assert is_available(head)
    shutil.copytree(head, tmp_path / "damaged")
    (tmp_path / "damaged" / "config.json").write_text("[")
    assert not is_available(tmp_path / "damaged")


def test_what_is_missing_damaged_or_of_another_kind_is_one_sentence(
    encoder: Path, head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explain(folder: Path, place: Path | None) -> str:
        if place:
            monkeypatch.setenv(ENCODER_FOLDER, str(place))
        else:
            monkeypatch.delenv(ENCODER_FOLDER, raising=False)
        with pytest.raises(ComparisonMissing) as caught:
            SecondOpinion.load(folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert "train.py" in explain(tmp_path, encoder)
    assert "hf download openai/whisper-base" in explain(head, None)
    assert ENCODER_FOLDER in explain(head, tmp_path)
    other = write_whisper(tmp_path / "other", seed=1)
    assert "another encoder" in explain(head, other)
    (other / "model.safetensors").write_bytes(b"damaged")
    assert "incomplete" in explain(head, other)
    damaged = Path(shutil.copytree(head, tmp_path / "head"))
    (damaged / "head.safetensors").write_bytes(b"damaged")
    assert "damaged" in explain(damaged, encoder)


def test_copies_of_the_encoder_in_other_precisions_are_accepted(head: Path, tmp_path: Path) -> None:
    for dtype in (torch.float16, torch.bfloat16):
        copy = write_whisper(tmp_path / str(dtype), dtype=dtype)
        network = EmotionRecognizer(EmotionCnn(CnnConfig()), Calibration())
        assert JoinedRecognizer(network, SecondOpinion.load(head, str(copy))).predict(speak())


@pytest.mark.slow
def test_the_shipped_head_predicts_original_clips_with_the_real_encoder(shared: Path) -> None:
    place = os.environ.get("MOOD_ENCODER")  # a folder with openai/whisper-base
    clips = sorted((shared / "data" / "ravdess" / "original_48k").rglob("*.wav"))
    if not place or not (comparison.HEAD_FOLDER / comparison.HEAD_NAME).exists() or not clips:
        pytest.skip("needs MOOD_ENCODER, the head and the original clips")
    second = SecondOpinion.load(encoder=place)
    joined = JoinedRecognizer(EmotionRecognizer.load(), second)
    right = 0
    for clip in clips:
        opinions = joined.recognize(clip)
        assert isinstance(opinions, Opinions)
        for one in (opinions, opinions.network, opinions.head):
            assert sum(one.probabilities.values()) == pytest.approx(1)
        emotion = second.recognizer.network.emotions[int(clip.stem.split("-")[2]) - 1]
        right += opinions.head.top(1)[0][0] == emotion
    assert right >= len(clips) / 2
