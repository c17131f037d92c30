from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from ser_model.training.clips import Clip
from ser_model.training.folds import ACTORS, split_clips

CLIPS = [
    Clip(
        file=f"{actor}-{emotion}-{song}-{copy}",
        waveform=np.full(1, number, np.float32),
        span=(0, 1),
        emotion=emotion,
        gender=(actor + 1) % 2,
        intensity=0,
        actor=actor,
        is_song=song,
    )
    for number, (actor, emotion, song, copy) in enumerate(product(ACTORS, range(8), (False, True), range(2)))
]


def list_actors(clips: list[Clip]) -> set[int]:
    return {clip.actor for clip in clips}


@pytest.mark.parametrize(("protocol", "count"), [("luna", 5), ("emobox", 6), ("loso", 24)])
def test_no_actor_is_on_two_sides_and_every_clip_is_scored_once(protocol: str, count: int) -> None:
    folds = split_clips(CLIPS, protocol)
    assert len(folds) == count
    for fold in folds:
        assert not list_actors(fold.train) & list_actors(fold.test)
        assert list_actors(fold.train) | list_actors(fold.test) == set(ACTORS)
    scored = [clip.file for fold in folds for clip in fold.test]
    assert sorted(scored) == sorted(clip.file for clip in CLIPS if not clip.is_song)


@pytest.mark.parametrize("protocol", ["luna", "emobox", "loso"])
def test_who_chooses_is_neither_trained_on_nor_a_test_actor(protocol: str) -> None:
    for reporting, choosing in zip(split_clips(CLIPS, protocol), split_clips(CLIPS, protocol, True), strict=True):
        assert len(list_actors(choosing.test)) == 2
        assert not list_actors(choosing.test) & list_actors(reporting.test)
        assert list_actors(choosing.train) == list_actors(reporting.train) - list_actors(choosing.test)


def test_the_random_split_chooses_on_clips_that_it_does_not_report() -> None:
    for reporting, choosing in zip(split_clips(CLIPS, "random"), split_clips(CLIPS, "random", True), strict=True):
        parts = [{clip.file for clip in part} for part in (reporting.test, choosing.test, choosing.train)]
        assert len(set.union(*parts)) == sum(map(len, parts))
        assert parts[1] | parts[2] == {clip.file for clip in reporting.train}


@pytest.mark.parametrize("choosing", [False, True])
@pytest.mark.parametrize("protocol", ["luna", "emobox", "loso", "random", "random-copies"])
def test_songs_are_never_scored(protocol: str, choosing: bool) -> None:
    for fold in split_clips(CLIPS, protocol, choosing):
        assert not any(clip.is_song for clip in fold.test)


def test_the_random_split_shares_actors_but_no_clip() -> None:
    folds = split_clips(CLIPS, "random")
    assert len({clip.file for fold in folds for clip in fold.test}) == sum(not clip.is_song for clip in CLIPS)
    for fold in folds:
        assert not {clip.file for clip in fold.train} & {clip.file for clip in fold.test}
        assert list_actors(fold.train) & list_actors(fold.test)


def test_one_recording_under_two_names_is_on_one_side_of_the_random_split() -> None:
    twin = replace(CLIPS[0], file="twin")
    folds = split_clips([*CLIPS, twin], "random")
    scored = [(fold, {clip.file for clip in fold.test} & {"twin", CLIPS[0].file}) for fold in folds]
    assert {"twin", CLIPS[0].file} == set().union(*(names for _, names in scored))
    for fold, names in scored:
        assert not names or not {"twin", CLIPS[0].file} & {clip.file for clip in fold.train}


def test_the_split_over_copies_leaks_and_scores_each_row_once() -> None:
    (fold,) = split_clips(CLIPS, "random-copies")
    sides = [[clip.file for clip in side] for side in (fold.train, fold.test)]
    rows = [name for side in sides for name in side]
    assert len(set(rows)) == len(rows) == 5 * sum(not clip.is_song for clip in CLIPS)
    assert len(sides[1]) == len(rows) // 5
    heard = {name.split("~")[0] for name in sides[0]}
    assert np.mean([name.split("~")[0] in heard for name in sides[1]]) > 0.9


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(ValueError, match="Choose one of luna"):
        split_clips(CLIPS, "holdout")
