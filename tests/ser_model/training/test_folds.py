from __future__ import annotations

import numpy as np
import pytest

from ser_model.training.clips import Clip
from ser_model.training.folds import ACTORS, split_clips

CLIPS = [
    Clip(f"{actor}-{emotion}-{song}-{copy}", np.zeros(1, np.float32), (0, 1), emotion, (actor + 1) % 2, 0, actor, song)
    for actor in ACTORS
    for emotion in range(8)
    for song in (False, True)
    for copy in range(2)
]


@pytest.mark.parametrize(("protocol", "count"), [("luna", 5), ("emobox", 6), ("loso", 24)])
def test_no_actor_is_on_two_sides_and_every_clip_is_scored_once(protocol: str, count: int) -> None:
    folds = split_clips(CLIPS, protocol)
    assert len(folds) == count
    for fold in folds:
        sides = [{clip.actor for clip in side} for side in (fold.train, fold.validation, fold.test)]
        assert not sides[0] & sides[1]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
        assert len(sides[1]) == 2
        assert set.union(*sides) == set(ACTORS)
    scored = [clip.file for fold in folds for clip in fold.test]
    assert sorted(scored) == sorted(clip.file for clip in CLIPS if not clip.is_song)


@pytest.mark.parametrize("protocol", ["luna", "emobox", "loso", "random", "random-copies"])
def test_songs_are_never_scored(protocol: str) -> None:
    for fold in split_clips(CLIPS, protocol):
        assert not any(clip.is_song for clip in fold.validation + fold.test)


def test_the_random_split_shares_actors_but_no_clip() -> None:
    folds = split_clips(CLIPS, "random")
    assert len({clip.file for fold in folds for clip in fold.test}) == sum(not clip.is_song for clip in CLIPS)
    for fold in folds:
        sides = [{clip.file for clip in side} for side in (fold.train, fold.validation, fold.test)]
        assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
        assert {clip.actor for clip in fold.train} & {clip.actor for clip in fold.test}


def test_the_split_over_copies_leaks_and_scores_each_row_once() -> None:
    (fold,) = split_clips(CLIPS, "random-copies")
    sides = [[clip.file for clip in side] for side in (fold.train, fold.validation, fold.test)]
    rows = [name for side in sides for name in side]
    assert len(set(rows)) == len(rows) == 5 * sum(not clip.is_song for clip in CLIPS)
    assert len(sides[2]) == len(rows) // 5
    heard = {name.split("~")[0] for name in sides[0]}
    assert np.mean([name.split("~")[0] in heard for name in sides[2]]) > 0.9


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(ValueError, match="Choose one of luna"):
        split_clips(CLIPS, "holdout")
