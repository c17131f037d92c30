"""Making the probabilities mean what they say: temperature and abstention."""

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
    """

    temperature: float = 1.0
    gender_temperature: float = 1.0
    abstain_below: float = 0.0
    intensity_temperature: float = 1.0

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Calibration:
        """Read what config.json keeps; weights made before intensity was reported lack its temperature.

        Raises:
            KeyError: Another one is missing.
        """
        return cls(
            config["temperature"],
            config["gender_temperature"],
            config["abstain_below"],
            config.get("intensity_temperature", 1.0),
        )


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


def fit_abstention(probabilities: Array, share: float) -> float:
    """Return the highest probability under which the least sure share of (clip, class) predictions lies."""
    return float(np.quantile(probabilities.max(axis=1), share))
