from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_model.calibrate import Calibration, fit_abstention, fit_bias, fit_temperature, softmax
from ser_model.evaluation.metrics import measure_ece


def draw_scores(rng: np.random.Generator, sharper: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is true at temperature `sharper`."""
    logits = 2 * rng.standard_normal((4000, 8))
    labels = np.array([rng.choice(8, p=row) for row in softmax(logits)])
    return sharper * logits, labels


@pytest.mark.parametrize("sharper", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_hidden_is_found(rng: np.random.Generator, sharper: float) -> None:
    logits, labels = draw_scores(rng, sharper)
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(sharper, rel=0.1)
    assert measure_ece(softmax(logits, temperature), labels) < 0.03


def test_the_bias_that_was_hidden_is_found(rng: np.random.Generator) -> None:
    logits, labels = draw_scores(rng, 2.0)
    hidden = np.array([3.0, -3.0, 0, 0, 1.5, 0, -1.5, 0])
    found = fit_bias(logits - hidden, labels, np.ones(8), penalty=0.0)
    assert found - found.mean() == pytest.approx(hidden - hidden.mean(), abs=0.3)


def test_a_weightier_class_is_heard_more_often(rng: np.random.Generator) -> None:
    logits, labels = draw_scores(rng, 1.0)
    heard = [
        ((logits + fit_bias(logits, labels, weights, penalty=0.3)).argmax(axis=1) == 3).mean()
        for weights in (np.ones(8), np.where(np.arange(8) == 3, 2.0, 1.0))
    ]
    assert heard[1] > 1.2 * heard[0]


def test_a_class_that_was_never_heard_gets_no_bias(rng: np.random.Generator) -> None:
    logits, labels = draw_scores(rng, 1.0)
    kept = labels != 5
    assert fit_bias(logits[kept], labels[kept], np.ones(8), penalty=0.0)[5] == 0


def test_without_biases_logits_stay_as_they_are() -> None:
    logits = np.arange(16.0).reshape(2, 8)
    assert np.array_equal(Calibration().level(logits), logits)
    raised = Calibration(emotion_bias=(1.0, *[0.0] * 7)).level(logits)
    assert np.array_equal(raised - logits, np.eye(8)[[0, 0]])


def test_the_asked_share_stays_unanswered(rng: np.random.Generator) -> None:
    probabilities = softmax(rng.standard_normal((1000, 8)))
    threshold = fit_abstention(probabilities, 0.3)
    assert (probabilities.max(axis=1) < threshold).mean() == pytest.approx(0.3, abs=0.01)


@given(st.lists(st.floats(-1e4, 1e4), min_size=8, max_size=8), st.floats(0.05, 20))
def test_softmax_is_a_distribution_in_the_same_order(logits: list[float], temperature: float) -> None:
    probabilities = softmax(np.array(logits), temperature)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities[np.argmax(logits)] == probabilities.max()
