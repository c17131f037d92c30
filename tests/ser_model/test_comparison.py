"""Encoders of every kind; what is made of their answers is tested in test_second_opinion.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_encoder import KINDS, write_encoder
from tiny_whisper import write_whisper
from voice import speak

from ser_model.comparison import ComparisonHead, ComparisonMissing, Encoder, HeadConfig, reference_waveform

VOICE = torch.from_numpy(speak())


def write(folder: Path, kind: str, seed: int = 0) -> str:
    return str(write_whisper(folder, seed=seed) if kind == "whisper" else write_encoder(folder, seed, kind))


@pytest.mark.parametrize("kind", [*KINDS, "whisper"])
def test_an_encoder_gives_the_mean_and_deviation_of_its_layers(kind: str, tmp_path: Path) -> None:
    encoder = Encoder.load(write(tmp_path, kind), (1, 2))
    layers = encoder.embed(VOICE)
    assert layers.shape == (2, 2 * encoder.width)
    assert layers.isfinite().all()
    assert (layers[:, encoder.width :] >= 0).all()
    assert torch.equal(layers, encoder.embed(VOICE))  # neither dropout nor masking
    assert torch.equal(Encoder.load(str(tmp_path), (2,)).embed(VOICE)[0], layers[1])
    assert kind == "whisper" or torch.allclose(layers, encoder.embed(0.1 * VOICE), atol=2e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_in_half_precision_are_accepted_and_other_encoders_refused(kind: str, tmp_path: Path) -> None:
    encoder = Encoder.load(write(tmp_path / "one", kind))
    head = ComparisonHead(HeadConfig(encoder.name, encoder.layers, encoder.width))
    head.reference.copy_(encoder.embed(reference_waveform()))
    head.mean.copy_(encoder.embed(VOICE))
    head.check(Encoder.load(str(write_encoder(tmp_path / "half", 0, kind, torch.float16))))
    with pytest.raises(
        ComparisonMissing, match=r"two is another encoder than the head was trained on, .*one"
    ) as caught:
        head.check(Encoder.load(write(tmp_path / "two", kind, seed=2)))
    assert "\n" not in str(caught.value)
