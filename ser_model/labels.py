"""The words of the corpus: emotions, voice gender, intensity, in RAVDESS order (Livingstone & Russo 2018, table 1)."""

from __future__ import annotations

from enum import StrEnum


class Emotion(StrEnum):
    """The eight acted emotions; the position is the class index, one less than the code in a file name."""

    NEUTRAL = "neutral"
    CALM = "calm"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    FEARFUL = "fearful"
    DISGUST = "disgust"
    SURPRISED = "surprised"

    @property
    def class_index(self) -> int:
        """Class index, 0 to 7."""
        return EMOTIONS.index(self)


class Gender(StrEnum):
    """How the voice sounds: RAVDESS labels actors as male (odd numbers) or female (even numbers)."""

    MALE = "male"
    FEMALE = "female"

    @property
    def class_index(self) -> int:
        """Class index, 0 or 1."""
        return GENDERS.index(self)


class Intensity(StrEnum):
    """How strongly the emotion was acted; neutral exists in normal intensity only."""

    NORMAL = "normal"
    STRONG = "strong"

    @property
    def class_index(self) -> int:
        """Class index, 0 or 1."""
        return INTENSITIES.index(self)


EMOTIONS = tuple(Emotion)
GENDERS = tuple(Gender)
INTENSITIES = tuple(Intensity)
UNKNOWN = -1  # the class index of a label that a clip does not have
