from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_encoder import KINDS, write_encoder
from voice import speak

from ser_model.calibration import softmax
from ser_model.comparison import (
    ENCODER_FOLDER,
    ComparisonHead,
    ComparisonMissing,
    ComparisonNetwork,
    Encoder,
    HeadConfig,
    JoinConfig,
    SecondOpinion,
    has_head,
    reference_waveform,
    save_head,
)
from ser_model.frontend import SAMPLE_RATE
from ser_model.recognize import EmotionRecognizer
from ser_model.whisper import MAX_S

VOICE = torch.from_numpy(speak())
JOIN = {"network_weight": 0.5, "head_weight": 1.0, "temperature": 2.0, "abstention_threshold": 0.3}
CALIBRATION = {"temperature": 1.0, "gender_temperature": 1.0, "abstention_threshold": 0.0, "join": JOIN}


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"), kind="whisper")


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer.load()


def write_head(folder: Path, encoder: Encoder, calibration: dict[str, Any] = CALIBRATION) -> Path:
    """Save an untrained head that knows its encoder, as training leaves one."""
    torch.manual_seed(0)
    head = ComparisonHead(HeadConfig(encoder.name, encoder.layers, encoder.width))
    layers = torch.stack([encoder.embed(VOICE[start:]) for start in (0, 8_000, 16_000)])
    head.mean.copy_(layers.mean(dim=0))
    head.std.copy_(layers.std(dim=0).clamp(min=1e-2))
    head.reference.copy_(encoder.embed(reference_waveform()))
    save_head(folder, head, calibration)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_gives_the_mean_and_deviation_of_its_middle_layers(kind: str, tmp_path: Path) -> None:
    encoder = Encoder.load(str(write_encoder(tmp_path, kind=kind)))
    layers = encoder.embed(VOICE)
    assert encoder.layers == (2, 3, 4)
    assert layers.shape == (3, 2 * encoder.width)
    assert layers.isfinite().all()
    assert (layers[:, encoder.width :] >= 0).all()
    assert torch.equal(layers, encoder.embed(VOICE))  # neither dropout nor masking
    assert kind == "whisper" or torch.allclose(layers, encoder.embed(0.1 * VOICE), atol=2e-2)
    assert torch.equal(Encoder.load(str(tmp_path), (4,)).embed(VOICE)[0], layers[2])


def test_whisper_hears_the_speech_alone(encoder_folder: Path) -> None:
    encoder = Encoder.load(str(encoder_folder), (1, 3))
    longer = torch.nn.functional.pad(VOICE, (0, SAMPLE_RATE))
    assert not torch.allclose(encoder.embed(VOICE), encoder.embed(longer), atol=1e-3)
    assert encoder.embed(VOICE.repeat(20)[: int((MAX_S + 5) * SAMPLE_RATE)]).isfinite().all()


def test_the_joined_answer_is_a_weighted_product_with_its_own_temperature() -> None:
    join = JoinConfig(**JOIN)
    network, head = np.log([[0.5, 0.4, 0.1]]), np.log([[0.2, 0.6, 0.2]])
    product = np.sqrt([0.5, 0.4, 0.1]) * [0.2, 0.6, 0.2]
    assert softmax(join.join(network, head))[0] == pytest.approx(product / product.sum())


def test_a_second_opinion_tells_what_both_say_alone_and_joined(
    encoder_folder: Path, recognizer: EmotionRecognizer, project: Path, tmp_path: Path
) -> None:
    assert not has_head(tmp_path)
    write_head(tmp_path, Encoder.load(str(encoder_folder)))
    assert has_head(tmp_path)
    assert (tmp_path / "head.safetensors").stat().st_size < 2_000_000
    second = SecondOpinion.load(tmp_path)
    assert isinstance(second.recognizer.network, ComparisonNetwork)
    assert second.recognizer.network.count_parameters() > 10_000
    for voice in (speak(), np.tile(speak(), 5)):
        opinions = second.predict(recognizer, voice)
        network, head, joined = opinions.network, opinions.head, opinions.joined
        alone = recognizer.predict(voice)
        assert network.probabilities == pytest.approx(alone.probabilities, abs=1e-3)
        assert head.probabilities == pytest.approx(second.recognizer.predict(voice).probabilities, abs=1e-3)
        assert sum(joined.probabilities.values()) == pytest.approx(1)
        assert len(joined.timeline) == len(alone.timeline)
        assert (joined.gender, joined.gender_probability) == (network.gender, network.gender_probability)
        assert joined.sure == (max(joined.probabilities.values()) >= JOIN["abstention_threshold"])
        assert opinions.agree == (network.top(1)[0][0] == head.top(1)[0][0])
    assert len(joined.timeline) > 2
    profile = recognizer.enroll({"neutral": [project / "ui/voices/slow.wav"]})
    enrolled = second.predict(recognizer, speak(), profile)
    assert enrolled.network.probabilities == pytest.approx(recognizer.predict(speak(), profile).probabilities, abs=1e-3)
    assert enrolled.joined.probabilities != second.predict(recognizer, speak()).joined.probabilities


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_an_encoder_in_half_precision_are_accepted_and_others_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = write_head(tmp_path / "head", Encoder.load(str(write_encoder(tmp_path / "one", kind=kind))))
    half = write_encoder(tmp_path / "half", kind=kind, dtype=torch.float16)
    assert SecondOpinion.load(head, str(half))
    monkeypatch.setenv(ENCODER_FOLDER, str(write_encoder(tmp_path / "two", seed=2, kind=kind)))
    with pytest.raises(
        ComparisonMissing, match=r"two is another encoder than the head was trained on, .*one\. "
    ) as caught:
        SecondOpinion.load(head)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_named_with_its_command(encoder_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ComparisonMissing, match=r"has not been trained yet.*train.py"):
        SecondOpinion.load(tmp_path)
    copy = Path(shutil.copytree(encoder_folder, tmp_path / "encoder"))
    head = write_head(tmp_path / "head", Encoder.load(str(copy)))
    assert SecondOpinion.load(head)
    shutil.rmtree(copy)
    with pytest.raises(ComparisonMissing, match="hf download"):
        SecondOpinion.load(head)
    with pytest.raises(ComparisonMissing, match="hf download facebook/missing"):
        Encoder.load("facebook/missing")
    config = json.loads((head / "config.json").read_text())
    (head / "config.json").write_text(json.dumps(config | {"join": None}))
    with pytest.raises(ComparisonMissing, match="damaged"):
        SecondOpinion.load(head, str(encoder_folder))
    (head / "config.json").write_text(json.dumps(config))
    (head / "head.safetensors").write_bytes(b"damaged")
    with pytest.raises(ComparisonMissing, match="damaged"):
        SecondOpinion.load(head, str(encoder_folder))
