"""Calibrated probabilities: class bias, temperature, and the threshold below which the answer is "not sure"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 100.0


@dataclass(frozen=True)
class Calibration:
    """What was fitted on held-out speakers; stored in config.json beside the weights."""

    temperature: float = 1.0  # divides the emotion logits before softmax (Guo et al. 2017, section 4.2)
    gender_temperature: float = 1.0
    intensity_temperature: float = 1.0
    abstention_threshold: float = 0.0  # if the highest emotion probability is below it, the answer is "not sure"
    class_bias: tuple[float, ...] = ()  # added to the emotion logits first (Alexandari et al. 2020, section 2.2)
    enrolled_temperature: float | None = None  # for an enrolled speaker; None means the same, as in the next
    enrolled_abstention_threshold: float | None = None
    # ascending: answers with at least this confidence, how often they were right on people from other recordings
    accuracies: tuple[tuple[float, float], ...] = ()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Calibration:
        """Read the fields of config.json; a KeyError if a temperature or the abstention threshold is missing."""
        required = {name: config[name] for name in ("temperature", "gender_temperature", "abstention_threshold")}
        given = {field.name: config[field.name] for field in fields(cls) if config.get(field.name) is not None}
        lists = {
            "class_bias": tuple(given.get("class_bias", ())),
            "accuracies": tuple((float(least), float(right)) for least, right in given.get("accuracies", ())),
        }
        return cls(**given | required | lists)

    def enrolled(self) -> Calibration:
        """Return the calibration for an enrolled speaker, whose class means replace the class bias."""
        temperature, threshold = self.enrolled_temperature, self.enrolled_abstention_threshold
        return replace(
            self,
            class_bias=(),
            accuracies=(),
            temperature=self.temperature if temperature is None else temperature,
            abstention_threshold=self.abstention_threshold if threshold is None else threshold,
        )

    def measured_accuracy(self, confidence: float) -> float | None:
        """Return how often answers with such a confidence were right; None if that was not measured."""
        reached = [right for least, right in self.accuracies if confidence >= least]
        return reached[-1] if reached else None


def softmax(logits: Array, temperature: float | Array = 1.0) -> Array:
    """Turn (..., class) logits into probabilities."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_temperature(logits: Array, labels: NDArray[np.int64]) -> float:
    """Find the temperature that minimizes the cross-entropy of (clip, class) logits; at least MIN_TEMPERATURE."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - only training fits

    def loss(log_temperature: float) -> float:
        return _cross_entropy(logits / np.exp(log_temperature), labels)

    bounds = (np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8}).x))


def fit_class_bias(logits: Array, labels: NDArray[np.int64], weights: Array, penalty: float) -> Array:
    """Find the (class,) biases that minimize a weighted, regularized cross-entropy, together with a temperature.

    The penalty is on the mean square of the biases, in logits of temperature 1. A class without clips gets no bias.
    """
    from scipy.optimize import minimize  # noqa: PLC0415

    num_classes = logits.shape[1]
    present = (np.bincount(labels, minlength=num_classes) > 0).astype(np.float64)
    clip_weights = weights[labels] / weights[labels].sum()
    target = np.eye(num_classes)[labels]  # (clip, class)

    def loss(parameters: Array) -> tuple[float, Array]:
        """Return the loss and its gradient for the log of the inverse temperature and the biases."""
        scale, bias = np.exp(parameters[0]), parameters[1:] * present
        scaled = scale * logits
        value = _cross_entropy(scaled + bias, labels, clip_weights) + penalty * np.square(parameters[1:]).mean()
        error = clip_weights[:, None] * (softmax(scaled + bias) - target)  # (clip, class)
        gradient = error.sum(axis=0) * present + 2 * penalty * parameters[1:] / num_classes
        return value, np.array([(error * scaled).sum(), *gradient])

    start = np.array([-np.log(fit_temperature(logits, labels)), *np.zeros(num_classes)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-12, "gtol": 1e-8}).x
    return np.asarray(found[1:] * present / np.exp(found[0]))


def fit_abstention_threshold(probabilities: Array, share: float) -> float:
    """Return the highest probability below which the least sure share of (clip, class) predictions lies."""
    return float(np.quantile(probabilities.max(axis=1), share))


def _cross_entropy(logits: Array, labels: NDArray[np.int64], weights: Array | None = None) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]  # (clip,)
    return float(np.average(losses, weights=weights))
