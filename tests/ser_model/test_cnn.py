from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from transformers import AutoModelForAudioClassification
from voice import RATE_HZ, speak

from ser_model.cnn import CnnConfig, EmotionCnn, WeightsError, load_network, read_config, save_network
from ser_model.features import HOP, LogMel, count_frames, describe_voice
from ser_model.hub import make_config
from ser_model.labels import EMOTIONS
from ser_model.recognize import WEIGHTS, EmotionRecognizer
from ser_model.training.clips import stack_clips


def test_the_network_is_small() -> None:
    assert EmotionCnn().count_parameters() < 500_000


def test_padding_in_a_batch_changes_nothing() -> None:
    network = EmotionCnn().eval()
    long, short = speak("aeiou"), speak("ai")
    alone = network(torch.from_numpy(short)[None])
    together = network(*stack_clips([long, short]))
    for one, both in zip(alone, together, strict=True):
        assert torch.allclose(one[0], both[1], atol=1e-4)


@pytest.mark.parametrize("gain", [0.01, 0.3, 20.0])
def test_loudness_does_not_matter(gain: float) -> None:
    network = EmotionCnn().eval()
    voice = torch.from_numpy(speak())[None]
    assert torch.allclose(network(voice).emotion, network(gain * voice).emotion, atol=1e-3)


def test_frames_are_counted_as_they_are_made() -> None:
    for size in (HOP, 5 * HOP + 1, 16_000):
        frames = LogMel()(torch.randn(1, size), torch.tensor([size]))
        assert frames.shape[2] == int(count_frames(torch.tensor(size)))


def test_weights_come_back_as_they_were_saved(untrained_weights: Path) -> None:
    torch.manual_seed(0)
    network, voice = EmotionCnn().eval(), torch.from_numpy(speak())[None]
    assert torch.equal(load_network(untrained_weights)(voice).emotion, network(voice).emotion)


def test_a_network_tells_the_emotions_of_its_config(untrained_weights: Path, tmp_path: Path) -> None:
    network = EmotionCnn(CnnConfig(emotions=(*EMOTIONS, "bored"))).eval()
    digest = save_network(network, tmp_path)
    make_config(network.config, weights_sha256=digest).save_pretrained(tmp_path)
    again, voice = load_network(tmp_path), torch.from_numpy(speak())[None]
    assert again.emotions == (*EMOTIONS, "bored")
    assert torch.equal(again(voice).emotion, network(voice).emotion)
    prediction = EmotionRecognizer.load(tmp_path).recognize(write_voice(tmp_path / "voice.wav"))
    assert list(prediction.probabilities) == [*EMOTIONS, "bored"]
    model = AutoModelForAudioClassification.from_pretrained(tmp_path)
    assert model.config.id2label[8] == "bored"
    assert model(voice).logits.shape == (1, 9)


def test_weights_that_name_no_emotions_have_the_eight_of_ravdess(untrained_weights: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(untrained_weights, tmp_path / "weights")
    config = json.loads((folder / "config.json").read_text())
    del config["emotions"]
    (folder / "config.json").write_text(json.dumps(config))
    assert load_network(folder).emotions == EMOTIONS
    assert load_network(WEIGHTS).emotions == EMOTIONS


def write_voice(path: Path) -> Path:
    sf.write(path, speak(), RATE_HZ)
    return path


@pytest.mark.parametrize(
    "damage",
    [
        "no weights",
        "cut weights",
        "one bit",
        "no config",
        "bad config",
        "no text",
        "no object",
        "other sizes",
        "no digest",
        "empty digest",
    ],
)
def test_damaged_weights_are_refused_with_the_remedy(untrained_weights: Path, tmp_path: Path, damage: str) -> None:
    folder = shutil.copytree(untrained_weights, tmp_path / "weights")
    weights, config = folder / "model.safetensors", folder / "config.json"
    if damage == "no weights":
        weights.unlink()
    elif damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "one bit":
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
    elif damage == "no config":
        config.unlink()
    elif damage == "bad config":
        config.write_text("{")
    elif damage == "no text":
        config.write_bytes(b"\xff\xfe\x00")
    elif damage == "no object":
        config.write_text("3")
    elif damage == "no digest":
        config.write_text(config.read_text().replace("weights_sha256", "weights"))
    elif damage == "empty digest":
        config.write_text(json.dumps(json.loads(config.read_text()) | {"weights_sha256": None}))
    else:
        config.write_text(config.read_text().replace("192", "193"))
    with pytest.raises(WeightsError, match="Fetch it again") as caught:
        EmotionRecognizer.load(folder)
    assert "\n" not in str(caught.value)


def test_the_shipped_weights_are_those_that_were_published() -> None:
    digest = hashlib.sha256((WEIGHTS / "model.safetensors").read_bytes()).hexdigest()
    assert read_config(WEIGHTS)["weights_sha256"] == digest


def test_classic_descriptors_are_finite_even_of_silence() -> None:
    assert np.isfinite(describe_voice(np.zeros(16_000, np.float32))).all()


def test_classic_descriptors_follow_the_pitch() -> None:
    low, high = describe_voice(speak(pitch_hz=110)), describe_voice(speak(pitch_hz=220))
    assert low.shape == high.shape == (216,)
    assert 0.7 < high[98] - low[98] < 1.3  # log2: one octave
