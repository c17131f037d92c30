"""From the logits of the folds to calibrated predictions, and what is reported of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, recall_score

from ser_model.calibration import fit_abstention_threshold, fit_class_bias, fit_temperature, softmax
from ser_model.labels import EMOTIONS, UNKNOWN, Emotion
from ser_model.training.clips import Clip
from ser_model.training.ensemble import HEADS, FoldLogits
from ser_model.training.folds import ONE_SPEAKER

ABSTAIN_SHARE = 0.3  # of the clips gets the answer "not sure"
ECE_BINS = 15
BOOTSTRAPS = 2000
SPEAKER = attrgetter("speaker")  # of a clip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BiasSettings:
    """How the class bias is fitted; results/ablation.json has what other values give."""

    sad_weight: float = 2.0  # weight of a sad clip; small models miss sad first. Clips of other emotions have 1.
    penalty: float = 0.3  # on the squared bias


NO_BIAS = BiasSettings(sad_weight=1.0, penalty=1e9)  # for shuffled labels, where a weight would decide every answer


@dataclass(frozen=True)
class Predictions:
    """Calibrated predictions by models that were not trained on the clips. All arrays have one row for each clip."""

    files: NDArray[np.str_]  # names of the clips
    speakers: NDArray[np.str_]  # who speaks; 01 to 24 in RAVDESS
    truth: Ints  # acted emotion, class index
    probabilities: Floats  # (clip, emotion)
    sure: NDArray[np.bool_]  # whether the highest probability reaches the abstention threshold
    gender_truth: Ints  # class index
    gender_probabilities: Floats  # (clip, 2)
    intensity_truth: Ints  # class index; neutral is always normal
    intensity_probabilities: Floats  # (clip, 2)
    folds: NDArray[np.str_]  # name of the fold
    seeds: Ints  # seed of the network or number of the ensemble

    @property
    def predicted(self) -> Ints:
        """The most probable emotion, class index."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def select(self, rows: NDArray[np.bool_]) -> Predictions:
        """Return some of the clips."""
        return Predictions(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


def fit_calibration(
    folds: list[FoldLogits],
    held_out: str | None = None,
    settings: BiasSettings | None = None,
    group: Callable[[Clip], str] = SPEAKER,
) -> dict[str, Any]:
    """Fit class bias, temperatures and abstention threshold to the test clips of the folds.

    Args:
        folds: Of models of one kind.
        held_out: A group of clips to leave out, because the result calibrates the predictions for them.
        settings: Of the class bias.
        group: Names the group of a clip, by default its speaker.

    Returns:
        The fields of Calibration, as config.json has them.

    Raises:
        ValueError: No clips are left.
    """
    settings = settings or BiasSettings()
    kept = [np.array([group(clip) != held_out for clip in one.fold.test]) for one in folds]
    clips = [clip for one in folds for clip in one.fold.test if group(clip) != held_out]
    if not clips:
        raise ValueError(ONE_SPEAKER)
    emotion, gender, intensity = (
        np.concatenate([getattr(one.logits, head)[rows] for one, rows in zip(folds, kept, strict=True)])
        for head in HEADS
    )
    truth, genders, intensities = (np.array([getattr(clip, label) for clip in clips]) for label in HEADS)
    counts = np.bincount(truth, minlength=emotion.shape[1])
    weights = np.where(counts > 0, counts.mean() / np.maximum(counts, 1), 0.0)  # every class counts alike, as in UAR
    weights[Emotion.SAD.class_index] *= settings.sad_weight
    bias = fit_class_bias(emotion, truth, weights, settings.penalty)
    temperature = fit_temperature(emotion + bias, truth)
    return {
        "class_bias": bias.tolist(),
        "temperature": temperature,
        "gender_temperature": fit_known_temperature(gender, genders),
        "intensity_temperature": fit_known_temperature(intensity, intensities),
        "abstention_threshold": fit_abstention_threshold(softmax(emotion + bias, temperature), ABSTAIN_SHARE),
    }


def fit_known_temperature(logits: Floats, labels: Ints) -> float:
    """Fit a temperature to the (clip, class) logits of the clips whose label is known; 1 if there are none."""
    known = labels != UNKNOWN
    return fit_temperature(logits[known], labels[known]) if known.any() else 1.0


def calibrate_folds(
    folds: list[FoldLogits], settings: BiasSettings | None = None, *, by_fold: bool = False
) -> Predictions:
    """Calibrate the logits for each speaker's clips with what was fitted to the clips of the others.

    Args:
        folds: Of models of one kind.
        settings: Of the class bias.
        by_fold: Fit once for each fold, to the clips of the other folds, which is faster if there are many speakers.

    Raises:
        ValueError: There is one speaker, or one fold, only.
    """
    clips = [clip for one in folds for clip in one.fold.test]
    fold_of = {clip.file: one.fold.name for one in folds for clip in one.fold.test}
    group = (lambda clip: fold_of[clip.file]) if by_fold else SPEAKER
    groups = [group(clip) for clip in clips]
    fitted = {name: fit_calibration(folds, name, settings, group) for name in sorted(set(groups))}

    def own(name: str) -> Floats:
        return np.array([np.atleast_1d(fitted[one][name]) for one in groups])  # (clip, 1 or emotion)

    emotion, gender, intensity = (np.concatenate([getattr(one.logits, head) for one in folds]) for head in HEADS)
    truth, genders, intensities = (np.array([getattr(clip, label) for clip in clips]) for label in HEADS)
    probabilities = softmax(emotion + own("class_bias"), own("temperature"))
    return Predictions(
        files=np.array([clip.file for clip in clips]),
        speakers=np.array([clip.speaker for clip in clips]),
        truth=truth,
        probabilities=probabilities,
        sure=probabilities.max(axis=1) >= own("abstention_threshold")[:, 0],
        gender_truth=genders,
        gender_probabilities=softmax(gender, own("gender_temperature")),
        intensity_truth=intensities,
        intensity_probabilities=softmax(intensity, own("intensity_temperature")),
        folds=np.concatenate([[one.fold.name] * len(one.fold.test) for one in folds]),
        seeds=np.concatenate([[one.seed] * len(one.fold.test) for one in folds]),
    )


def measure_uar(truth: Ints, predicted: Ints) -> float:
    """Unweighted average recall: the mean of the recalls of the emotions that occur."""
    return float(recall_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def measure_ece(probabilities: Floats, truth: Ints, bins: int = ECE_BINS) -> float:
    """Expected calibration error over equally wide bins of the highest probability (Guo et al. 2017, eq. 3)."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(correct[bin_of == i].sum() - confidence[bin_of == i].sum()) for i in range(bins)]
    return float(sum(gaps) / truth.size)


def measure_selective(probabilities: Floats, truth: Ints, coverage: float) -> float:
    """Accuracy on the most confident clips, up to this share of them."""
    confidence = probabilities.max(axis=1)
    kept = np.argsort(-confidence, kind="stable")[: round(truth.size * coverage)]
    return float((probabilities.argmax(axis=1)[kept] == truth[kept]).mean())


def bootstrap_uar(predictions: Predictions, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the UAR over actors that are drawn with replacement."""
    rng = np.random.default_rng(seed)
    actors = np.unique(predictions.speakers)
    tables = np.stack([_confusion(predictions.select(predictions.speakers == actor)) for actor in actors])
    draws = [tables[rng.integers(0, actors.size, actors.size)].sum(axis=0) for _ in range(BOOTSTRAPS)]
    low, high = np.quantile([_recalls(table)[table.sum(axis=1) > 0].mean() for table in draws], [0.025, 0.975])
    return float(low), float(high)


def summarize(predictions: Predictions, emotions: Sequence[str] = EMOTIONS) -> dict[str, Any]:
    """Compute what metrics.json has; with several seeds, means over them and their standard deviation.

    Args:
        predictions: By models that were not trained on the clips.
        emotions: Names in the order of the probabilities; an emotion without clips gets no recall.
    """
    seeds = {str(seed): predictions.select(predictions.seeds == seed) for seed in np.unique(predictions.seeds)}
    uars = [measure_uar(one.truth, one.predicted) for one in seeds.values()]
    correct = predictions.predicted == predictions.truth
    by_actor = _by_actor(predictions, correct)
    # RAVDESS has neutral in normal intensity only, so neutral gives its intensity away: without it, chance is 0.5
    acted = predictions.select(predictions.truth != Emotion.NEUTRAL.class_index)
    strong_or_not = acted.intensity_probabilities.argmax(axis=1) == acted.intensity_truth
    table = _confusion(predictions)
    recalls = zip(emotions, _recalls(table), table.sum(axis=1), strict=True)
    return {
        "clips": int(predictions.truth.size / len(seeds)),
        "uar": float(np.mean(uars)),
        "uar_std_over_seeds": float(np.std(uars)),
        "uar_interval_95": bootstrap_uar(predictions),
        "accuracy": float(correct.mean()),
        "accuracy_std_over_seeds": float(np.std([(one.predicted == one.truth).mean() for one in seeds.values()])),
        "emotions": [str(emotion) for emotion in emotions],
        "recall": {str(emotion): float(value) for emotion, value, count in recalls if count},
        "confusion": table.astype(int).tolist(),
        "accuracy_by_actor": by_actor,
        "worst_actor": min(by_actor.items(), key=lambda item: item[1]),
        "ece": measure_ece(predictions.probabilities, predictions.truth),
        "sure": {"coverage": float(predictions.sure.mean()), "accuracy": float(correct[predictions.sure].mean())},
        "accuracy_at_70_percent_coverage": measure_selective(predictions.probabilities, predictions.truth, 0.7),
        "gender": _summarize_pair(predictions, predictions.gender_probabilities, predictions.gender_truth),
        "intensity": _summarize_pair(predictions, predictions.intensity_probabilities, predictions.intensity_truth)
        | {"accuracy_without_neutral": float(strong_or_not.mean())},
    }


def _summarize_pair(predictions: Predictions, probabilities: Floats, truth: Ints) -> dict[str, Any]:
    """Measure a two-way prediction over all clips whose label is known; nothing if there are none."""
    known = truth != UNKNOWN
    if not known.any():
        return {}
    correct = probabilities.argmax(axis=1)[known] == truth[known]
    return {
        "accuracy": float(correct.mean()),
        "worst_actor": min(_by_actor(predictions.select(known), correct).items(), key=lambda item: item[1]),
        "ece": measure_ece(probabilities[known], truth[known]),
    }


def _by_actor(predictions: Predictions, correct: NDArray[np.bool_]) -> dict[str, float]:
    actors = predictions.speakers
    return {str(actor): float(correct[actors == actor].mean()) for actor in np.unique(actors)}


def _confusion(predictions: Predictions) -> Floats:
    """Return the (true, predicted) counts."""
    classes = range(predictions.probabilities.shape[1])
    return np.asarray(confusion_matrix(predictions.truth, predictions.predicted, labels=classes), dtype=float)


def _recalls(table: Floats) -> Floats:
    return np.asarray(np.diag(table) / np.maximum(table.sum(axis=1), 1))
