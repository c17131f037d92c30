"""A learned voice as a few numbers to keep and bring along, and the clips that it is learned from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_model.labels import EMOTIONS, Emotion

KIND, VERSION = "learned voice", 1
MOST_EMOTIONS, MOST_NUMBERS, LARGEST = 64, 1024, 1e6  # of a voice file that is believed
MOST_BYTES = 1024**2  # of the file, which holds a few kB
DECIMALS = 3


class VoiceError(ValueError):
    """A learned voice cannot be used; the message says what to do."""


@dataclass(frozen=True)
class LearnedVoice:
    """What was learned of a speaker: a few numbers for each emotion heard, from which no sound can be made again.

    Attributes:
        space: The name of the SpeakerSpace that its numbers belong to.
        points: Where the speaker's clips of an emotion lie in that space.
    """

    space: str
    points: Mapping[str, tuple[float, ...]]

    def to_json(self) -> dict[str, Any]:
        """Return the document to keep."""
        points = {name: [round(value, DECIMALS) for value in point] for name, point in self.points.items()}
        return {"kind": KIND, "version": VERSION, "space": self.space, "points": points}

    @classmethod
    def read(cls, path: Path) -> LearnedVoice:
        """Read the file that was saved.

        Raises:
            VoiceError: It is something else.
            OSError: It cannot be read.
        """
        if path.stat().st_size > MOST_BYTES:
            raise VoiceError("This is no learned voice: it is too large. Give the file that was saved.")
        return cls.from_json(path.read_bytes())

    @classmethod
    def from_json(cls, document: object) -> LearnedVoice:
        """Read what to_json gave, as text or as a document.

        Raises:
            VoiceError: It is something else.
        """
        if isinstance(document, str | bytes):
            try:
                document = json.loads(document)
            except (ValueError, RecursionError) as error:
                raise VoiceError("This is no learned voice: it is not JSON. Give the file that was saved.") from error
        if not isinstance(document, dict) or document.get("kind") != KIND:
            raise VoiceError("This is no learned voice. Give the file that was saved when the voice was learned.")
        if document.get("version") != VERSION:
            raise VoiceError(f"This voice was saved in another form than version {VERSION}. Please learn it again.")
        space, points = document.get("space"), document.get("points")
        if not isinstance(space, str) or not isinstance(points, dict) or not _are_points(points):
            raise VoiceError("This learned voice is damaged. Give the file as it was saved, or learn the voice again.")
        return cls(space, {name: tuple(map(float, point)) for name, point in points.items()})


def name_clips(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Tell from their names which emotion clips were spoken in: sad.wav, 2-sad.wav, or as RAVDESS names them.

    Raises:
        VoiceError: A name says no emotion, and there are several clips; one alone is taken as neutral.
    """
    named: dict[str, list[Path]] = {}
    for path in paths:
        ravdess = re.fullmatch(r"\d\d-\d\d-0([1-8])(-\d\d){4}", path.stem)
        words = set(re.split(r"[^a-z]+", path.stem.lower()))
        found = [EMOTIONS[int(ravdess[1]) - 1]] if ravdess else [name for name in EMOTIONS if name in words]
        if len(found) != 1 and len(paths) > 1:
            raise VoiceError(f"{path.name} does not say its emotion. Name the clips by it, such as sad.wav.")
        named.setdefault(str(found[0]) if len(found) == 1 else str(Emotion.NEUTRAL), []).append(path)
    return named


def _are_points(points: dict[Any, object]) -> bool:
    if not 0 < len(points) <= MOST_EMOTIONS:
        return False
    return all(_is_point(point) for point in points.values())


def _is_point(point: object) -> bool:
    return (
        isinstance(point, list)
        and 0 < len(point) <= MOST_NUMBERS
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in point)
        and all(abs(v) <= LARGEST and math.isfinite(v) for v in point)
    )
