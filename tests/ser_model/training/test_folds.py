"""Nothing that is scored was trained on: no speaker, no corpus that is left out, no clip, no copy of one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from made_corpus import make_clip

from ser_model.training.clips import RAVDESS, Clip, make_clips, prepare
from ser_model.training.corpora import ACTORS, SOURCES, UNLABELED, load_ravdess, use_of
from ser_model.training.folds import BY_SPEAKER, OTHERS, Fold, group_speakers, select_folds, split_clips

CLIPS = [
    make_clip(f"{actor}-{emotion}-{copy}", emotion, actor, gender=1 - int(actor) % 2, is_song=copy > 2)
    for actor, emotion, copy in product(ACTORS, range(8), range(5))
]
SPEAKERS = {"crema-d": 13, "nemo": 9, "ased": 4, "urdu": 4, "tess": 2, "emospeech": 4, "turev-db": 1, UNLABELED: 20}
FURTHER = [
    make_clip(f"{corpus}/{who}-{emotion}", emotion * (corpus != UNLABELED), f"{corpus}-{who}", corpus, gender=who % 2)
    for corpus, count in (SPEAKERS | {"more.csv": 3}).items()
    for who, emotion in product(range(count), (0, 2, 3, 4))
]  # fmt: skip
EVERY = [*CLIPS, *FURTHER]
TRAINABLE = {"crema-d", "nemo", "more.csv"}
VALIDATION = {"emospeech", "turev-db"}


def speakers_of(clips: list[Clip], corpus: str | None = None) -> set[str]:
    return {clip.speaker for clip in clips if corpus in (None, clip.corpus)}


def corpora_of(clips: list[Clip]) -> set[str]:
    return {clip.corpus for clip in clips}


def assert_apart(fold: Fold, protocol: str) -> None:
    """No file name, no sound and, unless clips are split at random, no speaker is on two sides."""
    assert not {clip.file for clip in fold.train} & {clip.file for clip in fold.test}
    assert not {clip.waveform.tobytes() for clip in fold.train} & {clip.waveform.tobytes() for clip in fold.test}
    if protocol in (*BY_SPEAKER, "corpora"):
        assert not speakers_of(fold.train) & speakers_of(fold.test)


@pytest.mark.parametrize("use_validation", [False, True])
@pytest.mark.parametrize("protocol", [*BY_SPEAKER, "corpora", "random", "random-copies"])
def test_nothing_is_on_two_sides_and_what_may_not_be_trained_on_never_is(protocol: str, use_validation: bool) -> None:
    for fold in split_clips(EVERY, protocol, use_validation):
        if protocol != "random-copies":
            assert_apart(fold, protocol)
        assert {use_of(corpus) for corpus in corpora_of(fold.train)} <= {"train", UNLABELED}
        assert not any(clip.is_song or clip.corpus == UNLABELED for clip in fold.test)


@pytest.mark.parametrize(("protocol", "count"), [("luna", 5), ("emobox", 6), ("loso", 24), ("random", 5)])
def test_every_clip_is_scored_once(protocol: str, count: int) -> None:
    folds = split_clips(EVERY, protocol)
    assert len(folds) == count
    divided = {"crema-d", "nemo"} if protocol in ("luna", "emobox") else set()
    for fold in folds:
        assert corpora_of(fold.test) == {RAVDESS} | divided
        assert corpora_of(fold.train) == {RAVDESS, UNLABELED} | TRAINABLE
        rest = {"more.csv", UNLABELED} | (set() if divided else TRAINABLE)
        assert all(speakers_of(FURTHER, corpus) == speakers_of(fold.train, corpus) for corpus in rest)
    scored = [clip.file for fold in folds for clip in fold.test]
    assert sorted(scored) == sorted(
        clip.file for clip in EVERY if clip.corpus in {RAVDESS} | divided and not clip.is_song
    )


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [*BY_SPEAKER, "random"])
def test_no_actor_and_no_clip_of_the_real_corpus_is_on_two_sides(protocol: str, shared: Path) -> None:
    for fold in split_clips(make_clips(prepare(load_ravdess(shared / "data/ravdess"))), protocol):
        assert fold.test
        assert_apart(fold, protocol)


@pytest.mark.parametrize("protocol", BY_SPEAKER)
def test_validation_speakers_are_neither_trained_on_nor_test_speakers(protocol: str) -> None:
    pairs = zip(split_clips(EVERY, protocol), split_clips(EVERY, protocol, use_validation=True), strict=True)
    for final, validation in pairs:
        own = [clip for clip in validation.test if clip.corpus not in VALIDATION]
        assert len(speakers_of(own, RAVDESS)) == 2
        assert not speakers_of(validation.test) & speakers_of(final.test)
        assert speakers_of(validation.train) == speakers_of(final.train) - speakers_of(validation.test)
        assert corpora_of(validation.test) == VALIDATION | corpora_of(
            final.test
        )  # the corpora to validate with as well


def test_the_groups_of_a_corpus_have_women_and_men_and_stay_the_same() -> None:
    groups = group_speakers(EVERY, 3)
    assert groups == group_speakers(EVERY[::-1], 3)
    assert set(groups) == speakers_of(EVERY, "crema-d") | speakers_of(EVERY, "nemo")
    for corpus, gender, group in product(("crema-d", "nemo"), (0, 1), range(3)):
        own = [clip for clip in FURTHER if clip.corpus == corpus and clip.gender == gender]
        share = len({clip.speaker for clip in own if groups[clip.speaker] == group}) / len(speakers_of(own))
        assert abs(share - 1 / 3) < 1 / 4


def test_each_corpus_is_left_out_in_turn_and_the_last_fold_leaves_out_none() -> None:
    folds = {fold.name: fold for fold in split_clips(EVERY, "corpora")}
    assert list(folds) == ["crema-d", "nemo", OTHERS]
    assert {corpus for corpus in SOURCES if use_of(corpus) == "score"} == {"ased", "urdu", "tess"}
    for name, fold in folds.items():
        scored = {"ased", "urdu", "tess"} if name == OTHERS else {name}
        assert corpora_of(fold.test) == scored
        assert corpora_of(fold.train) == ({RAVDESS, UNLABELED} | TRAINABLE) - {name}
        assert all(speakers_of(fold.test, corpus) == speakers_of(EVERY, corpus) for corpus in scored)
    for fold in split_clips(EVERY, "corpora", use_validation=True):
        assert corpora_of(fold.test) == VALIDATION
        assert [clip.file for clip in fold.train] == [clip.file for clip in folds[fold.name].train]


def test_one_recording_under_two_names_is_on_one_side_of_the_random_split() -> None:
    names = {"twin", CLIPS[0].file}
    folds = split_clips([*CLIPS, replace(CLIPS[0], file="twin")], "random")
    assert names == set().union(*({clip.file for clip in fold.test} & names for fold in folds))
    for fold in folds:
        assert not names & {clip.file for clip in fold.test} or not names & {clip.file for clip in fold.train}


def test_the_split_over_copies_leaks_and_scores_each_row_once() -> None:
    (fold,) = split_clips(EVERY, "random-copies")
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
    with pytest.raises(ValueError, match="at least two"):
        select_folds(folds, ["02"])
