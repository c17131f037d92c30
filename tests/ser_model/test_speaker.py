from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_model.cnn import WeightsError
from ser_model.labels import EMOTIONS
from ser_model.speaker import (
    KIND,
    MAX_BYTES,
    SPACE_NAME,
    VERSION,
    EnrollmentError,
    SpeakerProfile,
    SpeakerSpace,
    emotions_from_filenames,
)

NAMES = tuple(str(emotion) for emotion in EMOTIONS)
WIDTH = 24
MEANS = 2 * np.random.default_rng(7).standard_normal((8, WIDTH))  # of the emotions
NO_LOGITS = np.zeros((48, 8))


def make_speaker(rng: np.random.Generator, center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The embeddings and labels of 48 clips."""
    labels = np.repeat(np.arange(8), 6)
    return MEANS[labels] + center + 0.5 * rng.standard_normal((labels.size, WIDTH)), labels


def first_clips(embeddings: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    return {name: embeddings[labels == index][:1] for index, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def space() -> SpeakerSpace:
    rng = np.random.default_rng(0)
    speakers = [make_speaker(rng, rng.standard_normal(WIDTH)) for _ in range(10)]
    embeddings, labels = (np.concatenate(column) for column in zip(*speakers, strict=True))
    return SpeakerSpace.fit(embeddings, labels, np.repeat(np.arange(10), 48), NAMES, dimensions=16)


def test_enrollment_compensates_the_offset_of_a_speaker(space: SpeakerSpace, rng: np.random.Generator) -> None:
    center = 6 * rng.standard_normal(WIDTH)
    embeddings, labels = make_speaker(rng, center)
    stranger, _ = make_speaker(rng, -center)
    wrong = space.adapt(NO_LOGITS, embeddings, space.enroll(first_clips(stranger, labels)))
    adapted = space.adapt(NO_LOGITS, embeddings, space.enroll(first_clips(embeddings, labels)))
    assert (wrong.argmax(axis=1) == labels).mean() < 0.6
    assert (adapted.argmax(axis=1) == labels).mean() > 0.95


def test_units_that_hardly_vary_are_ignored(rng: np.random.Generator) -> None:
    embeddings, labels = make_speaker(rng, np.zeros(WIDTH))
    embeddings[:, 3] = 1e-4
    embeddings = np.concatenate([embeddings, embeddings + 1e-9 * (np.arange(WIDTH) == 3)])
    space = SpeakerSpace.fit(embeddings, np.tile(labels, 2), np.repeat([0, 1], labels.size), NAMES, dimensions=8)
    assert not space.projection[3].any()


def test_a_saved_space_comes_back_and_a_damaged_one_is_refused(space: SpeakerSpace, tmp_path: Path) -> None:
    assert SpeakerSpace.load(tmp_path) is None
    space.save(tmp_path)
    again = SpeakerSpace.load(tmp_path)
    assert again is not None
    assert (again.fingerprint, again.emotions) == (space.fingerprint, space.emotions)
    assert np.allclose(again.projection, space.projection, atol=1e-5)
    for damage in (b"", b"\x00" * 64, b"\xff" * 900):
        (tmp_path / SPACE_NAME).write_bytes(damage)
        with pytest.raises(WeightsError, match="damaged"):
            SpeakerSpace.load(tmp_path)


def test_a_profile_of_other_weights_is_refused(space: SpeakerSpace, rng: np.random.Generator) -> None:
    profile = space.enroll(first_clips(*make_speaker(rng, np.zeros(WIDTH))))
    space.check(profile)
    for other in (replace(profile, space="another"), replace(profile, means={"neutral": (1.0,)})):
        with pytest.raises(EnrollmentError, match="enroll again"):
            space.check(other)


@pytest.mark.parametrize("names", [[], ["bored"], ["sad", "Sad"]])
def test_clips_must_be_named_by_emotions(space: SpeakerSpace, names: list[str]) -> None:
    with pytest.raises(EnrollmentError, match="neutral, calm, happy"):
        space.check_names(names)


NUMBERS = st.lists(st.floats(-1e5, 1e5), min_size=3, max_size=3)


@given(st.dictionaries(st.sampled_from(["neutral", "sad", "angry"]), NUMBERS, min_size=1))
def test_a_profile_comes_back_from_json(means: dict[str, list[float]]) -> None:
    profile = SpeakerProfile("abc", {name: tuple(mean) for name, mean in means.items()})
    for document in (profile.to_json(), json.dumps(profile.to_json()), json.dumps(profile.to_json()).encode()):
        again = SpeakerProfile.from_json(document)
        assert again.space == profile.space
        assert {name: pytest.approx(mean, abs=1e-3) for name, mean in again.means.items()} == dict(profile.means)


GOOD: dict[str, Any] = {"kind": KIND, "version": VERSION, "space": "abc", "means": {"neutral": [0.5, 1]}}


@pytest.mark.parametrize(
    "hostile",
    [
        None, 3, [], {}, "", "{", b"\xff\xfe\x00", "[" * 100_000, "null", GOOD | {"kind": "recipe"},
        GOOD | {"version": 2}, GOOD | {"space": 7}, GOOD | {"means": {}}, GOOD | {"means": [1]},
        GOOD | {"means": {"neutral": []}}, GOOD | {"means": {"neutral": ["1"]}},
        GOOD | {"means": {"neutral": [True]}}, GOOD | {"means": {"neutral": [float("nan")]}},
        GOOD | {"means": {"neutral": [1e300]}}, GOOD | {"means": {"neutral": [10**400]}},
        GOOD | {"means": {"neutral": [0.0] * 5000}}, GOOD | {"means": {str(i): [0.0] for i in range(99)}}
    ]
)  # fmt: skip
def test_anything_but_a_profile_is_refused_in_one_sentence(hostile: object) -> None:
    with pytest.raises(EnrollmentError) as caught:
        SpeakerProfile.from_json(hostile)
    assert len(str(caught.value)) < 120
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_for_a_profile_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "profile.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(EnrollmentError, match="too large"):
        SpeakerProfile.read(tmp_path / "profile.json")


def test_emotions_are_read_from_file_names() -> None:
    paths = [Path(name) for name in ("sad.wav", "2-Happy.flac", "my_angry_voice.mp3", "03-01-06-01-01-01-12.wav")]
    assert list(emotions_from_filenames(paths)) == ["sad", "happy", "angry", "fearful"]
    assert list(emotions_from_filenames([Path("me.wav")])) == ["neutral"]
    for name in ("me.wav", "sad-or-happy.wav"):
        with pytest.raises(EnrollmentError, match=f"{name} does not name its emotion"):
            emotions_from_filenames([Path("sad.wav"), Path(name)])
