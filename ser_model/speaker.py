"""Teach it your voice: where a speaker's own clips lie tells how their other clips are to be heard.

Linear discriminant analysis on the network's embedding, of speakers moved to a common centre. One clip or more of a new
speaker place their centre, and move the usual places of the emotions towards the speaker's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ser_model.cnn import WeightsError
from ser_model.files import REMEDY, read_checked
from ser_model.voice import LearnedVoice, VoiceError

Array = NDArray[np.float64]

SPACE_NAME = "speaker.safetensors"
DIMENSIONS, SHRINKAGE = 64, 0.3  # of the space; chosen on validation actors
MAKE = "python train.py --data DIR --protocol all --calibration results/luna/metrics.json"
STILL = 1e-3  # share of the median deviation under which a number says nothing


@dataclass(frozen=True)
class SpeakerSettings:
    """How much a voice's own clips count, chosen on validation actors: results/baseline-choosing.json.

    Attributes:
        speaker_ratio: Variance of a clip over that of speakers' centres; if it is high, few clips say little of it.
        emotion_ratio: The same for the place of one emotion of one speaker.
        scale: Of the scores that are added to the network's own logits.
        softness: What the sum is divided by, so that the network's own temperature fits it too.
    """

    speaker_ratio: float = 1.0
    emotion_ratio: float = 1.5
    scale: float = 0.25
    softness: float = 1.6


@dataclass(frozen=True)
class SpeakerSpace:
    """Where clips of many speakers lie, moved to a common centre; made by fit and kept beside the weights.

    Attributes:
        emotions: Names, in the order of the network's logits.
        project: (embedding, dimension) the way into the space.
        places: (emotion, dimension) where the emotions usually lie.
        settings: How much a voice's own clips count.
    """

    emotions: tuple[str, ...]
    project: Array
    places: Array
    settings: SpeakerSettings = SpeakerSettings()

    @classmethod
    def fit(
        cls,
        embeddings: Array,
        labels: NDArray[np.int64],
        speakers: NDArray[np.int64],
        emotions: tuple[str, ...],
        dimensions: int = DIMENSIONS,
        shrinkage: float = SHRINKAGE,
    ) -> SpeakerSpace:
        """Find the space in which clips of one emotion lie close together once every speaker is moved to one centre.

        Args:
            embeddings: (clip, embedding) of the clips that the network was trained on.
            labels: (clip,) emotion of each, class index.
            speakers: (clip,) who speaks.
            emotions: Names of the class indices.
            dimensions: How many numbers describe a clip.
            shrinkage: Of the covariance within emotions towards equal variances (Ledoit & Wolf 2004), 0 to 1.
        """
        spread = embeddings.std(axis=0)
        weight = np.where(spread > STILL * np.median(spread), 1 / np.maximum(spread, 1e-12), 0.0)
        embeddings = embeddings * weight
        centre = np.mean([embeddings[speakers == who].mean(axis=0) for who in np.unique(speakers)], axis=0)
        centred = np.array(embeddings, dtype=np.float64)
        for who in np.unique(speakers):
            centred[speakers == who] -= embeddings[speakers == who].mean(axis=0)
        places = np.stack([centred[labels == index].mean(axis=0) for index in range(len(emotions))])
        covariance = np.cov((centred - places[labels]).T)
        even = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
        whiten = np.linalg.cholesky(np.linalg.inv((1 - shrinkage) * covariance + shrinkage * even))
        axes = np.linalg.svd(centred @ whiten, full_matrices=False)[2][:dimensions]  # (dimension, embedding)
        project = whiten @ axes.T
        return cls(emotions, weight[:, None] * project, (centre + places) @ project)

    @property
    def name(self) -> str:
        """A short name that other numbers do not have."""
        return hashlib.sha256(self._to_bytes()).hexdigest()[:12]

    def learn(self, embeddings: Mapping[str, Array]) -> LearnedVoice:
        """Learn a voice from the (clip, embedding) arrays of the emotions that the speaker acted; see check_names."""
        points = {name: tuple((rows @ self.project).mean(axis=0).tolist()) for name, rows in embeddings.items()}
        return LearnedVoice(self.name, points)

    def check_names(self, names: Iterable[str]) -> None:
        """Make sure that clips are named by emotions of this space, and that there are any.

        Raises:
            VoiceError: They are not.
        """
        given = list(names)
        unknown = [name for name in given if name not in self.emotions]
        if unknown or not given:
            wrong = f"There is no emotion {unknown[0]!r}." if unknown else "A voice needs a clip."
            raise VoiceError(f"{wrong} Name the clips by {', '.join(self.emotions)}.")

    def check(self, voice: LearnedVoice) -> None:
        """Make sure that a voice belongs here.

        Raises:
            VoiceError: It does not.
        """
        self.check_names(voice.points)
        sizes = {len(point) for point in voice.points.values()}
        if voice.space != self.name or sizes != {self.places.shape[1]}:
            raise VoiceError("This voice was learned with other weights. Please learn it again.")

    def correct(self, logits: Array, embeddings: Array, voice: LearnedVoice) -> Array:
        """Hear clips with a speaker in mind.

        Args:
            logits: (clip, emotion) of the network.
            embeddings: (clip, embedding) of the same clips.
            voice: The speaker's.

        Returns:
            (clip, emotion) logits.

        Raises:
            VoiceError: The voice does not belong here.
        """
        self.check(voice)
        rows = [self.emotions.index(name) for name in voice.points]
        points, usual = np.array(list(voice.points.values())), self.places[rows]
        offset = (points - usual).mean(axis=0) * len(points) / (len(points) + self.settings.speaker_ratio)
        places = self.places.copy()
        places[rows] += (points - offset - usual) / (1 + self.settings.emotion_ratio)
        return self._add_scores(logits, embeddings @ self.project - offset, places)

    def adapt(self, logits: Array, embeddings: Array) -> Array:
        """Hear all clips of one speaker against each other, without labels; best if every emotion is among them.

        Args:
            logits: (clip, emotion) of the network.
            embeddings: (clip, embedding) of the same clips.

        Returns:
            (clip, emotion) logits.
        """
        points = embeddings @ self.project
        heard = self._add_scores(logits, points - points.mean(axis=0) + self.places.mean(axis=0), self.places)
        spread = np.maximum(heard.std(axis=0), 1e-6)
        return np.asarray((heard - heard.mean(axis=0)) / spread * spread.mean())

    def _add_scores(self, logits: Array, points: Array, places: Array) -> Array:
        """Add what the nearness of (clip, dimension) points to (emotion, dimension) places says (Fisher 1936)."""
        origin = self.places.mean(axis=0)
        scores = (points - origin) @ (places - origin).T - ((places - origin) ** 2).sum(axis=1) / 2
        return np.asarray((logits + self.settings.scale * scores) / self.settings.softness)

    def save(self, folder: Path) -> str:
        """Write FOLDER/speaker.safetensors; return its SHA-256, which belongs into config.json as speaker_sha256."""
        data = self._to_bytes()
        (folder / SPACE_NAME).write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    @classmethod
    def load(cls, folder: Path, digest: str | None) -> SpeakerSpace | None:
        """Read FOLDER/speaker.safetensors; None when the weights have none.

        Args:
            folder: Where it lies.
            digest: Its SHA-256; None when the weights have none.

        Raises:
            WeightsError: It is missing or damaged, or holds other bytes.
        """
        path = folder / SPACE_NAME
        if digest is None:
            return None
        try:
            data = read_checked(path, digest)
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])  # load gives no metadata
            emotions, tensors = tuple(json.loads(header["__metadata__"]["emotions"])), load(data)
            project, places = tensors["project"].astype(np.float64), tensors["places"].astype(np.float64)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{path} is missing or damaged. {REMEDY}") from error
        return cls(emotions, project, places)

    def _to_bytes(self) -> bytes:
        tensors = {"project": self.project.astype(np.float32), "places": self.places.astype(np.float32)}
        return save(tensors, metadata={"emotions": json.dumps(list(self.emotions))})


def require(space: SpeakerSpace | None) -> SpeakerSpace:
    """Return the space of the weights.

    Raises:
        VoiceError: They have none; the message says how to make it.
    """
    if space is None:
        raise VoiceError(f"These weights cannot learn a voice. Make what is missing with: {MAKE}")
    return space
