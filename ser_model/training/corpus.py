"""What a training run hears: RAVDESS, and the further clips of a manifest, with one label set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ser_model.labels import EMOTIONS
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.manifest import check_apart, load_manifest, read_manifest
from ser_model.training.ravdess import check_counts, load_ravdess


@dataclass(frozen=True)
class Corpus:
    """Clips ready for training.

    Attributes:
        clips: RAVDESS, which the protocols split.
        extra: Further clips, which are trained on in every fold and never scored.
        emotions: The label set; the eight of RAVDESS come first.
        about: What metrics.json says of the further clips; None without them.
    """

    clips: list[Clip]
    extra: list[Clip]
    emotions: tuple[str, ...] = EMOTIONS
    about: dict[str, Any] | None = None


def read_corpus(
    source: str | Path, manifest: Path | None = None, allow_missing: bool = False, with_coded: bool = False
) -> Corpus:
    """Load RAVDESS, check that it is whole, find the speech in it; the same for the clips of a manifest.

    Args:
        source: See load_ravdess.
        manifest: See read_manifest.
        allow_missing: Go on when clips of RAVDESS are missing.
        with_coded: See prepare_clips.

    Raises:
        CorpusError: Something is missing, or a row of the manifest cannot be used.
        AudioError: A clip is damaged.
    """
    listed = None if manifest is None else read_manifest(manifest)
    ravdess = load_ravdess(source)
    if not allow_missing:
        check_counts(ravdess)
    clips = prepare_clips(ravdess, with_coded)
    if listed is None:
        return Corpus(clips, [])
    extra = prepare_clips(load_manifest(listed), with_coded)
    check_apart(extra, clips)
    return Corpus(clips, extra, listed.emotions, listed.describe())


def shuffle_labels(clips: list[Clip], seed: int = 0) -> list[Clip]:
    """Deal the emotions out anew, among speech clips and among song clips.

    Trained and scored on such labels a model can only be right by chance, unless a clip that is scored, or a copy of
    it, was trained on.
    """
    rng = np.random.default_rng(seed)
    emotions = np.array([clip.emotion for clip in clips])
    for song in (False, True):
        rows = np.flatnonzero([clip.is_song == song for clip in clips])
        emotions[rows] = emotions[rng.permutation(rows)]
    return [replace(clip, emotion=int(emotion)) for clip, emotion in zip(clips, emotions, strict=True)]
