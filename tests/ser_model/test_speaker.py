from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_model.cnn import WeightsError
from ser_model.labels import EMOTIONS
from ser_model.speaker import SPACE_NAME, SpeakerSettings, SpeakerSpace
from ser_model.voice import VoiceError

NAMES = tuple(str(emotion) for emotion in EMOTIONS)
WIDTH = 24
PLACES = 2 * np.random.default_rng(7).standard_normal((8, WIDTH))  # where the made emotions lie


def act(rng: np.random.Generator, offset: np.ndarray, each: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A made speaker's embeddings and labels."""
    labels = np.repeat(np.arange(8), each)
    return PLACES[labels] + offset + 0.5 * rng.standard_normal((labels.size, WIDTH)), labels


@pytest.fixture(scope="module")
def space() -> SpeakerSpace:
    rng = np.random.default_rng(0)
    acted = [act(rng, rng.standard_normal(WIDTH)) for _ in range(10)]
    embeddings, labels = (np.concatenate(column) for column in zip(*acted, strict=True))
    return SpeakerSpace.fit(embeddings, labels, np.repeat(np.arange(10), 48), NAMES, dimensions=16)


def guide(embeddings: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    return {name: embeddings[labels == index][:1] for index, name in enumerate(NAMES)}


def test_a_learned_voice_undoes_the_speakers_shift(space: SpeakerSpace, rng: np.random.Generator) -> None:
    embeddings, labels = act(rng, 6 * rng.standard_normal(WIDTH))
    silent = np.zeros((labels.size, 8))
    stranger = space._add_scores(silent, embeddings @ space.project, space.places)
    known = space.correct(silent, embeddings, space.learn(guide(embeddings, labels)))
    assert (stranger.argmax(axis=1) == labels).mean() < 0.6
    assert (known.argmax(axis=1) == labels).mean() > 0.95


def test_without_labels_a_speakers_clips_are_heard_against_each_other(
    space: SpeakerSpace, rng: np.random.Generator
) -> None:
    embeddings, labels = act(rng, 6 * rng.standard_normal(WIDTH))
    heard = space.adapt(np.zeros((labels.size, 8)), embeddings)
    assert (heard.argmax(axis=1) == labels).mean() > 0.95


def test_one_clip_moves_less_than_eight(space: SpeakerSpace, rng: np.random.Generator) -> None:
    embeddings, labels = act(rng, 3 * np.ones(WIDTH))
    clips, silent = guide(embeddings, labels), np.zeros((labels.size, 8))
    plain = space._add_scores(silent, embeddings @ space.project, space.places)
    one = space.correct(silent, embeddings, space.learn({"neutral": clips["neutral"]}))
    eight = space.correct(silent, embeddings, space.learn(clips))
    assert np.abs(one - plain).mean() < np.abs(eight - plain).mean()


def test_clips_that_count_for_nothing_change_nothing(space: SpeakerSpace, rng: np.random.Generator) -> None:
    embeddings, labels = act(rng, rng.standard_normal(WIDTH))
    deaf = replace(space, settings=SpeakerSettings(1e12, 1e12, scale=0.0, softness=1.0))
    logits = rng.standard_normal((labels.size, 8))
    assert np.allclose(deaf.correct(logits, embeddings, deaf.learn(guide(embeddings, labels))), logits)


def test_numbers_that_never_vary_say_nothing(rng: np.random.Generator) -> None:
    embeddings, labels = act(rng, np.zeros(WIDTH))
    embeddings[:, 3] = 1e-4
    embeddings = np.concatenate([embeddings, embeddings + 1e-9 * (np.arange(WIDTH) == 3)])
    space = SpeakerSpace.fit(embeddings, np.tile(labels, 2), np.repeat([0, 1], labels.size), NAMES, dimensions=8)
    assert not space.project[3].any()


def test_a_space_comes_back_from_its_file(space: SpeakerSpace, tmp_path: Path) -> None:
    again = SpeakerSpace.load(tmp_path, space.save(tmp_path))
    assert again is not None
    assert (again.name, again.emotions) == (space.name, space.emotions)
    assert np.allclose(again.project, space.project, atol=1e-5)
    assert SpeakerSpace.load(tmp_path, None) is None


@pytest.mark.parametrize("damage", [b"", b"\x00" * 64, b"\xff" * 900])
def test_a_damaged_file_is_said_so(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / SPACE_NAME).write_bytes(damage)
    for digest in ("0" * 64, hashlib.sha256(damage).hexdigest()):
        with pytest.raises(WeightsError, match="damaged"):
            SpeakerSpace.load(tmp_path, digest)


def test_a_file_with_one_number_changed_is_said_so(space: SpeakerSpace, tmp_path: Path) -> None:
    digest = space.save(tmp_path)
    data = bytearray((tmp_path / SPACE_NAME).read_bytes())
    data[-1] ^= 1
    (tmp_path / SPACE_NAME).write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        SpeakerSpace.load(tmp_path, digest)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="missing"):
        SpeakerSpace.load(tmp_path, "0" * 64)


def test_a_voice_of_other_weights_is_refused(space: SpeakerSpace, rng: np.random.Generator) -> None:
    embeddings, labels = act(rng, np.zeros(WIDTH))
    voice = space.learn(guide(embeddings, labels))
    space.check(voice)
    with pytest.raises(VoiceError, match="learn it again"):
        space.check(replace(voice, space="another"))
    with pytest.raises(VoiceError, match="learn it again"):
        space.check(replace(voice, points={"neutral": (1.0,)}))


@pytest.mark.parametrize("names", [[], ["bored"], ["sad", "Sad"]])
def test_clips_must_be_named_by_emotions(space: SpeakerSpace, names: list[str]) -> None:
    with pytest.raises(VoiceError, match="neutral, calm, happy"):
        space.check_names(names)
