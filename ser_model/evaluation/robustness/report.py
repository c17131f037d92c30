"""The rows of the robustness report that need no change of a recording, and its bars.

As in ser-tests, the threshold of a fairness row is the largest difference that an unbiased random rater shows in 1000
simulations, here for these very group sizes. Its differences are smaller than those of a model that is mostly right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.evaluation.metrics import Predictions, measure_ece, measure_selective
from ser_model.labels import Emotion
from ser_model.training.corpora import RavdessName

SIMULATIONS = 1000
PITCH_EDGES_HZ = (145, 190)  # low, middle, high
MAX_ECE, MIN_ACCURACY_AT_70 = 0.05, 0.78
MIN_SMALL_SHARE, MIN_CODEC_UNCHANGED, MAX_WHITE_LOSS = 0.8, 0.90, 0.05

Row = dict[str, Any]
Groups = dict[str, NDArray[np.bool_]]
Ints = NDArray[np.int64]


def check_fairness(predictions: Predictions, pitch_hz: dict[str, float]) -> list[Row]:
    """Compare every group of speakers or clips with all clips; pitch_hz is the mean pitch of each actor."""
    names = [RavdessName.parse(str(file)) for file in predictions.files]
    pitch = np.array([pitch_hz[actor] for actor in predictions.speakers])
    low, high = PITCH_EDGES_HZ
    strong = np.array([name.intensity == "strong" for name in names])
    second = np.array([name.statement == 2 for name in names])  # noqa: PLR2004 - of two sentences
    women = predictions.gender_truth == 1
    splits: dict[str, Groups] = {
        "sex": {"women": women, "men": ~women},
        "pitch": {"low": pitch <= low, "middle": (pitch > low) & (pitch <= high), "high": pitch > high},
        "statement": {"first": ~second, "second": second},
        "intensity": {"normal": ~strong, "strong": strong},
        "actor": {str(actor): predictions.speakers == actor for actor in np.unique(predictions.speakers)},
    }
    return [row for split, groups in splits.items() for row in _compare_groups(predictions, split, groups)]


def check_calibration(predictions: Predictions) -> list[Row]:
    """Measure the calibration error, and the accuracy on the most confident clips."""
    probabilities, truth = predictions.probabilities, predictions.truth
    ece, selective = measure_ece(probabilities, truth), measure_selective(probabilities, truth, 0.7)
    error: Row = {"group": "calibration", "name": "calibration error", "parameters": "15 bins", "ece": ece}
    error |= {"threshold": {"ece": MAX_ECE}, "pass": ece <= MAX_ECE}
    sure: Row = {"group": "calibration", "name": "accuracy when sure", "parameters": "70 % coverage"}
    sure |= {"accuracy": selective, "threshold": {"accuracy": MIN_ACCURACY_AT_70}}
    sure |= {"pass": selective >= MIN_ACCURACY_AT_70}
    return [error, sure]


def check_bars(rows: list[Row]) -> dict[str, Row]:
    """Compare the rows that were run with the bars of the project."""
    bars: dict[str, Row] = {}
    groups = {name: [row for row in rows if row["group"] == name] for name in ("small", "codec", "product")}

    def add(name: str, what: str, value: float, limit: float) -> None:
        holds = value > limit if name == "codec" else value >= limit
        bars[name] = {"what": what, "value": value, "bar": limit, "holds": holds}

    def share(name: str) -> float:
        return float(np.mean([row["pass"] for row in groups[name]]))

    if groups["small"]:
        add("small", "share of the small changes passed", share("small"), MIN_SMALL_SHARE)
    if groups["codec"]:
        least = min(float(row["unchanged"]) for row in groups["codec"])
        add("codec", "least unchanged of the codecs", least, MIN_CODEC_UNCHANGED)
    for row in rows:
        if row["name"] == "white noise 20 dB":
            add("white", "UAR change by white noise at 20 dB", row["uar_change"], -MAX_WHITE_LOSS)
    if groups["product"]:
        add("product", "share of the product cases passed", share("product"), 1.0)
    return bars


def _compare_groups(predictions: Predictions, split: str, groups: Groups) -> list[Row]:
    """Return a row for each group: its UAR against that of all clips."""
    # neutral has normal intensity only
    kept = (split != "intensity") | (predictions.truth != Emotion.NEUTRAL.class_index)
    truth, predicted = predictions.truth[kept], predictions.predicted[kept]
    classes = np.unique(truth)
    random = classes[np.random.default_rng(0).integers(0, classes.size, (SIMULATIONS, truth.size))]
    raters = np.concatenate([predicted[np.newaxis], random])  # (1 + simulation, clip)
    overall = _measure_uars(truth, raters, classes)
    rows = []
    for name, inside in ((name, members[kept]) for name, members in groups.items() if members[kept].any()):
        uars = _measure_uars(truth[inside], raters[:, inside], classes)
        gaps = np.abs(uars - overall)  # (1 + simulation,)
        rows.append(
            {
                "group": "fairness",
                "name": f"{split}: {name}",
                "parameters": f"{int(inside.sum())} of {truth.size} clips",
                "uar": float(uars[0]),
                "differences": {"uar": float(gaps[0])},
                "threshold": {"uar": float(gaps[1:].max())},
                "pass": bool(gaps[0] <= gaps[1:].max()),
            }
        )
    return rows


def _measure_uars(truth: Ints, raters: Ints, classes: Ints) -> NDArray[np.float64]:
    """Return the (rater,) UAR of each of the (rater, clip) predictions."""
    recalls = [(raters[:, truth == label] == label).mean(axis=1) for label in classes if (truth == label).any()]
    return np.asarray(np.sum(recalls, axis=0) / classes.size)
