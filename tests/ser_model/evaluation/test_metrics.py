"""The predictions for an actor are calibrated on the other actors, and what is reported of them is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from made_corpus import make_clip

from ser_model.evaluation.metrics import (
    ABSTAIN_SHARE,
    BiasSettings,
    Predictions,
    bootstrap_uar,
    calibrate_folds,
    fit_calibration,
    measure_ece,
    measure_selective,
    measure_uar,
    summarize,
)
from ser_model.evaluation.report import PROJECT, collect_results
from ser_model.labels import EMOTIONS
from ser_model.training.ensemble import FoldLogits
from ser_model.training.fit import ClipLogits
from ser_model.training.folds import Fold

CLIPS_EACH = 60
MakePredictions = Callable[..., Predictions]


def make_fold(actors: tuple[int, ...], seed: int, sharpness: float = 1.0) -> FoldLogits:
    """The logits of a model that is mostly right, and more confident the higher its sharpness."""
    rng = np.random.default_rng([*actors, seed])
    clips = [
        make_clip(f"{actor}-{number}", number % 8, str(actor), gender=actor % 2, intensity=number % 2)
        for actor in actors
        for number in range(CLIPS_EACH)
    ]

    def make_logits(name: str, classes: int) -> np.ndarray:
        truth = np.eye(classes)[[getattr(clip, name) for clip in clips]]
        return sharpness * (2 * truth + rng.normal(size=truth.shape))

    logits = ClipLogits(make_logits("emotion", 8), make_logits("gender", 2), make_logits("intensity", 2))
    return FoldLogits(Fold(str(seed), [], clips), seed, logits)


def test_an_actors_own_clips_do_not_calibrate_their_predictions() -> None:
    one, other = make_fold((1, 2), seed=0), make_fold((3,), seed=1)
    louder = ClipLogits(9 * other.logits.emotion, 9 * other.logits.gender, 9 * other.logits.intensity)
    changed = replace(other, logits=louder)
    assert fit_calibration([one, other], "3") == fit_calibration([one, changed], "3")
    assert fit_calibration([one, other], "1") != fit_calibration([one, changed], "1")
    first, second = calibrate_folds([one, other]), calibrate_folds([one, changed])
    scored = first.speakers == "3"
    assert not np.allclose(first.probabilities[scored], second.probabilities[scored])


def test_a_folds_own_clips_do_not_calibrate_its_predictions_by_fold() -> None:
    one, other = make_fold((1, 2), seed=0), make_fold((3, 4), seed=1)
    first, second = (calibrate_folds([one, part], by_fold=True) for part in (other, make_fold((3, 4), 1, sharpness=9)))
    for predictions, fitted in ((first, fit_calibration([one])), (second, fit_calibration([one]))):
        confidence = predictions.probabilities[predictions.folds == "1"].max(axis=1)
        assert (predictions.sure[predictions.folds == "1"] == (confidence >= fitted["abstention_threshold"])).all()
    with pytest.raises(ValueError, match="at least two"):
        calibrate_folds([one], by_fold=True)


def test_an_overconfident_model_is_cooled_to_its_accuracy() -> None:
    predictions = calibrate_folds([make_fold((1, 2, 3), 0, sharpness=6.0), make_fold((4, 5, 6), 1, sharpness=6.0)])
    correct = predictions.predicted == predictions.truth
    assert predictions.probabilities.max(axis=1).mean() == pytest.approx(correct.mean(), abs=0.08)
    assert 1 - predictions.sure.mean() == pytest.approx(ABSTAIN_SHARE, abs=0.08)


def test_sad_is_predicted_more_often_the_more_it_weighs() -> None:
    folds = [make_fold((1, 2, 3), seed=0), make_fold((4, 5, 6), seed=1)]
    shares = [(calibrate_folds(folds, BiasSettings(weight)).predicted == 3).mean() for weight in (1.0, 2.0, 4.0)]
    assert shares == sorted(shares)
    assert shares[2] > shares[0]


def test_the_class_bias_is_fitted_as_the_ablation_chose() -> None:
    tried = collect_results(PROJECT / "results")["ablation"]["class_bias"]
    assert tried["chosen"] == asdict(BiasSettings())
    best = max(tried["rows"], key=lambda row: (row["uar"], row["sad_recall"]))
    (chosen,) = (row for row in tried["rows"] if {name: row[name] for name in tried["chosen"]} == tried["chosen"])
    assert chosen["uar"] >= best["uar"] - 0.01
    assert chosen["sad_recall"] >= best["sad_recall"]


def test_one_actor_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="at least two"):
        calibrate_folds([make_fold((1,), seed=0)])


def test_ece_is_the_gap_between_confidence_and_accuracy() -> None:
    confident = np.tile([0.9, 0.1], (100, 1))
    assert measure_ece(confident, np.zeros(100, int)) == pytest.approx(0.1)
    assert measure_ece(confident, np.array([0] * 90 + [1] * 10)) == pytest.approx(0.0)
    assert measure_ece(np.tile([1.0, 0.0], (10, 1)), np.ones(10, int)) == pytest.approx(1.0)


def test_lower_coverage_drops_the_least_confident_clips() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    truth = np.array([0, 0, 1, 1])
    assert measure_selective(probabilities, truth, 0.5) == 1.0
    assert measure_selective(probabilities, truth, 1.0) == 0.5


def test_the_interval_contains_the_uar_and_widens_with_fewer_actors(make_predictions: MakePredictions) -> None:
    predictions = make_predictions(0.6)
    low, high = bootstrap_uar(predictions)
    assert low < measure_uar(predictions.truth, predictions.predicted) < high
    few_low, few_high = bootstrap_uar(predictions.select(predictions.speakers < "07"))
    assert few_high - few_low > high - low


def test_intensity_is_also_measured_without_neutral_which_is_always_normal(make_predictions: MakePredictions) -> None:
    predictions = make_predictions(0.7)
    intensity = summarize(predictions)["intensity"]
    acted = predictions.intensity_truth[predictions.truth != 0]
    assert intensity["accuracy_without_neutral"] == pytest.approx((acted == 0).mean())
    assert intensity["accuracy"] > intensity["accuracy_without_neutral"]


def test_an_emotion_without_clips_has_no_recall_but_may_be_predicted(make_predictions: MakePredictions) -> None:
    predictions = make_predictions(0.7)
    wide = np.hstack([predictions.probabilities, np.where(predictions.truth == 3, 0.9, 0.0)[:, None]])
    metrics = summarize(replace(predictions, probabilities=wide), (*EMOTIONS, "bored"))
    assert list(metrics["recall"]) == list(EMOTIONS)
    assert metrics["recall"]["sad"] == 0
    assert metrics["uar_interval_95"][0] <= metrics["uar"] <= metrics["uar_interval_95"][1]
    assert sum(row[8] for row in metrics["confusion"]) == (predictions.truth == 3).sum()
