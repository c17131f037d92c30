"""How well strangers are recognized: calibration and figures on corpora that the model did not hear.

A visitor is a stranger in a place of their own, so the shipped calibration is fitted here. The calibration for a corpus
is fitted on the answers to the others, in which every corpus counts alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.isotonic import isotonic_regression

from ser_model.calibration import MAX_TEMPERATURE, MIN_TEMPERATURE, softmax
from ser_model.evaluation.metrics import Floats, Ints, fit_known_temperature, measure_ece
from ser_model.labels import EMOTIONS, Emotion
from ser_model.training.clips import Clip
from ser_model.training.corpora import use_of
from ser_model.training.ensemble import FoldLogits

COVERAGE = 0.35  # of the clips of strangers gets an answer instead of "not sure"
LEVELS = 4  # of confidence of these answers, whose accuracies are measured
ONE_CORPUS = "Predictions are calibrated on other corpora. Give at least two that are left out."

Answers = NDArray[np.bool_]


@dataclass(frozen=True)
class CorpusPredictions:
    """Calibrated predictions by models that heard no other clip of the same corpus. One row for each clip."""

    files: NDArray[np.str_]  # names of the clips
    corpora: NDArray[np.str_]  # names of the corpora
    speakers: NDArray[np.str_]  # who speaks
    truth: Ints  # labeled emotion, class index
    right: Answers  # (clip, emotion) the answers that count as right; see right_answers
    probabilities: Floats  # (clip, emotion)
    sure: NDArray[np.bool_]  # whether the highest probability reaches the abstention threshold
    folds: NDArray[np.str_]  # name of the fold
    seeds: Ints  # seed of the network or number of the ensemble

    def select(self, rows: NDArray[np.bool_]) -> CorpusPredictions:
        """Return some of the clips."""
        return CorpusPredictions(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


def right_answers(clips: Sequence[Clip], num_emotions: int = len(EMOTIONS)) -> Answers:
    """Return which answers are right, (clip, emotion). Neutral and calm are one where a corpus has only one of them."""
    neutral, calm = Emotion.NEUTRAL.class_index, Emotion.CALM.class_index
    labels: dict[str, set[int]] = {}
    for clip in clips:
        labels.setdefault(clip.corpus, set()).add(clip.emotion)
    right = np.eye(num_emotions, dtype=bool)[[clip.emotion for clip in clips]]
    for row, clip in zip(right, clips, strict=True):
        if clip.emotion in (neutral, calm) and not {neutral, calm} <= labels[clip.corpus]:
            row[[neutral, calm]] = True
    return right


def fit_corpora(folds: list[FoldLogits], held_out: str | None = None) -> dict[str, Any]:
    """Fit temperatures and abstention threshold to answers about corpora that were left out of training.

    Args:
        folds: Of protocol corpora, models of one kind.
        held_out: A corpus to leave out, because the result calibrates the predictions for its clips.

    Returns:
        The fields of Calibration, as config.json has them, without a class bias: what one corpus lacks says nothing
        of the next.

    Raises:
        ValueError: No corpus is left.
    """
    parts = _select_reported(folds, held_out)
    clips = [one.fold.test[row] for one, rows in parts for row in rows]
    if not clips:
        raise ValueError(ONE_CORPUS)
    emotion, gender, intensity = (
        np.concatenate([getattr(one.logits, head)[rows] for one, rows in parts])
        for head in ("emotion", "gender", "intensity")
    )
    right = right_answers(clips, emotion.shape[1])
    names, numbers, counts = np.unique([clip.corpus for clip in clips], return_inverse=True, return_counts=True)
    weights = np.asarray(1 / counts[numbers] / names.size)  # every corpus counts alike

    def loss(log_temperature: float) -> float:
        likelihood = (softmax(emotion, float(np.exp(log_temperature))) * right).sum(axis=1)
        return float(-np.average(np.log(np.maximum(likelihood, 1e-12)), weights=weights))

    bounds = (np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE))
    temperature = float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))
    confidence = softmax(emotion, temperature).max(axis=1)
    order = np.argsort(-confidence)
    covered = np.cumsum(weights[order])  # from the most confident clip on
    sure = order[: int((covered >= COVERAGE).argmax()) + 1]
    correct = right[np.arange(len(clips)), emotion.argmax(axis=1)].astype(np.float64)
    levels = np.searchsorted(covered[: sure.size] / covered[sure.size - 1], np.arange(1, LEVELS) / LEVELS)
    parts_of_sure = [part for part in np.split(sure, levels) if part.size]
    measured = [np.average(correct[part], weights=weights[part]) for part in parts_of_sure]
    pairs = {"gender": gender, "intensity": intensity}
    return {
        "class_bias": [],
        "temperature": temperature,
        "abstention_threshold": float(confidence[sure[-1]]),
        "accuracies": [
            (float(confidence[part[-1]]), float(accuracy))
            for part, accuracy in zip(parts_of_sure[::-1], isotonic_regression(measured[::-1]), strict=True)
        ],
    } | {
        f"{name}_temperature": fit_known_temperature(logits, np.array([getattr(clip, name) for clip in clips]))
        for name, logits in pairs.items()
    }


def calibrate_corpora(folds: list[FoldLogits]) -> CorpusPredictions:
    """Calibrate the logits for each corpus with what was fitted on the others.

    Args:
        folds: Of protocol corpora, models of one kind.

    Raises:
        ValueError: There is one corpus only.
    """
    parts = _select_reported(folds)
    clips = [one.fold.test[row] for one, rows in parts for row in rows]
    corpora = np.array([clip.corpus for clip in clips])
    fitted = {corpus: fit_corpora(folds, corpus) for corpus in np.unique(corpora).tolist()}
    temperature, threshold = (
        np.array([fitted[corpus][name] for corpus in corpora.tolist()])
        for name in ("temperature", "abstention_threshold")
    )
    emotion = np.concatenate([one.logits.emotion[rows] for one, rows in parts])
    probabilities = softmax(emotion, temperature[:, None])
    return CorpusPredictions(
        files=np.array([clip.file for clip in clips]),
        corpora=corpora,
        speakers=np.array([clip.speaker for clip in clips]),
        truth=np.array([clip.emotion for clip in clips]),
        right=right_answers(clips, emotion.shape[1]),
        probabilities=probabilities,
        sure=probabilities.max(axis=1) >= threshold,
        folds=np.concatenate([[one.fold.name] * len(rows) for one, rows in parts]),
        seeds=np.concatenate([[one.seed] * len(rows) for one, rows in parts]),
    )


def summarize_corpora(predictions: CorpusPredictions, emotions: Sequence[str] = EMOTIONS) -> dict[str, Any]:
    """Compute what metrics.json of protocol corpora has: figures by corpus, their mean, and the worst.

    The corpora that choose settings (TurEV-DB, EmoSpeech) are neither reported nor calibrated on, because they are
    single words, and commands with doubtful labels. A validation run scores nothing else and reports them.
    """
    by_corpus = {
        str(name): _summarize(predictions.select(predictions.corpora == name), emotions)
        for name in np.unique(predictions.corpora)
    }
    figures = ("uar", "chance", "accuracy", "ece", "sure", "sure_accuracy")
    worst = {"uar": min, "ece": max, "sure": min, "sure_accuracy": min}
    return {
        "corpora": by_corpus,
        "mean": {name: float(np.mean([one[name] for one in by_corpus.values()])) for name in figures},
        "worst": {name: pick(one[name] for one in by_corpus.values()) for name, pick in worst.items()},
        "clips": int(sum(one["clips"] for one in by_corpus.values())),
        "emotions": [str(emotion) for emotion in emotions],
    }


def restrict(probabilities: Floats, right: Answers) -> Floats:
    """Return the (clip, emotion) probabilities of those emotions that a corpus has; neutral and calm may be one.

    Args:
        probabilities: (clip, emotion).
        right: (clip, emotion) from right_answers, for all clips of the corpus.
    """
    labels = np.unique(right, axis=0)  # (label, emotion), each label with the answers that are right
    merged = probabilities @ labels.T  # (clip, label)
    restricted = np.zeros_like(probabilities)
    restricted[:, labels.argmax(axis=1)] = merged / merged.sum(axis=1, keepdims=True)
    return restricted


def _summarize(predictions: CorpusPredictions, emotions: Sequence[str]) -> dict[str, Any]:
    correct = predictions.right[np.arange(predictions.truth.size), predictions.probabilities.argmax(axis=1)]
    own = predictions.right.argmax(axis=1)  # one name for neutral and calm
    chosen = restrict(predictions.probabilities, predictions.right).argmax(axis=1)
    recall = {str(emotions[label]): float((chosen[own == label] == label).mean()) for label in np.unique(own)}
    # measure_ece compares class indices: a right answer gets the label of the answer
    labels = np.where(correct, predictions.probabilities.argmax(axis=1), -1)
    by_speaker = [correct[predictions.speakers == speaker].mean() for speaker in np.unique(predictions.speakers)]
    sure = predictions.sure
    return {
        "clips": int(np.unique(predictions.files).size),
        "speakers": len(by_speaker),
        "chance": 1 / len(recall),
        "uar": float(np.mean(list(recall.values()))),
        "recall": recall,
        "accuracy": float(correct.mean()),
        "accuracy_of_worst_speaker": float(min(by_speaker)),
        "ece": measure_ece(predictions.probabilities, labels),
        "sure": float(sure.mean()),
        "sure_accuracy": float(correct[sure].mean()) if sure.any() else 0.0,
    }


def _select_reported(folds: list[FoldLogits], held_out: str | None = None) -> list[tuple[FoldLogits, Ints]]:
    """Return the rows of the reported corpora but one; those to validate with are reported if nothing else is."""
    scored = {clip.corpus for one in folds for clip in one.fold.test}
    reported = {name for name in scored if use_of(name) != "validate"} or scored
    kept = reported - {held_out}
    return [(one, np.flatnonzero([clip.corpus in kept for clip in one.fold.test])) for one in folds]
