"""An actor's answers are calibrated on the other actors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_model.evaluation.judge import ABSTAIN_SHARE, BiasSettings, Outcome, calibrate, judge
from ser_model.training.clips import Clip
from ser_model.training.fit import Scores
from ser_model.training.folds import Fold

CLIPS_EACH = 60


def make_outcome(actors: tuple[int, ...], seed: int, sharpness: float = 1.0) -> Outcome:
    """A model that is mostly right of clips of these actors, and surer of itself the higher its sharpness."""
    rng = np.random.default_rng([*actors, seed])
    clips = [
        Clip(f"{actor}-{number}", np.zeros(1, np.float32), (0, 1), number % 8, actor % 2, number % 2, actor, False)
        for actor in actors
        for number in range(CLIPS_EACH)
    ]

    def score(name: str, classes: int) -> np.ndarray:
        right = np.eye(classes)[[getattr(clip, name) for clip in clips]]
        return sharpness * (2 * right + rng.normal(size=right.shape))

    scores = Scores(score("emotion", 8), score("gender", 2), score("intensity", 2))
    return Outcome(Fold(str(seed), [], clips), seed, scores)


def test_an_actors_own_clips_do_not_calibrate_his_answers() -> None:
    honest, boastful = make_outcome((1, 2), seed=0), make_outcome((3,), seed=1)
    loud = Scores(9 * boastful.scores.emotion, 9 * boastful.scores.gender, 9 * boastful.scores.intensity)
    louder = replace(boastful, scores=loud)
    assert calibrate([honest, boastful], unheard=3) == calibrate([honest, louder], unheard=3)
    assert calibrate([honest, boastful], unheard=1) != calibrate([honest, louder], unheard=1)


def test_a_boastful_model_is_cooled_to_how_often_it_is_right() -> None:
    scored = judge([make_outcome((1, 2, 3), seed=0, sharpness=6.0), make_outcome((4, 5, 6), seed=1, sharpness=6.0)])
    right = scored.probabilities.argmax(axis=1) == scored.truth
    assert scored.probabilities.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.08)


def test_about_the_share_that_may_be_left_unanswered_is() -> None:
    scored = judge([make_outcome((1, 2, 3), seed=0), make_outcome((4, 5, 6), seed=1)])
    assert 1 - scored.sure.mean() == pytest.approx(ABSTAIN_SHARE, abs=0.08)


def test_every_clip_is_answered_once_for_each_model() -> None:
    outcomes = [make_outcome((1, 2), seed=0), make_outcome((3, 4), seed=1)]
    scored = judge(outcomes)
    assert list(scored.files) == [clip.file for outcome in outcomes for clip in outcome.fold.test]
    assert scored.probabilities.sum(axis=1) == pytest.approx(np.ones(len(scored.files)))


def test_sad_is_heard_more_often_the_more_it_counts() -> None:
    outcomes = [make_outcome((1, 2, 3), seed=0), make_outcome((4, 5, 6), seed=1)]
    shares = [
        (judge(outcomes, BiasSettings(sad_weight=weight)).probabilities.argmax(axis=1) == 3).mean()
        for weight in (1.0, 2.0, 4.0)
    ]
    assert shares == sorted(shares)
    assert shares[2] > shares[0]


def test_one_actor_alone_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="two actors at least"):
        judge([make_outcome((1,), seed=0)])
