from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tiny_whisper import write_whisper
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperModel
from voice import speak

from ser_model.whisper import MAX_S, WhisperEncoder

VOICE = torch.from_numpy(speak())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whisper(tmp_path_factory.mktemp("whisper"))


def test_it_computes_what_transformers_does(folder: Path) -> None:
    encoder, parameters = WhisperEncoder.load(folder, depth=3)
    theirs = WhisperForConditionalGeneration.from_pretrained(folder).eval().get_encoder()
    features = WhisperFeatureExtractor.from_pretrained(folder)(
        VOICE.numpy(), sampling_rate=16_000, return_tensors="pt"
    ).input_features  # padded to 30 s
    waveform = torch.zeros(30 * 16_000)
    waveform[: VOICE.numel()] = VOICE
    with torch.inference_mode():
        wanted = theirs(features, output_hidden_states=True).hidden_states
        states = encoder(waveform)
    assert len(states) == 4
    for ours, one in zip(states[:3], wanted[:3], strict=True):  # the last one of theirs has passed a further norm
        assert torch.allclose(ours, one, atol=1e-4)
    assert parameters == sum(parameter.numel() for parameter in theirs.parameters())


def test_it_hears_the_clip_alone_and_reads_only_the_layers_in_use(folder: Path) -> None:
    encoder, parameters = WhisperEncoder.load(folder, depth=1)
    with torch.inference_mode():
        states = encoder(VOICE)
        longest = encoder(torch.randn(40 * 16_000))
    assert [tuple(state.shape) for state in states] == 2 * [(1, VOICE.numel() // 320, 48)]
    assert longest[0].shape[1] == MAX_S / 0.02
    assert sum(parameter.numel() for parameter in encoder.parameters()) < parameters


def test_every_way_to_save_a_whisper_is_read(folder: Path, tmp_path: Path) -> None:
    whole = WhisperForConditionalGeneration.from_pretrained(folder)
    whole.model.save_pretrained(tmp_path / "model")
    whole.get_encoder().save_pretrained(tmp_path / "encoder")
    whole.half().save_pretrained(tmp_path / "half")
    assert isinstance(whole.model, WhisperModel)
    reference, parameters = WhisperEncoder.load(folder, depth=2)
    with torch.inference_mode():
        wanted = reference(VOICE)[-1]
        for name in ("model", "encoder", "half"):
            encoder, count = WhisperEncoder.load(tmp_path / name, depth=2)
            found = encoder(VOICE)[-1]
            assert found.dtype == torch.float32
            assert torch.allclose(found, wanted, atol=0.05 if name == "half" else 1e-5), name
            assert count == parameters


def test_more_layers_than_there_are_is_an_error(folder: Path) -> None:
    assert json.loads((folder / "config.json").read_text())["encoder_layers"] == 3
    with pytest.raises(Exception, match=r"layers\.3"):
        WhisperEncoder.load(folder, depth=4)
