"""What is reported of scored clips: UAR, accuracy, recalls, calibration error, abstention, intervals over actors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, recall_score

from ser_model.labels import EMOTIONS, INTENSITIES, Emotion

ECE_BINS = 15
BOOTSTRAPS = 2000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """Clips scored by networks that never heard them; all arrays have one row a clip.

    Attributes:
        files: RAVDESS names without suffix.
        actors: 1 to 24.
        truth: True emotion, class index.
        probabilities: (clip, emotion), calibrated.
        sure: Whether the answer would be given.
        gender_truth: True gender, class index.
        gender_probabilities: (clip, 2), calibrated.
        intensity_truth: True intensity, class index; neutral is always normal.
        intensity_probabilities: (clip, 2), calibrated.
        folds: Name of the fold.
        seeds: Seed of the network.
    """

    files: NDArray[np.str_]
    actors: Ints
    truth: Ints
    probabilities: Floats
    sure: NDArray[np.bool_]
    gender_truth: Ints
    gender_probabilities: Floats
    intensity_truth: Ints
    intensity_probabilities: Floats
    folds: NDArray[np.str_]
    seeds: Ints

    @property
    def guess(self) -> Ints:
        """The most probable emotion, class index."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def select(self, rows: NDArray[np.bool_]) -> Scored:
        """Return only some clips."""
        return Scored(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    @classmethod
    def join(cls, parts: list[Scored]) -> Scored:
        """Put several together."""
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__}
        )


def measure_uar(truth: Ints, guess: Ints) -> float:
    """Unweighted average recall, the mean of the recalls of the emotions that occur."""
    return float(balanced_accuracy_score(truth, guess))


def measure_ece(probabilities: Floats, truth: Ints, bins: int = ECE_BINS) -> float:
    """Expected calibration error over equally wide bins of the highest probability (Guo et al. 2017, eq. 3)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(right[bin_of == i].sum() - confidence[bin_of == i].sum()) for i in range(bins)]
    return float(sum(gaps) / truth.size)


def measure_selective(probabilities: Floats, truth: Ints, abstain_share: float) -> float:
    """Accuracy of the answers given when the least sure share of the clips is left unanswered."""
    confidence = probabilities.max(axis=1)
    kept = np.argsort(-confidence, kind="stable")[: round(truth.size * (1 - abstain_share))]
    return float((probabilities.argmax(axis=1)[kept] == truth[kept]).mean())


def bootstrap_uar(scored: Scored, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the UAR when the actors are drawn anew, with replacement."""
    rng = np.random.default_rng(seed)
    actors = np.unique(scored.actors)
    tables = np.stack([_count(scored.select(scored.actors == actor)) for actor in actors])  # (actor, true, guess)
    draws = [tables[rng.integers(0, actors.size, actors.size)].sum(axis=0) for _ in range(BOOTSTRAPS)]
    uars = [_recall_each(table)[table.sum(axis=1) > 0].mean() for table in draws]
    low, high = np.quantile(uars, [0.025, 0.975])
    return float(low), float(high)


def summarise(scored: Scored, emotions: Sequence[str] = EMOTIONS) -> dict[str, Any]:
    """Measure everything that metrics.json has; with several seeds, means over them and their deviation.

    Args:
        scored: By networks that never heard the clips.
        emotions: Their names in the order of the probabilities; those that no scored clip has get no recall.
    """
    seeds = [scored.select(scored.seeds == seed) for seed in np.unique(scored.seeds)]
    uars = [measure_uar(one.truth, one.guess) for one in seeds]
    right = scored.guess == scored.truth
    per_actor = _by_actor(scored, right)
    table = _count(scored)
    return {
        "clips": int(seeds[0].truth.size),
        "uar": float(np.mean(uars)),
        "uar_deviation_over_seeds": float(np.std(uars)),
        "uar_by_seed": {str(seed): uar for seed, uar in zip(np.unique(scored.seeds), uars, strict=True)},
        "uar_interval_95": bootstrap_uar(scored),
        "uar_by_fold": {str(fold): _uar_of(scored, fold) for fold in np.unique(scored.folds)},
        "accuracy": float(right.mean()),
        "accuracy_deviation_over_seeds": float(np.std([(one.guess == one.truth).mean() for one in seeds])),
        "emotions": [str(emotion) for emotion in emotions],
        "recall": {
            str(emotion): float(value)
            for emotion, value, count in zip(emotions, _recall_each(table), table.sum(axis=1), strict=True)
            if count
        },
        "confusion": table.astype(int).tolist(),
        "accuracy_by_actor": per_actor,
        "worst_actor": min(per_actor.items(), key=lambda item: item[1]),
        "ece": measure_ece(scored.probabilities, scored.truth),
        "answered": {"share": float(scored.sure.mean()), "accuracy": float(right[scored.sure].mean())},
        "accuracy_when_abstaining_on_30_percent": measure_selective(scored.probabilities, scored.truth, 0.3),
        "gender": _judge_pair(scored, scored.gender_probabilities, scored.gender_truth),
        "intensity": summarise_intensity(scored),
    }


def summarise_intensity(scored: Scored) -> dict[str, Any]:
    """Measure how well normal is told from strong.

    RAVDESS acted neutral in normal intensity only: hearing that a clip is neutral tells its intensity. Of the seven
    other emotions half of the clips are strong, so the figures without neutral, beside a chance of 0.5, are the fair
    ones.
    """
    acted = scored.select(scored.truth != Emotion.NEUTRAL.class_index)
    right = acted.intensity_probabilities.argmax(axis=1) == acted.intensity_truth
    recalls = recall_score(
        acted.intensity_truth,
        acted.intensity_probabilities.argmax(axis=1),
        labels=range(2),
        average=None,
        zero_division=0,
    )
    return _judge_pair(scored, scored.intensity_probabilities, scored.intensity_truth) | {
        "accuracy_without_neutral": float(right.mean()),
        "recall_without_neutral": {str(name): float(value) for name, value in zip(INTENSITIES, recalls, strict=True)},
        "accuracy_by_emotion": {
            str(emotion): float(right[acted.truth == emotion.class_index].mean())
            for emotion in EMOTIONS
            if emotion.class_index in acted.truth
        },
    }


def _judge_pair(scored: Scored, probabilities: Floats, truth: Ints) -> dict[str, Any]:
    """Measure one of the two-way answers over all clips."""
    right = probabilities.argmax(axis=1) == truth
    return {
        "accuracy": float(right.mean()),
        "worst_actor": min(_by_actor(scored, right).items(), key=lambda item: item[1]),
        "ece": measure_ece(probabilities, truth),
    }


def _by_actor(scored: Scored, right: NDArray[np.bool_]) -> dict[str, float]:
    return {f"{actor:02d}": float(right[scored.actors == actor].mean()) for actor in np.unique(scored.actors)}


def _uar_of(scored: Scored, fold: str) -> float:
    rows = scored.select(scored.folds == fold)
    return measure_uar(rows.truth, rows.guess)


def _count(scored: Scored) -> Floats:
    """Return the (true, guess) table of counts."""
    return np.asarray(
        confusion_matrix(scored.truth, scored.guess, labels=range(scored.probabilities.shape[1])), dtype=float
    )


def _recall_each(table: Floats) -> Floats:
    return np.asarray(np.diag(table) / np.maximum(table.sum(axis=1), 1))
