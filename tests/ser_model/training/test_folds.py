"""Nothing that is scored was trained on: no actor, no clip, no copy of one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from ser_model.training.corpora import ACTORS, Clip, load_ravdess, make_clips, prepare
from ser_model.training.folds import BY_ACTOR, Fold, add_training_clips, select_folds, split_clips


def make_clip(number: int, emotion: int, actor: int, is_song: bool = False) -> Clip:
    sound = np.full(4, number, np.float32)
    return Clip(f"{number}", sound, (0, 4), emotion, (actor + 1) % 2, number % 2, actor, is_song)


CLIPS = [
    make_clip(100 * actor + 10 * emotion + copy, emotion, actor, is_song=copy > 2)
    for actor, emotion, copy in product(ACTORS, range(8), range(5))
]
EXTRA = [make_clip(100_000 + number, number % 9, 101 + number % 3) for number in range(30)]


def list_actors(clips: list[Clip]) -> set[int]:
    return {clip.actor for clip in clips}


def assert_apart(fold: Fold, protocol: str) -> None:
    """No file name, no sound and, in folds by actor, no actor is on two sides."""
    assert not {clip.file for clip in fold.train} & {clip.file for clip in fold.test}
    assert not {clip.waveform.tobytes() for clip in fold.train} & {clip.waveform.tobytes() for clip in fold.test}
    if protocol in BY_ACTOR:
        assert not list_actors(fold.train) & list_actors(fold.test)


@pytest.mark.parametrize(("protocol", "count"), [("luna", 5), ("emobox", 6), ("loso", 24), ("random", 5)])
def test_no_actor_and_no_clip_is_on_two_sides_and_every_clip_is_scored_once(protocol: str, count: int) -> None:
    folds = add_training_clips(split_clips(CLIPS, protocol), EXTRA)
    assert len(folds) == count
    for fold in folds:
        assert_apart(fold, protocol)
        assert {clip.file for clip in EXTRA} <= {clip.file for clip in fold.train}
        assert list_actors(fold.train) | list_actors(fold.test) == {*ACTORS, 101, 102, 103}
    scored = [clip.file for fold in folds for clip in fold.test]
    assert sorted(scored) == sorted(clip.file for clip in CLIPS if not clip.is_song)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [*BY_ACTOR, "random"])
def test_no_actor_and_no_clip_of_the_real_corpus_is_on_two_sides(protocol: str, shared: Path) -> None:
    for fold in split_clips(make_clips(prepare(load_ravdess(shared / "data/ravdess"))), protocol):
        assert fold.test
        assert_apart(fold, protocol)


@pytest.mark.parametrize("protocol", BY_ACTOR)
def test_validation_actors_are_neither_trained_on_nor_test_actors(protocol: str) -> None:
    pairs = zip(split_clips(CLIPS, protocol), split_clips(CLIPS, protocol, use_validation=True), strict=True)
    for final, validation in pairs:
        assert len(list_actors(validation.test)) == 2
        assert not list_actors(validation.test) & list_actors(final.test)
        assert list_actors(validation.train) == list_actors(final.train) - list_actors(validation.test)


@pytest.mark.parametrize("use_validation", [False, True])
@pytest.mark.parametrize("protocol", ["luna", "emobox", "loso", "random", "random-copies"])
def test_songs_are_never_scored(protocol: str, use_validation: bool) -> None:
    for fold in split_clips(CLIPS, protocol, use_validation):
        assert not any(clip.is_song for clip in fold.test)


def test_one_recording_under_two_names_is_on_one_side_of_the_random_split() -> None:
    names = {"twin", CLIPS[0].file}
    folds = split_clips([*CLIPS, replace(CLIPS[0], file="twin")], "random")
    assert names == set().union(*({clip.file for clip in fold.test} & names for fold in folds))
    for fold in folds:
        assert not names & {clip.file for clip in fold.test} or not names & {clip.file for clip in fold.train}


def test_the_split_over_copies_leaks_and_scores_each_row_once() -> None:
    (fold,) = split_clips(CLIPS, "random-copies")
    train, test = ([clip.file for clip in side] for side in (fold.train, fold.test))
    assert len({*train, *test}) == len(train) + len(test) == 5 * sum(not clip.is_song for clip in CLIPS)
    assert len(test) == (len(train) + len(test)) // 5
    trained = {name.split("~")[0] for name in train}
    assert np.mean([name.split("~")[0] in trained for name in test]) > 0.9


def test_folds_are_selected_by_name() -> None:
    folds = split_clips(CLIPS, "loso")
    assert [fold.name for fold in select_folds(folds, ["02", "01"])] == ["02", "01"]
    with pytest.raises(ValueError, match=r"There is no fold 25\. Choose from 01"):
        select_folds(folds, ["25"])
    with pytest.raises(ValueError, match="at least two actors"):
        select_folds(folds, ["02"])
