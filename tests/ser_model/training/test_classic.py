from __future__ import annotations

import numpy as np
import pytest

from ser_model.training.classic import SIZES, ClassicCnn, ClassicModel, ClassicSettings
from ser_model.training.clips import Clip
from ser_model.training.copies import Vectors

SMALL = ClassicSettings(epochs=15, batch=16, channels=(8, 8, 8))


@pytest.fixture
def clips() -> list[Clip]:
    silence = np.zeros(1, np.float32)
    return [
        Clip(f"{i}", silence, (0, 1), emotion=i % 8, gender=i // 8 % 2, intensity=i // 16 % 2, actor=1, is_song=False)
        for i in range(96)
    ]


@pytest.fixture
def vectors(clips: list[Clip], rng: np.random.Generator) -> Vectors:
    """Numbers of very different size, some of which tell the emotion and the gender."""
    told = rng.standard_normal((8 + 2, 216))
    noise = 0.3 * rng.standard_normal((len(clips), 216))
    sizes = 10 ** rng.uniform(-3, 3, 216)
    return {
        clip.file: sizes * (told[clip.emotion] + told[8 + clip.gender] + row)
        for clip, row in zip(clips, noise, strict=True)
    }


def test_it_learns_all_labels_from_numbers_of_any_size(clips: list[Clip], vectors: Vectors) -> None:
    scores = ClassicModel(vectors, SMALL).fit(clips[:64], seed=0).score(clips[64:])
    assert (scores.emotion.argmax(axis=1) == [clip.emotion for clip in clips[64:]]).mean() > 0.8
    assert (scores.gender.argmax(axis=1) == [clip.gender for clip in clips[64:]]).mean() > 0.8
    assert scores.intensity.shape == (32, 2)


def test_what_is_scored_changes_nothing(clips: list[Clip], vectors: Vectors) -> None:
    alone = ClassicModel(vectors, SMALL).fit(clips[:64], seed=0).score(clips[64:65])
    changed = vectors | {clip.file: 1e6 * vectors[clip.file] for clip in clips[65:]}
    beside = ClassicModel(changed, SMALL).fit(clips[:64], seed=0).score(clips[64:])
    assert np.allclose(alone.emotion, beside.emotion[:1], atol=1e-4)


def test_the_seed_decides(clips: list[Clip], vectors: Vectors) -> None:
    one, two, three = (ClassicModel(vectors, SMALL).fit(clips[:64], seed).score(clips[64:]) for seed in (0, 0, 1))
    assert np.allclose(one.emotion, two.emotion, atol=1e-4)
    assert not np.allclose(one.emotion, three.emotion, atol=1e-4)


def test_the_network_has_three_convolutions_and_one_output_layer() -> None:
    kinds = [type(layer).__name__ for layer in ClassicCnn(216, ClassicSettings())]
    assert kinds.count("Conv1d") == 3
    assert kinds.count("Linear") == 1
    assert kinds[-1] == "Linear"
    assert SIZES == (8, 2, 2)
