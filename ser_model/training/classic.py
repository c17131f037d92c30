"""The yardstick of the old kind: averaged descriptors of each clip and logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from ser_model.features import describe_voice
from ser_model.training.clips import Clip
from ser_model.training.fit import Scores

Vectors = dict[str, NDArray[np.float64]]  # by file name


def describe_clips(clips: list[Clip]) -> Vectors:
    """Compute the descriptors of every clip, with a progress bar."""
    return {clip.file: describe_voice(clip.speech) for clip in tqdm(clips, desc="Describing", unit="clip")}


class ClassicModel:
    """Three logistic regressions over the same descriptors: emotion, gender and intensity."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._emotion, self._gender, self._intensity = (
            make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)) for _ in range(3)
        )

    def fit(self, clips: list[Clip]) -> ClassicModel:
        """Learn from clips in which every emotion, both genders and both intensities occur."""
        self._emotion.fit(self._gather(clips), [clip.emotion for clip in clips])
        self._gender.fit(self._gather(clips), [clip.gender for clip in clips])
        self._intensity.fit(self._gather(clips), [clip.intensity for clip in clips])
        return self

    def score(self, clips: list[Clip]) -> Scores:
        """Return log-probabilities in place of logits."""
        matrix = self._gather(clips)
        return Scores(*(model.predict_log_proba(matrix) for model in (self._emotion, self._gender, self._intensity)))

    def _gather(self, clips: list[Clip]) -> NDArray[np.float64]:
        return np.stack([self._vectors[clip.file] for clip in clips])  # (clip, descriptor)
