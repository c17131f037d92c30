from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_model.calibrate import fit_abstention, fit_temperature, softmax
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


def test_the_asked_share_stays_unanswered(rng: np.random.Generator) -> None:
    probabilities = softmax(rng.standard_normal((1000, 8)))
    threshold = fit_abstention(probabilities, 0.3)
    assert (probabilities.max(axis=1) < threshold).mean() == pytest.approx(0.3, abs=0.01)


@given(st.lists(st.floats(-1e4, 1e4), min_size=8, max_size=8), st.floats(0.05, 20))
def test_softmax_is_a_distribution_in_the_same_order(logits: list[float], temperature: float) -> None:
    probabilities = softmax(np.array(logits), temperature)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities[np.argmax(logits)] == probabilities.max()
