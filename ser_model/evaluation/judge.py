"""From logits to reported answers: each actor's are calibrated on the clips of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.calibrate import fit_abstention, fit_bias, fit_temperature, softmax
from ser_model.evaluation.metrics import Scored
from ser_model.labels import Emotion
from ser_model.training.fit import Scores
from ser_model.training.folds import TOO_FEW, Fold

ABSTAIN_SHARE = 0.3  # of the clips is answered with "not sure"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BiasSettings:
    """How the biases of the emotions are fitted; see fit_bias, and results/bias-choosing.json for other values.

    Attributes:
        sad_weight: How much a sad clip counts beside the others: the emotion that small models overlook first.
        penalty: On the biases.
    """

    sad_weight: float = 2.0
    penalty: float = 0.3


# for labels that mean nothing, where a weight on sad would decide every answer
NO_BIAS = BiasSettings(sad_weight=1.0, penalty=1e9)


@dataclass(frozen=True)
class Outcome:
    """What one model said of its fold's test clips; recalled when an earlier run had asked it."""

    fold: Fold
    seed: int
    scores: Scores
    recalled: bool = False


def calibrate(
    outcomes: list[Outcome], unheard: int | None = None, settings: BiasSettings | None = None
) -> dict[str, Any]:
    """Fit biases, temperatures and the abstention threshold on clips that their models never heard.

    Args:
        outcomes: Of models of one kind.
        unheard: The actor to leave out, because the result will judge his or her clips.
        settings: Of the biases; the chosen ones when left out.

    Returns:
        What config.json keeps.

    Raises:
        ValueError: Nothing is left to calibrate on.
    """
    clips = [clip for outcome in outcomes for clip in outcome.fold.test if clip.actor != unheard]
    if not clips:
        raise ValueError(TOO_FEW)
    kept = [np.array([clip.actor != unheard for clip in outcome.fold.test]) for outcome in outcomes]
    emotion, gender, intensity = (
        np.concatenate([getattr(outcome.scores, head)[rows] for outcome, rows in zip(outcomes, kept, strict=True)])
        for head in ("emotion", "gender", "intensity")
    )
    truth = np.array([clip.emotion for clip in clips])
    settings = settings or BiasSettings()
    weights = weigh_emotions(truth, emotion.shape[1], settings.sad_weight)
    bias = fit_bias(emotion, truth, weights, settings.penalty)
    temperature = fit_temperature(emotion + bias, truth)
    return {
        "emotion_bias": bias.tolist(),
        "temperature": temperature,
        "gender_temperature": fit_temperature(gender, np.array([clip.gender for clip in clips])),
        "intensity_temperature": fit_temperature(intensity, np.array([clip.intensity for clip in clips])),
        "abstain_below": fit_abstention(softmax(emotion + bias, temperature), ABSTAIN_SHARE),
    }


def weigh_emotions(truth: NDArray[np.int64], emotions: int, sad_weight: float) -> Array:
    """Return (emotion,) weights of a clip: every emotion counts alike, as in the UAR, but sad more."""
    counts = np.bincount(truth, minlength=emotions)
    weights = np.where(counts > 0, counts.mean() / np.maximum(counts, 1), 0.0)
    weights[Emotion.SAD.class_index] *= sad_weight
    return weights


def judge(
    outcomes: list[Outcome], settings: BiasSettings | None = None, calibrate_on: list[Outcome] | None = None
) -> Scored:
    """Turn the models' scores into answers.

    Args:
        outcomes: What is judged.
        settings: Of the biases; the chosen ones when left out.
        calibrate_on: What the same models said in another form, to be calibrated on in place of the outcomes.

    Raises:
        ValueError: There is one actor alone.
    """
    actors = sorted({clip.actor for outcome in outcomes for clip in outcome.fold.test})
    calibrations = {actor: calibrate(calibrate_on or outcomes, actor, settings) for actor in actors}
    return Scored.join([_judge(outcome, calibrations) for outcome in outcomes])


def _judge(outcome: Outcome, calibrations: dict[int, dict[str, Any]]) -> Scored:
    clips, scores = outcome.fold.test, outcome.scores
    own = [calibrations[clip.actor] for clip in clips]
    emotion, gender, intensity, threshold = (
        np.array([calibration[name] for calibration in own])
        for name in ("temperature", "gender_temperature", "intensity_temperature", "abstain_below")
    )
    bias = np.array([calibration["emotion_bias"] for calibration in own])  # (clip, emotion)
    probabilities = softmax(scores.emotion + bias, emotion[:, np.newaxis])
    return Scored(
        files=np.array([clip.file for clip in clips]),
        actors=np.array([clip.actor for clip in clips]),
        truth=np.array([clip.emotion for clip in clips]),
        probabilities=probabilities,
        sure=probabilities.max(axis=1) >= threshold,
        gender_truth=np.array([clip.gender for clip in clips]),
        gender_probabilities=softmax(scores.gender, gender[:, np.newaxis]),
        intensity_truth=np.array([clip.intensity for clip in clips]),
        intensity_probabilities=softmax(scores.intensity, intensity[:, np.newaxis]),
        folds=np.full(len(clips), outcome.fold.name),
        seeds=np.full(len(clips), outcome.seed),
    )
