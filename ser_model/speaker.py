"""Speaker enrollment: a few clips of a speaker adapt the prediction to their voice.

Linear discriminant analysis of the network's embeddings with every speaker moved to a common center. The clips of a new
speaker estimate their center, and move the class means toward their own.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ser_model.cnn import REMEDY, WeightsError
from ser_model.labels import EMOTIONS, Emotion

SPACE_NAME = "speaker.safetensors"
DIMENSIONS = 64  # chosen on validation actors, as is the next
SHRINKAGE = 0.3  # of the covariance within classes toward equal variances (Ledoit & Wolf 2004), 0 to 1
MIN_SPREAD = 1e-3  # of the median deviation; an embedding unit with less is ignored

KIND, VERSION = "speaker profile", 1
MAX_EMOTIONS, MAX_DIMENSIONS, MAX_ABS = 64, 1024, 1e6  # of a profile that is accepted
MAX_BYTES = 1024**2  # of its file, which usually has a few kB
DECIMALS = 3

Array = NDArray[np.float64]


class EnrollmentError(ValueError):
    """The speaker cannot be enrolled, or the profile cannot be used. The message says what to do."""


@dataclass(frozen=True)
class SpeakerProfile:
    """What enrollment stores about a speaker: a mean for each emotion, from which no sound can be restored."""

    space: str  # the fingerprint of the SpeakerSpace it belongs to
    means: Mapping[str, tuple[float, ...]]  # (dimension,) mean of the speaker's clips of each emotion, in that space

    def to_json(self) -> dict[str, Any]:
        """Return the document to save."""
        means = {name: [round(value, DECIMALS) for value in mean] for name, mean in self.means.items()}
        return {"kind": KIND, "version": VERSION, "space": self.space, "means": means}

    @classmethod
    def read(cls, path: Path) -> SpeakerProfile:
        """Read a saved profile; may raise an EnrollmentError or OSError."""
        if path.stat().st_size > MAX_BYTES:
            raise EnrollmentError("This is not a saved speaker profile: it is too large.")
        return cls.from_json(path.read_bytes())

    @classmethod
    def from_json(cls, document: object) -> SpeakerProfile:
        """Read the document from to_json, as text or as an object; may raise an EnrollmentError."""
        if isinstance(document, str | bytes):
            try:
                document = json.loads(document)
            except (ValueError, RecursionError) as error:
                raise EnrollmentError("This is not a saved speaker profile: it is not JSON.") from error
        if not isinstance(document, dict) or document.get("kind") != KIND:
            raise EnrollmentError("This is not a saved speaker profile. Give the file that was saved after enrollment.")
        if document.get("version") != VERSION:
            raise EnrollmentError(f"This profile does not have version {VERSION}. Please enroll again.")
        space: Any = document.get("space")
        means: Any = document.get("means")
        complete = isinstance(space, str) and isinstance(means, dict) and 0 < len(means) <= MAX_EMOTIONS
        if not complete or not all(_is_mean(mean) for mean in means.values()):
            raise EnrollmentError("This profile is damaged. Give the file as it was saved, or enroll again.")
        return cls(space, {name: tuple(map(float, mean)) for name, mean in means.items()})


def _is_mean(mean: object) -> bool:
    return (
        isinstance(mean, list)
        and 0 < len(mean) <= MAX_DIMENSIONS
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in mean)
        and all(abs(value) <= MAX_ABS and math.isfinite(value) for value in mean)
    )


@dataclass(frozen=True)
class SpeakerSettings:
    """How much the enrolled clips count; chosen on validation actors, see results/enrollment-validation.json."""

    speaker_ratio: float = 1.0  # variance of clips over that of speakers' centers; the higher, the less few clips count
    emotion_ratio: float = 1.5  # the same for one emotion of one speaker
    scale: float = 0.25  # of the scores that are added to the network's logits
    temperature: float = 1.6  # divides the sum, so that the network's own temperature fits it, too


@dataclass(frozen=True)
class SpeakerSpace:
    """A discriminant space of the network's embeddings, fitted on its training clips and saved beside its weights."""

    emotions: tuple[str, ...]  # in the order of the network's logits
    projection: Array  # (embedding, dimension)
    class_means: Array  # (emotion, dimension) of speakers with a common center
    settings: SpeakerSettings = SpeakerSettings()

    @classmethod
    def fit(
        cls,
        embeddings: Array,
        labels: NDArray[np.int64],
        speakers: NDArray[np.int64],
        emotions: tuple[str, ...],
        dimensions: int = DIMENSIONS,
    ) -> SpeakerSpace:
        """Find the space in which the clips of an emotion lie close together once all speakers have the same center.

        The (clip, embedding) array, the class indices and the speakers are those of the network's training clips.
        """
        spread = embeddings.std(axis=0)
        weight = np.where(spread > MIN_SPREAD * np.median(spread), 1 / np.maximum(spread, 1e-12), 0.0)
        embeddings = embeddings * weight
        center_of = {who: embeddings[speakers == who].mean(axis=0) for who in np.unique(speakers).tolist()}
        center = np.mean(list(center_of.values()), axis=0)
        centered = embeddings.astype(np.float64) - [center_of[who] for who in speakers.tolist()]
        means = np.stack([centered[labels == index].mean(axis=0) for index in range(len(emotions))])
        covariance = np.cov((centered - means[labels]).T)
        equal = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
        whiten = np.linalg.cholesky(np.linalg.inv((1 - SHRINKAGE) * covariance + SHRINKAGE * equal))
        axes = np.linalg.svd(centered @ whiten, full_matrices=False)[2][:dimensions]  # (dimension, embedding)
        projection = whiten @ axes.T
        return cls(emotions, weight[:, None] * projection, (center + means) @ projection)

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the space, by which a profile names it."""
        digest = hashlib.sha256(json.dumps(self.emotions).encode())
        for array in (self.projection, self.class_means):
            digest.update(array.astype(np.float32).tobytes())
        return digest.hexdigest()[:12]

    def enroll(self, embeddings: Mapping[str, Array]) -> SpeakerProfile:
        """Make a profile from (clip, embedding) arrays by emotion."""
        means = {name: tuple((rows @ self.projection).mean(axis=0).tolist()) for name, rows in embeddings.items()}
        return SpeakerProfile(self.fingerprint, means)

    def check_names(self, names: Iterable[str]) -> None:
        """Raise an EnrollmentError unless there are clips and all are named by emotions of this space."""
        given = list(names)
        unknown = [name for name in given if name not in self.emotions]
        if unknown or not given:
            problem = f"There is no emotion {unknown[0]!r}." if unknown else "Enrollment needs a clip."
            raise EnrollmentError(f"{problem} Name the clips by {', '.join(self.emotions)}.")

    def check(self, profile: SpeakerProfile) -> None:
        """Raise an EnrollmentError unless a profile belongs to this space."""
        self.check_names(profile.means)
        sizes = {len(mean) for mean in profile.means.values()}
        if profile.space != self.fingerprint or sizes != {self.class_means.shape[1]}:
            raise EnrollmentError("This profile was made with other weights. Please enroll again.")

    def adapt(self, logits: Array, embeddings: Array, profile: SpeakerProfile) -> Array:
        """Add linear discriminant scores (Fisher 1936) to the (clip, emotion) logits of an enrolled speaker.

        The (clip, embedding) array is that of the same clips.
        """
        self.check(profile)
        rows = [self.emotions.index(name) for name in profile.means]
        own_means, usual_means = np.array(list(profile.means.values())), self.class_means[rows]  # (emotion, dimension)
        offset = (own_means - usual_means).mean(axis=0) * len(rows) / (len(rows) + self.settings.speaker_ratio)
        class_means = self.class_means.copy()
        class_means[rows] += (own_means - offset - usual_means) / (1 + self.settings.emotion_ratio)
        origin = self.class_means.mean(axis=0)
        points, means = embeddings @ self.projection - offset - origin, class_means - origin
        scores = points @ means.T - (means**2).sum(axis=1) / 2  # (clip, emotion)
        return np.asarray((logits + self.settings.scale * scores) / self.settings.temperature)

    def save(self, folder: Path) -> None:
        """Write FOLDER/speaker.safetensors."""
        tensors = {name: getattr(self, name).astype(np.float32) for name in ("projection", "class_means")}
        save_file(tensors, folder / SPACE_NAME, metadata={"emotions": json.dumps(list(self.emotions))})

    @classmethod
    def load(cls, folder: Path) -> SpeakerSpace | None:
        """Read FOLDER/speaker.safetensors; None if there is none; a WeightsError if it is damaged."""
        path = folder / SPACE_NAME
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="numpy") as file:
                emotions = tuple(json.loads(file.metadata()["emotions"]))
                arrays = [file.get_tensor(name).astype(np.float64) for name in ("projection", "class_means")]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{path} is damaged. {REMEDY}") from error
        return cls(emotions, *arrays)


def emotions_from_filenames(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Group clips by the emotion in their names: sad.wav, 2-sad.wav, or RAVDESS names; a single one may be neutral."""
    grouped: dict[str, list[Path]] = {}
    for path in paths:
        ravdess = re.fullmatch(r"\d\d-\d\d-0([1-8])(-\d\d){4}", path.stem)
        words = set(re.split(r"[^a-z]+", path.stem.lower()))
        found = [EMOTIONS[int(ravdess[1]) - 1]] if ravdess else [name for name in EMOTIONS if name in words]
        if len(found) != 1 and len(paths) > 1:
            raise EnrollmentError(f"{path.name} does not name its emotion. Name the clips by it, such as sad.wav.")
        grouped.setdefault(str(found[0] if len(found) == 1 else Emotion.NEUTRAL), []).append(path)
    return grouped
