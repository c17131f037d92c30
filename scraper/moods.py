"""Which genres and tones go with a mood: one table, two intents, and the blend of moods for an uncertain prediction.

The cells are judgments based on studies of averages (Zillmann 1988 and 2000; Zillmann, Hezel and Medoff 1980;
Oliver 1993; Reinecke 2017), not a prescription. The gender of a voice plays no part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scraper.errors import QueryError, shorten

GENRE_WEIGHTS = (1.0, 0.85, 0.7, 0.6, 0.5)  # of a cell's first, second ... genre
TONE_WEIGHTS = (1.0, 0.7, 0.5, 0.4)  # of its tones
MIN_OBJECTION = 0.2  # probability of the moods that must avoid a genre before it is left out
MIN_LEADING = 0.8  # probability from which a mood alone decides the sub-genre to search for
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
    """One cell of the table."""

    genres: Mapping[str, float]  # with their weights, best first
    reason: str  # why these, in a few words
    wants: Mapping[str, float]  # tones with their weights, best first; a film needs one of them
    never: frozenset[str]  # tones that no film may have
    avoid: tuple[str, ...]  # genres that films of unknown tone may not have, and that count against the others
    interest: tuple[str, str] | None  # name and number of a sub-genre at IMDb that says more than the first genre


def _cell(
    genres: str, reason: str, wants: str, never: str = "", avoid: str = "", interest: tuple[str, str] | None = None
) -> Cell:
    genre_weights = dict(zip(genres.split(), GENRE_WEIGHTS, strict=False))
    tone_weights = dict(zip(wants.split(), TONE_WEIGHTS, strict=False))
    return Cell(genre_weights, reason, tone_weights, frozenset(never.split()), tuple(avoid.split()), interest)


HARD = "Horror War Crime Thriller"

TABLE: dict[Mood, dict[Intent, Cell]] = {
    Mood.NEUTRAL: {
        Intent.MATCH: _cell(
            "Drama Biography Documentary History", "thoughtful and even-tempered",
            wants="thoughtful calm", never="harrowing scary rush dark", avoid="Horror Action War",
        ),
        Intent.LIFT: _cell(
            "Adventure Comedy Action Sci-Fi", "with a little more spark",
            wants="rush funny wonder", never="harrowing scary", avoid="Horror War",
        ),
    },
    Mood.CALM: {
        Intent.MATCH: _cell(
            "Documentary Biography Music Romance", "unhurried",
            wants="calm thoughtful warm", never="harrowing tense scary dark rush crude",
            avoid="Horror Action Crime War Mystery Thriller", interest=("Slice of Life", "in0000208"),
        ),
        Intent.LIFT: _cell(
            "Adventure Comedy Music", "gently livelier",
            wants="warm funny", never="harrowing dark scary sad tense crude", avoid=HARD,
        ),
    },
    Mood.HAPPY: {
        Intent.MATCH: _cell(
            "Comedy Romance Musical Family Animation", "to keep the good mood",
            wants="warm funny", never="harrowing dark scary sad", avoid=HARD,
            interest=("Feel-Good Romance", "in0000151"),
        ),
        Intent.LIFT: _cell(
            "Comedy Adventure Musical Action", "for more of the good mood",
            wants="funny warm rush", never="harrowing dark scary sad", avoid=HARD,
        ),
    },
    Mood.SAD: {
        Intent.MATCH: _cell(
            "Drama Romance Biography", "with room for what you feel",
            wants="sad", never="rush crude scary", avoid="Horror Action", interest=("Tragedy", "in0000090"),
        ),
        Intent.LIFT: _cell(
            "Comedy Animation Family Adventure Musical", "lighter than how you feel",
            wants="warm funny", never="harrowing dark scary sad", avoid=HARD,
        ),
    },
    Mood.ANGRY: {
        Intent.MATCH: _cell("Action Crime Thriller War", "to let off steam", wants="rush tense dark", never="calm"),
        Intent.LIFT: _cell(
            "Comedy Animation Family Romance Music", "gentle, with nothing hostile",
            wants="warm calm funny", never="harrowing dark scary tense crude sad rush", avoid=f"{HARD} Action",
        ),
    },
    Mood.FEARFUL: {
        Intent.MATCH: _cell(
            "Thriller Mystery Horror", "a safe place to be scared",
            wants="scary tense", never="harrowing", avoid="Documentary Biography",
        ),
        Intent.LIFT: _cell(
            "Family Comedy Animation Romance Fantasy", "warm and harmless",
            wants="warm calm funny", never="harrowing dark scary tense sad crude rush", avoid=f"{HARD} Mystery",
            interest=("Animal Adventure", "in0000092"),
        ),
    },
    Mood.DISGUST: {
        Intent.MATCH: _cell(
            "Crime Horror Film-Noir", "as dark as you see it", wants="dark scary", never="warm calm wonder",
        ),
        Intent.LIFT: _cell(
            "Comedy Fantasy Animation Romance", "far away from it",
            wants="warm funny", never="harrowing dark scary crude sad", avoid=HARD,
        ),
    },
    Mood.SURPRISED: {
        Intent.MATCH: _cell(
            "Mystery Sci-Fi Fantasy Thriller", "to keep you guessing",
            wants="puzzle", interest=("Whodunnit", "in0000141"),
        ),
        Intent.LIFT: _cell(
            "Adventure Comedy Fantasy Family", "with wonder on the bright side",
            wants="wonder warm", never="harrowing dark scary crude sad puzzle", avoid=HARD,
            interest=("Quest", "in0000019"),
        ),
    },
}  # fmt: skip


def read_probabilities(probabilities: Mapping[str, float]) -> dict[Mood, float]:
    """Check the probabilities of the moods, of which there may be none, and scale them to a sum of 1.

    Raises:
        QueryError: for numbers that are none, or a mood without genres, such as a new emotion of the speech model.
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
    """Return the genres, best first, weighted by the probability of each mood, so that doubt gives a broad list.

    If all films must be from after NOIR_UNTIL, Thriller replaces Film-Noir.
    """
    weights = _sum_shares(probabilities, intent, lambda cell: cell.genres)
    if "Film-Noir" in weights and from_year and from_year > NOIR_UNTIL:
        weights["Thriller"] = weights.get("Thriller", 0.0) + weights.pop("Film-Noir")
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def avoided(probabilities: Mapping[str, float], intent: Intent) -> tuple[str, ...]:
    """Return the genres that the moods would rather avoid than have."""
    wanted = _sum_shares(probabilities, intent, lambda cell: cell.genres)
    objections = _sum_shares(probabilities, intent, lambda cell: dict.fromkeys(cell.avoid, 1.0))
    return tuple(sorted(g for g, share in objections.items() if share >= max(MIN_OBJECTION, wanted.get(g, 0.0))))


