"""Making the probabilities mean what they say: a bias for each emotion, temperature and abstention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """What was fitted on clips of actors that the networks never heard, and is stored in the weights' config.json.

    Attributes:
        temperature: Divides the emotion logits before softmax (Guo et al. 2017, section 4.2).
        gender_temperature: The same for the gender logits.
        abstain_below: A highest probability under this is answered with "not sure".
        intensity_temperature: The same as temperature for the intensity logits.
        emotion_bias: Added to the emotion logits before that, one for each emotion (Alexandari et al. 2020, section
            2.2); none when empty.
    """

    temperature: float = 1.0
    gender_temperature: float = 1.0
    abstain_below: float = 0.0
    intensity_temperature: float = 1.0
    emotion_bias: tuple[float, ...] = ()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Calibration:
        """Read what config.json keeps; older weights lack the temperature of the intensity, and the biases.

        Raises:
            KeyError: Another one is missing.
        """
        return cls(
            config["temperature"],
            config["gender_temperature"],
            config["abstain_below"],
            config.get("intensity_temperature", 1.0),
            tuple(config.get("emotion_bias") or ()),
        )

    def level(self, logits: Array) -> Array:
        """Add the biases to (..., emotion) logits, so that no emotion is heard more readily than it should."""
        return logits + np.array(self.emotion_bias) if self.emotion_bias else logits


def softmax(logits: Array, temperature: float | Array = 1.0) -> Array:
    """Turn (..., class) logits into probabilities."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_temperature(logits: Array, labels: NDArray[np.int64]) -> float:
    """Find the temperature with the smallest cross-entropy on (clip, class) logits; at least 0.05."""
    scores, targets = torch.from_numpy(logits).double(), torch.from_numpy(labels)
    log_temperature = torch.zeros(1, dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(scores / log_temperature.exp(), targets)
        loss.backward()
        return loss

    optimiser.step(step)
    return max(float(log_temperature.detach().exp()), 0.05)


def fit_bias(logits: Array, labels: NDArray[np.int64], weights: Array, penalty: float) -> Array:
    """Find what to add to each class's logits so that the classes are heard as readily as their weights ask for.

    Args:
        logits: (clip, class).
        labels: (clip,) class indices.
        weights: (class,) how much a clip of the class counts in the cross-entropy; a class without clips gets no bias.
        penalty: On the mean square of the biases, in logits of temperature 1.

    Returns:
        (class,) in the unit of the logits.
    """
    scores, targets, counts = torch.from_numpy(logits).double(), torch.from_numpy(labels), torch.from_numpy(weights)
    heard = torch.from_numpy(np.bincount(labels, minlength=logits.shape[1]) > 0).double()
    log_sharpness = torch.tensor([-np.log(fit_temperature(logits, labels))], requires_grad=True)
    bias = torch.zeros(logits.shape[1], dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_sharpness, bias], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        levelled = scores * log_sharpness.exp() + bias * heard
        loss = F.cross_entropy(levelled, targets, counts.double()) + penalty * bias.square().mean()
        loss.backward()
        return loss

    optimiser.step(step)
    return np.asarray((bias * heard / log_sharpness.exp()).detach().numpy())


def fit_abstention(probabilities: Array, share: float) -> float:
    """Return the highest probability under which the least sure share of (clip, class) predictions lies."""
    return float(np.quantile(probabilities.max(axis=1), share))
