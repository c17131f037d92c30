from __future__ import annotations

import numpy as np
import pytest

from ser_model.calibration import Calibration, fit_abstention_threshold, fit_class_bias, fit_temperature, softmax


def draw_logits(rng: np.random.Generator, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are calibrated at temperature `scale`, and their labels."""
    logits = 2 * rng.standard_normal((4000, 8))
    labels = np.array([rng.choice(8, p=row) for row in softmax(logits)])
    return scale * logits, labels


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_right_temperature_is_found(rng: np.random.Generator, scale: float) -> None:
    logits, labels = draw_logits(rng, scale)
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(scale, rel=0.1)
    certainty = softmax(logits, temperature).max(axis=1)
    assert certainty.mean() == pytest.approx((logits.argmax(axis=1) == labels).mean(), abs=0.02)


def test_the_right_class_bias_is_found(rng: np.random.Generator) -> None:
    logits, labels = draw_logits(rng, 2.0)
    bias = np.array([3.0, -3.0, 0, 0, 1.5, 0, -1.5, 0])
    found = fit_class_bias(logits - bias, labels, np.ones(8), penalty=0.0)
    assert found - found.mean() == pytest.approx(bias - bias.mean(), abs=0.3)
    others = labels != 5
    assert fit_class_bias(logits[others], labels[others], np.ones(8), penalty=0.0)[5] == 0  # no clips


def test_a_class_with_more_weight_is_predicted_more_often(rng: np.random.Generator) -> None:
    logits, labels = draw_logits(rng, 1.0)
    plain, weighted = (
        ((logits + fit_class_bias(logits, labels, weights, penalty=0.3)).argmax(axis=1) == 3).mean()
        for weights in (np.ones(8), np.where(np.arange(8) == 3, 2.0, 1.0))
    )
    assert weighted > 1.2 * plain


def test_the_threshold_leaves_the_given_share_below_it(rng: np.random.Generator) -> None:
    probabilities = softmax(rng.standard_normal((1000, 8)))
    threshold = fit_abstention_threshold(probabilities, 0.3)
    assert (probabilities.max(axis=1) < threshold).mean() == pytest.approx(0.3, abs=0.01)


def test_an_enrolled_speaker_has_a_calibration_of_its_own_if_one_was_fitted() -> None:
    config = {"temperature": 2.0, "gender_temperature": 1.0, "abstention_threshold": 0.5, "class_bias": [1.0] * 8}
    plain = Calibration.from_config(config).enrolled()
    assert (plain.temperature, plain.abstention_threshold, plain.class_bias) == (2.0, 0.5, ())
    config |= {"enrolled_temperature": 3.0, "enrolled_abstention_threshold": 0.4}
    fitted = Calibration.from_config(config).enrolled()
    assert (fitted.temperature, fitted.abstention_threshold, fitted.class_bias) == (3.0, 0.4, ())


def test_the_accuracy_of_an_answer_is_that_of_answers_as_sure() -> None:
    calibration = Calibration(accuracies=((0.5, 0.55), (0.8, 0.7)))
    assert [calibration.measured_accuracy(one) for one in (0.4, 0.5, 0.79, 0.9)] == [None, 0.55, 0.55, 0.7]
    assert calibration.enrolled().measured_accuracy(0.9) is None  # it was not measured with profiles
    config = {"temperature": 1, "gender_temperature": 1, "abstention_threshold": 0, "accuracies": [[0.5, 0.6]]}
    assert Calibration.from_config(config).measured_accuracy(0.5) == 0.6
