from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from tiny_encoder import write_encoder
from torch import Tensor

from ser_model.comparison import Encoder
from ser_model.training.corpora import load_ravdess, make_clips, prepare
from ser_model.training.encoder_head import HeadSettings, embed_clips, fit_head, predict_head


@pytest.fixture(scope="module")
def table(corpus_folder: Path) -> Dataset:
    return prepare(load_ravdess(corpus_folder)).select(range(0, 48, 3))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Encoder.load(str(write_encoder(tmp_path_factory.mktemp("encoder"))))


def test_clips_are_embedded_once_with_every_core(
    encoder: Encoder, table: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    embed = Encoder.embed

    def count_threads(self: Encoder, waveform: Tensor) -> Tensor:
        threads.append(torch.get_num_threads())
        return embed(self, waveform)

    monkeypatch.setattr(Encoder, "embed", count_threads)
    torch.set_num_threads(1)  # as importing the speech detector does
    first, second = (embed_clips(table, encoder) for _ in range(2))
    assert threads == [os.cpu_count()] * len(table)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert first[table[0]["file"]].shape == (encoder.layers, 2 * encoder.width)


def test_a_head_learns_from_the_layers(encoder: Encoder, table: Dataset) -> None:
    clips, layers = make_clips(table), embed_clips(table, encoder)
    settings = HeadSettings(epochs=40, batch=8)
    one, again = (predict_head(fit_head(clips, layers, encoder, 0, settings), clips, layers) for _ in range(2))
    assert (one.emotion.argmax(axis=1) == [clip.emotion for clip in clips]).mean() > 0.5  # chance: 0.125
    assert one.gender.shape == one.intensity.shape == (len(clips), 2)
    assert again.emotion == pytest.approx(one.emotion, abs=1e-4)
