from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_encoder import write_encoder
from voice import speak

from ser_model.comparison import (
    ComparisonHead,
    ComparisonMissing,
    Encoder,
    HeadConfig,
    has_head,
    load_comparison,
    save_head,
)

VOICE = torch.from_numpy(speak())
CALIBRATION = {"temperature": 1.0, "gender_temperature": 1.0, "abstention_threshold": 0.0}


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def write_head(folder: Path, encoder: Encoder) -> Path:
    config = HeadConfig(encoder.name, encoder.revision, encoder.layers, encoder.width)
    save_head(folder, ComparisonHead(config), CALIBRATION)
    return folder


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm"])
def test_an_encoder_gives_one_vector_a_layer(kind: str, tmp_path: Path) -> None:
    encoder = Encoder.load(str(write_encoder(tmp_path, kind=kind)))
    layers = encoder.embed(VOICE)
    assert layers.shape == (encoder.layers, 2 * encoder.width)
    assert layers.isfinite().all()
    assert torch.equal(layers, encoder.embed(VOICE))  # neither dropout nor masking
    assert torch.allclose(layers, encoder.embed(0.1 * VOICE), atol=1e-2)


def test_a_saved_head_predicts_with_its_encoder(encoder_folder: Path, tmp_path: Path) -> None:
    assert not has_head(tmp_path)
    write_head(tmp_path, Encoder.load(str(encoder_folder)))
    assert has_head(tmp_path)
    assert (tmp_path / "head.safetensors").stat().st_size < 2_000_000
    recognizer = load_comparison(tmp_path)
    assert sum(recognizer.predict(speak()).probabilities.values()) == pytest.approx(1)
    assert len(recognizer.predict(np.tile(speak(), 5)).timeline) > 2
    assert recognizer.network.count_parameters() > 10_000


def test_what_is_missing_is_named_with_its_command(encoder_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ComparisonMissing, match=r"has not been trained yet.*train.py"):
        load_comparison(tmp_path)
    copy = Path(shutil.copytree(encoder_folder, tmp_path / "encoder"))
    head = write_head(tmp_path / "head", Encoder.load(str(copy)))
    assert load_comparison(head)
    write_encoder(copy, seed=2)
    with pytest.raises(ComparisonMissing, match="not the one the head was trained on"):
        load_comparison(head)
    shutil.rmtree(copy)
    with pytest.raises(ComparisonMissing, match="hf download"):
        load_comparison(head)
    with pytest.raises(ComparisonMissing, match="hf download facebook/missing"):
        Encoder.load("facebook/missing")
    (head / "head.safetensors").write_bytes(b"damaged")
    with pytest.raises(ComparisonMissing, match="damaged"):
        load_comparison(head)
