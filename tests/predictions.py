"""Predictions as the model might make them, for tests that need no model."""

from __future__ import annotations

from typing import Any

from ser_model.labels import EMOTIONS, Gender, Intensity
from ser_model.recognize import Prediction


def make_prediction(
    sure: bool = True, gender: Gender = Gender.FEMALE, accuracy: float | None = None, **named: float
) -> Prediction:
    """Return a prediction with the named probabilities; the others share the rest."""
    rest = (1 - sum(named.values())) / (len(EMOTIONS) - len(named))
    probabilities = {emotion: named.get(emotion, rest) for emotion in EMOTIONS}
    best = max(probabilities, key=lambda emotion: probabilities[emotion])
    notice = "" if sure else "Not sure."
    more: dict[str, Any] = {"speech": (0.2, 1.8), "timeline": (), "notice": notice}
    return Prediction(
        best if sure else None, sure, accuracy, probabilities, gender, 0.93, Intensity.NORMAL, 0.8, **more
    )