def tones(probabilities: Mapping[str, float], intent: Intent) -> tuple[dict[str, float], frozenset[str]]:
    """Return the wanted tones with their weight, and those that no film may have.

    A tone is ruled out when moods of some probability never want it, and no more probable ones do.
    """
    wanted = _sum_shares(probabilities, intent, lambda cell: cell.wants)
    objections = _sum_shares(probabilities, intent, lambda cell: dict.fromkeys(cell.never, 1.0))
    never = {tone for tone, share in objections.items() if share >= MIN_OBJECTION and share > wanted.get(tone, 0.0)}
    return {tone: share for tone, share in wanted.items() if tone not in never}, frozenset(never)


def interest(probabilities: Mapping[str, float], intent: Intent) -> tuple[str, str] | None:
    """Return the sub-genre at IMDb that fits a mood which is certain enough, if there is one."""
    certain = [mood for mood, p in read_probabilities(probabilities).items() if p >= MIN_LEADING]
    return TABLE[certain[0]][intent].interest if certain else None


def _sum_shares(
    probabilities: Mapping[str, float], intent: Intent, weights: Callable[[Cell], Mapping[str, float]]
) -> dict[str, float]:
    shares: dict[str, float] = {}
    for mood, p in read_probabilities(probabilities).items():
        for name, weight in weights(TABLE[mood][intent]).items():
            shares[name] = shares.get(name, 0.0) + p * weight
    return shares
