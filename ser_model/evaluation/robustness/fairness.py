"""Whether groups of people and clips are heard alike, with thresholds from a random rater, and the calibration.

As in ser-tests, a threshold is the largest difference that a rater without any bias shows in 1000 simulations; here of
these very group sizes. A random rater's differences are smaller than those of a recogniser that is mostly right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.evaluation.metrics import Scored, measure_ece, measure_selective
from ser_model.labels import EMOTIONS, Emotion
from ser_model.training.ravdess import ClipName

SIMULATIONS = 1000
PITCH_EDGES_HZ = (145, 190)  # low, middle, high
MOST_ECE, LEAST_SELECTIVE, ABSTAIN_SHARE = 0.05, 0.78, 0.3
COVERAGES = tuple(round(0.05 * step, 2) for step in range(4, 21))
PUBLISHED = {
    "sex": {"uar": 0.075, "precision": 0.075, "recall": 0.175},
    "pitch": {"uar": 0.075, "precision": 0.1, "recall": 0.225},
}

Groups = dict[str, NDArray[np.bool_]]
Ints = NDArray[np.int64]
Tables = NDArray[np.floating[Any]]  # (..., true, guess) counts


def judge_fairness(scored: Scored, pitch_hz: dict[int, float]) -> list[dict[str, Any]]:
    """Compare every group of a split with all clips.

    Args:
        scored: Every clip, scored by a network that never heard its actor.
        pitch_hz: The mean pitch of each actor.

    Returns:
        One row for each group.
    """
    names = [ClipName.parse(str(file)) for file in scored.files]
    pitch = np.array([pitch_hz[actor] for actor in scored.actors])
    low, high = PITCH_EDGES_HZ
    neutral = np.array([name.emotion == Emotion.NEUTRAL for name in names])
    strong = np.array([name.intensity == "strong" for name in names])
    second = np.array([name.statement == 2 for name in names])  # noqa: PLR2004 - of two sentences
    every = np.ones(scored.truth.size, bool)
    splits: dict[str, tuple[NDArray[np.bool_], Groups]] = {
        "sex": (every, {"women": scored.gender_truth == 1, "men": scored.gender_truth == 0}),
        "pitch": (every, {"low": pitch <= low, "middle": (pitch > low) & (pitch <= high), "high": pitch > high}),
        "statement": (every, {"first": ~second, "second": second}),
        "intensity": (~neutral, {"normal": ~strong, "strong": strong}),  # neutral exists in normal intensity only
        "actor": (every, {f"{actor:02d}": scored.actors == actor for actor in np.unique(scored.actors)}),
    }
    return [row for split, (kept, groups) in splits.items() for row in _compare(scored, split, kept, groups)]


def judge_calibration(scored: Scored) -> list[dict[str, Any]]:
    """Measure the calibration error, and the accuracy of the answers when the least sure are left out."""
    right = scored.guess == scored.truth
    confidence = scored.probabilities.max(axis=1)
    bin_of = np.minimum((confidence * 10).astype(int), 9)
    reliability = [
        {"certainty": float(confidence[bin_of == i].mean()), "right": float(right[bin_of == i].mean())}
        for i in range(10)
        if (bin_of == i).any()
    ]
    curve = [
        {"answered": share, "accuracy": measure_selective(scored.probabilities, scored.truth, 1 - share)}
        for share in COVERAGES
    ]
    ece = measure_ece(scored.probabilities, scored.truth)
    selective = measure_selective(scored.probabilities, scored.truth, ABSTAIN_SHARE)
    chance = 1 / len(EMOTIONS)
    return [
        _make_row("calibration error", "15 bins", {"ece": ece}, {"ece": MOST_ECE}, ece <= MOST_ECE, 0.0)
        | {"reliability": reliability},
        _make_row(
            "accuracy when sure",
            "the least sure 30 % unanswered",
            {"accuracy": selective},
            {"accuracy": LEAST_SELECTIVE},
            selective >= LEAST_SELECTIVE,
            chance,
        )
        | {"coverage": curve},
    ]


def _make_row(
    name: str, parameters: str, measured: dict[str, float], threshold: dict[str, float], passed: bool, random: float
) -> dict[str, Any]:
    key = next(iter(measured))
    row = {"group": "calibration", "name": name, "parameters": parameters, **measured, "threshold": threshold}
    return row | {"pass": bool(passed), "random_rater": {key: random, "pass": key == "ece"}}


def _compare(scored: Scored, split: str, kept: NDArray[np.bool_], groups: Groups) -> list[dict[str, Any]]:
    """Write the rows of one split: UAR, precision and recall of each group against all clips kept."""
    truth, guess = scored.truth[kept], scored.guess[kept]
    classes = np.unique(truth)
    guesses = np.concatenate([guess[np.newaxis], _rate_at_random(truth.size, classes)])  # (1 + simulation, clip)
    measures = MEASURES if split in PUBLISHED else {"uar": _uar}
    whole = _count(truth, guesses, classes)
    rows = []
    for name, members in groups.items():
        inside = members[kept]
        if not inside.any():
            continue
        part = _count(truth[inside], guesses[:, inside], classes)
        gaps = {key: np.abs(measure(part) - measure(whole)) for key, measure in measures.items()}
        largest = {key: gap.reshape(len(guesses), -1).max(axis=1) for key, gap in gaps.items()}  # (1 + simulation,)
        measured = {key: float(values[0]) for key, values in largest.items()}
        limits = {key: float(values[1:].max()) for key, values in largest.items()}
        rows.append(
            {
                "group": "fairness",
                "name": f"{split}: {name}",
                "parameters": f"{int(inside.sum())} of {truth.size} clips",
                "uar": float(_uar(part)[0]),
                "differences": measured,
                "threshold": limits,
                "published_threshold": PUBLISHED.get(split),
                "pass": all(measured[key] <= limits[key] for key in measured),
                "random_rater": {key: float(np.median(values[1:])) for key, values in largest.items()} | {"pass": True},
            }
        )
    return rows


def _rate_at_random(clips: int, classes: Ints) -> Ints:
    return classes[np.random.default_rng(0).integers(0, classes.size, (SIMULATIONS, clips))]


def _count(truth: Ints, guesses: Ints, classes: Ints) -> Tables:
    """Count (rater, true, guess) over the clips."""
    is_true = (truth[:, np.newaxis] == classes).astype(np.float32)  # (clip, true)
    is_guess = [(guesses == label).astype(np.float32) for label in classes]  # guess x (rater, clip)
    return np.stack([chosen @ is_true for chosen in is_guess], axis=2)  # (rater, true, guess)


def _recall(tables: Tables) -> Tables:
    return np.asarray(np.diagonal(tables, axis1=1, axis2=2) / np.maximum(tables.sum(axis=2), 1))


def _precision(tables: Tables) -> Tables:
    return np.asarray(np.diagonal(tables, axis1=1, axis2=2) / np.maximum(tables.sum(axis=1), 1))


def _uar(tables: Tables) -> Tables:
    return np.asarray(_recall(tables).mean(axis=1))


MEASURES: dict[str, Callable[[Tables], Tables]] = {"uar": _uar, "precision": _precision, "recall": _recall}
