from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from made_corpus import make_clip
from tiny_encoder import write_encoder
from torch import Tensor

from ser_model.comparison import Encoder
from ser_model.labels import UNKNOWN
from ser_model.training import encoder_head
from ser_model.training.clips import Clip, make_clips, prepare
from ser_model.training.corpora import UNLABELED, load_ravdess
from ser_model.training.encoder_head import TEACHERS, HeadSettings, embed_clips, fit_head, predict_head, teach


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
    assert first[table[0]["file"]].shape == (len(encoder.layers), 2 * encoder.width)


def test_a_head_learns_from_the_layers_of_labeled_clips(encoder: Encoder, table: Dataset) -> None:
    clips, layers = make_clips(table), embed_clips(table, encoder)
    settings = HeadSettings(epochs=40, batch=8)
    unlabeled = make_clip("unlabeled", UNKNOWN, corpus=UNLABELED)  # it has no layers: nobody asks for them
    one, again = (
        predict_head(fit_head(part, layers, encoder, 0, settings), clips, layers)
        for part in (clips, [*clips, unlabeled])
    )
    assert (one.emotion.argmax(axis=1) == [clip.emotion for clip in clips]).mean() > 0.5  # chance: 0.125
    assert one.gender.shape == one.intensity.shape == (len(clips), 2)
    assert again.emotion == pytest.approx(one.emotion, abs=1e-4)


def test_a_clip_is_taught_by_a_head_that_never_heard_its_speaker(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that says of every clip which speakers it heard: each has an emotion of its own."""
    corpora = {"ravdess": 7, "crema-d": 6, "nemo": 3}
    labeled = [
        make_clip(f"{corpus}-{who}-{i}", i, f"{corpus}-{who}", corpus)
        for corpus, count in corpora.items() for who in range(count) for i in range(2)
    ]  # fmt: skip
    unlabeled = [make_clip(f"unlabeled-{i}", UNKNOWN, f"unlabeled-{i}", UNLABELED) for i in range(3)]
    clips = [*unlabeled, *labeled]
    layers = {clip.file: np.zeros((3, 96), np.float16) for clip in clips}
    heard: list[set[str]] = []
    answered: dict[str, list[int]] = {}

    def fit(part: list[Clip], *_: object) -> int:
        assert not any(clip.corpus == UNLABELED for clip in part)
        heard.append({clip.speaker for clip in part})
        return len(heard) - 1

    def predict(head: int, part: list[Clip], _: object) -> encoder_head.ClipLogits:
        for clip in part:
            answered.setdefault(clip.file, []).append(head)
        logits = np.tile(10.0 * np.eye(8)[head], (len(part), 1))
        return encoder_head.ClipLogits(logits, np.zeros((len(part), 2)), np.zeros((len(part), 2)))

    monkeypatch.setattr(encoder_head, "fit_head", fit)
    monkeypatch.setattr(encoder_head, "predict_head", predict)
    taught = teach(clips, layers, encoder, HeadSettings())
    assert set(taught) == {clip.file for clip in clips}
    assert len(heard) == TEACHERS
    for clip in labeled:
        (head,) = answered[clip.file]
        assert clip.speaker not in heard[head]
        assert taught[clip.file].argmax() == head
    assert all({speaker.rsplit("-", 1)[0] for speaker in own} == set(corpora) for own in heard)
    for clip in unlabeled:
        assert answered[clip.file] == list(range(TEACHERS))
        assert taught[clip.file][:TEACHERS] == pytest.approx(1 / TEACHERS, abs=1e-3)
