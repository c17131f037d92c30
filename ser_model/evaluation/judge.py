"""From logits to reported answers: a model is calibrated on its validation clips, then judged on its test clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ser_model.calibrate import fit_abstention, fit_temperature, softmax
from ser_model.evaluation.metrics import Scored
from ser_model.labels import Emotion
from ser_model.training.fit import Scores
from ser_model.training.folds import Fold

ABSTAIN_SHARE = 0.3  # of the validation clips is answered with "not sure"


@dataclass(frozen=True)
class Outcome:
    """What one model said of its fold's validation and test clips; recalled when an earlier run had asked it."""

    fold: Fold
    seed: int
    validation: Scores
    test: Scores
    recalled: bool = False


def calibrate(outcomes: list[Outcome], unheard: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Fit temperatures, the abstention threshold and the usual logits on the validation clips of one or more models.

    Args:
        outcomes: Of models of one kind.
        unheard: Names of clips to leave out, because the result will judge them.

    Returns:
        What config.json keeps; usual_logits are those of neutral clips.
    """
    kept = [[clip.file not in unheard for clip in outcome.fold.validation] for outcome in outcomes]
    clips = [clip for outcome in outcomes for clip in outcome.fold.validation if clip.file not in unheard]
    emotion = np.concatenate([o.validation.emotion[rows] for o, rows in zip(outcomes, kept, strict=True)])
    gender = np.concatenate([o.validation.gender[rows] for o, rows in zip(outcomes, kept, strict=True)])
    intensity = np.concatenate([o.validation.intensity[rows] for o, rows in zip(outcomes, kept, strict=True)])
    truth = np.array([clip.emotion for clip in clips])
    temperature = fit_temperature(emotion, truth)
    return {
        "temperature": temperature,
        "gender_temperature": fit_temperature(gender, np.array([clip.gender for clip in clips])),
        "intensity_temperature": fit_temperature(intensity, np.array([clip.intensity for clip in clips])),
        "abstain_below": fit_abstention(softmax(emotion, temperature), ABSTAIN_SHARE),
        "usual_logits": emotion[truth == Emotion.NEUTRAL.class_index].mean(axis=0).tolist(),
    }


def judge(outcomes: list[Outcome]) -> Scored:
    """Turn the models' test scores into answers, each calibrated on validation clips that it is not tested on.

    Two validation actors are too few for a threshold; of the other folds' validation actors those that a fold tests are
    left out, so that no clip takes part in its own calibration.
    """
    return Scored.join([_judge(outcome, outcomes) for outcome in outcomes])


def _judge(outcome: Outcome, outcomes: list[Outcome]) -> Scored:
    clips = outcome.fold.test
    calibration = calibrate(outcomes, frozenset(clip.file for clip in clips))
    probabilities = softmax(outcome.test.emotion, calibration["temperature"])
    return Scored(
        files=np.array([clip.file for clip in clips]),
        actors=np.array([clip.actor for clip in clips]),
        truth=np.array([clip.emotion for clip in clips]),
        probabilities=probabilities,
        sure=probabilities.max(axis=1) >= calibration["abstain_below"],
        gender_truth=np.array([clip.gender for clip in clips]),
        gender_probabilities=softmax(outcome.test.gender, calibration["gender_temperature"]),
        intensity_truth=np.array([clip.intensity for clip in clips]),
        intensity_probabilities=softmax(outcome.test.intensity, calibration["intensity_temperature"]),
        folds=np.full(len(clips), outcome.fold.name),
        seeds=np.full(len(clips), outcome.seed),
    )
