"""Which genres go with a mood: one table, two intents, and the blend of moods for an uncertain prediction.

The cells are judgments based on studies of averages (Zillmann 1988 and 2000; Zillmann, Hezel and Medoff 1980;
Oliver 1993; Reinecke 2017), not a prescription. The gender of a voice plays no part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from scraper.errors import QueryError, shorten

GENRE_WEIGHTS = (1.0, 0.85, 0.7, 0.6, 0.5)  # of a cell's first, second ... genre
MIN_OBJECTION = 0.2  # probability of the moods that must avoid a genre before it is left out
NOIR_UNTIL = 1960  # there is hardly any Film-Noir after it


class Mood(StrEnum):
    """The emotions of the speech model, by its names; a new emotion needs a line here and its genres in TABLE."""

    NEUTRAL = "neutral"
    CALM = "calm"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    FEARFUL = "fearful"
    DISGUST = "disgust"
    SURPRISED = "surprised"

    @property
    def adjective(self) -> str:
        """The word that goes before "mood"."""
        return "disgusted" if self is Mood.DISGUST else self.value


class Intent(StrEnum):
    """What the visitor wants from the films: to stay in the mood, or to leave it."""

    MATCH = "match"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table: genres, best first; genres to leave out; the reason in a few words."""

    genres: tuple[str, ...]
    reason: str
    avoid: tuple[str, ...] = ()

    @property
    def weights(self) -> dict[str, float]:
        """Each genre with its weight, at most 1."""
        return dict(zip(self.genres, GENRE_WEIGHTS, strict=False))


TABLE: dict[Mood, dict[Intent, Cell]] = {
    Mood.NEUTRAL: {
        Intent.MATCH: Cell(("Drama", "Biography", "Documentary", "History"), "thoughtful and even, like you"),
        Intent.LIFT: Cell(("Adventure", "Comedy", "Action", "Sci-Fi"), "a little more spark"),
    },
    Mood.CALM: {
        Intent.MATCH: Cell(("Documentary", "Biography", "Music", "Romance"), "unhurried, like you"),
        Intent.LIFT: Cell(("Adventure", "Comedy", "Music"), "gently livelier", avoid=("Horror",)),
    },
    Mood.HAPPY: {
        Intent.MATCH: Cell(("Comedy", "Romance", "Musical", "Family", "Animation"), "keeps the good mood"),
        Intent.LIFT: Cell(("Comedy", "Adventure", "Musical", "Action"), "more of the good mood"),
    },
    Mood.SAD: {
        Intent.MATCH: Cell(("Drama", "Romance", "Biography"), "room for what you feel"),
        Intent.LIFT: Cell(
            ("Comedy", "Animation", "Family", "Adventure", "Musical"),
            "lighter than how you feel",
            avoid=("War", "Horror"),
        ),
    },
    Mood.ANGRY: {
        Intent.MATCH: Cell(("Action", "Crime", "Thriller", "War"), "lets off steam"),
        Intent.LIFT: Cell(
            ("Comedy", "Animation", "Family", "Romance", "Music"),
            "gentle, nothing hostile",
            avoid=("Action", "Crime", "War", "Thriller", "Horror"),
        ),
    },
    Mood.FEARFUL: {
        Intent.MATCH: Cell(("Thriller", "Mystery", "Horror"), "a safe place to be scared"),
        Intent.LIFT: Cell(
            ("Family", "Comedy", "Animation", "Romance", "Fantasy"),
            "warm, nothing threatening",
            avoid=("Horror", "Thriller", "Mystery", "Crime"),
        ),
    },
    Mood.DISGUST: {
        Intent.MATCH: Cell(("Crime", "Horror", "Film-Noir"), "as dark as you see it"),
        Intent.LIFT: Cell(("Comedy", "Fantasy", "Animation", "Romance"), "far away from it", avoid=("Horror", "Crime")),
    },
    Mood.SURPRISED: {
        Intent.MATCH: Cell(("Mystery", "Sci-Fi", "Fantasy", "Thriller"), "keeps you guessing"),
        Intent.LIFT: Cell(("Adventure", "Comedy", "Fantasy", "Family"), "wonder on the bright side"),
    },
}


def read_probabilities(probabilities: Mapping[str, float]) -> dict[Mood, float]:
    """Check the probabilities of the moods and scale them to a sum of 1.

    Args:
        probabilities: mood name to probability; empty if no mood was chosen.

    Raises:
        QueryError: for a mood without genres, such as a new emotion of the speech model, or for numbers that are not
            probabilities.
    """
    unknown = sorted(set(probabilities) - set(TABLE))
    if unknown:
        raise QueryError(
            f"no genres are known for the mood {shorten(unknown[0])}; choose from {', '.join(TABLE)}, "
            "or give it a line in Mood and its genres in TABLE (scraper/moods.py)"
        )
    if any(not math.isfinite(p) or p < 0 for p in probabilities.values()):
        raise QueryError("the probability of a mood must be a number from 0 to 1")
    total = sum(probabilities.values())
    if probabilities and total <= 0:
        raise QueryError("at least one mood needs a probability above 0")
    return {Mood(name): p / total for name, p in probabilities.items() if p > 0}


def blend(probabilities: Mapping[str, float], intent: Intent, from_year: int | None = None) -> dict[str, float]:
    """Weight the genres by the probability of each mood, so that an uncertain prediction gives a broad list.

    Args:
        probabilities: mood name to probability.
        intent: stay with the mood or leave it.
        from_year: the earliest year wanted; after NOIR_UNTIL, Thriller replaces Film-Noir.

    Returns:
        Genre to weight, best first; empty without a mood.
    """
    weights: dict[str, float] = {}
    for mood, p in read_probabilities(probabilities).items():
        for name, weight in TABLE[mood][intent].weights.items():
            genre = "Thriller" if name == "Film-Noir" and from_year and from_year > NOIR_UNTIL else name
            weights[genre] = weights.get(genre, 0.0) + p * weight
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def avoided(probabilities: Mapping[str, float], intent: Intent) -> tuple[str, ...]:
    """Return the genres to leave out: those that the moods would rather avoid than have."""
    wanted = blend(probabilities, intent)
    objections: dict[str, float] = {}
    for mood, p in read_probabilities(probabilities).items():
        for genre in TABLE[mood][intent].avoid:
            objections[genre] = objections.get(genre, 0.0) + p
    return tuple(sorted(g for g, share in objections.items() if share >= max(MIN_OBJECTION, wanted.get(g, 0.0))))


def reason(genre: str, probabilities: Mapping[str, float], intent: Intent) -> str | None:
    """Return why a genre is on the list, in the words of the mood that wants it most; None if no mood does."""
    moods = read_probabilities(probabilities)
    stand_in = "Film-Noir" if genre == "Thriller" else genre
    votes = {
        mood: p * max(TABLE[mood][intent].weights.get(name, 0.0) for name in (genre, stand_in))
        for mood, p in moods.items()
    }
    mood = max(votes, key=lambda m: votes[m], default=None)
    return TABLE[mood][intent].reason if mood and votes[mood] > 0 else None
