from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForAudioClassification
from voice import speak

from ser_model.cnn import CnnConfig, EmotionCnn, WeightsError, ensemble_networks, load_network, save_network, weights_id
from ser_model.hub import make_config
from ser_model.labels import EMOTIONS
from ser_model.recognize import EmotionRecognizer

VOICE = torch.from_numpy(speak())[None]


def test_padding_in_a_batch_changes_nothing() -> None:
    network, short = EmotionCnn().eval(), torch.from_numpy(speak("ai"))
    alone = network(short[None])
    batch = torch.stack([VOICE[0], torch.nn.functional.pad(short, (0, VOICE.shape[1] - len(short)))])
    together = network(batch, torch.tensor([VOICE.shape[1], len(short)]))
    for logits, padded in zip(alone, together, strict=True):
        assert torch.allclose(logits[0], padded[1], atol=1e-4)


@pytest.mark.parametrize("gain", [0.01, 0.3, 20.0])
def test_the_level_does_not_matter(gain: float) -> None:
    network = EmotionCnn().eval()
    assert torch.allclose(network(VOICE).emotion, network(gain * VOICE).emotion, atol=1e-3)


def test_an_ensemble_multiplies_the_probabilities_of_its_members() -> None:
    members = [EmotionCnn().eval() for _ in range(2)]
    together = ensemble_networks(members)(VOICE)
    alone = [member(VOICE) for member in members]
    probabilities = (alone[0].emotion + alone[1].emotion).softmax(dim=1)
    assert torch.allclose(together.emotion.softmax(dim=1), probabilities, atol=1e-5)
    assert torch.allclose(together.gender, (alone[0].gender + alone[1].gender) / 2, atol=1e-5)
    assert together.embedding.shape[1] == 2 * alone[0].embedding.shape[1]
    members[1].functionals_head.mean.fill_(1.0)
    with pytest.raises(ValueError, match="same clips"):
        ensemble_networks(members)


def test_saved_weights_come_back(untrained_weights: Path) -> None:
    torch.manual_seed(0)
    saved = EmotionCnn().eval()
    assert torch.equal(load_network(untrained_weights)(VOICE).emotion, saved(VOICE).emotion)
    digest = hashlib.sha256((untrained_weights / "model.safetensors").read_bytes()).hexdigest()
    assert weights_id(untrained_weights) == digest


def test_a_network_predicts_the_emotions_of_its_config(tmp_path: Path) -> None:
    network = EmotionCnn(CnnConfig(emotions=(*EMOTIONS, "bored"))).eval()
    save_network(network, tmp_path)
    make_config(network.config).save_pretrained(tmp_path)
    assert list(EmotionRecognizer.load(tmp_path).predict(speak()).probabilities) == [*EMOTIONS, "bored"]
    model = AutoModelForAudioClassification.from_pretrained(tmp_path)
    assert model.config.id2label[8] == "bored"
    assert model(VOICE).logits.shape == (1, 9)


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("model.safetensors", None),
        ("model.safetensors", b"\x10\x00"),
        ("model.safetensors", "all but the last byte"),
        ("config.json", b"\xff\xfe\x00"),
        ("config.json", b"3"),
        ("config.json", b'{"channels": [128, 192, 193]}'),
        ("config.json", b"{}"),
    ],
)
def test_missing_or_damaged_weights_are_refused_with_the_remedy(
    untrained_weights: Path, tmp_path: Path, file: str, data: bytes | str | None
) -> None:
    path = Path(shutil.copytree(untrained_weights, tmp_path / "weights")) / file
    if data is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] if isinstance(data, str) else data)
    with pytest.raises(WeightsError, match="Get it again") as caught:
        EmotionRecognizer.load(path.parent)
    assert "\n" not in str(caught.value)
