"""The labels in RAVDESS order (Livingstone & Russo 2018, table 1): emotion, gender of the voice, intensity."""

from __future__ import annotations

from enum import StrEnum


class _Label(StrEnum):
    @property
    def class_index(self) -> int:
        """Position among the classes, from 0."""
        return list(type(self)).index(self)


class Emotion(_Label):
    """The eight acted emotions; the code in a RAVDESS file name is the class index plus 1."""

    NEUTRAL = "neutral"
    CALM = "calm"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    FEARFUL = "fearful"
    DISGUST = "disgust"
    SURPRISED = "surprised"


class Gender(_Label):
    """How the voice sounds; RAVDESS has male (odd) and female (even) actors."""

    MALE = "male"
    FEMALE = "female"


class Intensity(_Label):
    """How strongly the emotion was acted; neutral exists in normal intensity only."""

    NORMAL = "normal"
    STRONG = "strong"


EMOTIONS = tuple(Emotion)
GENDERS = tuple(Gender)
INTENSITIES = tuple(Intensity)
UNKNOWN = -1  # class index of a missing label
