"""What the page knows of one visitor until the tab closes."""

from __future__ import annotations

from dataclasses import dataclass

from scraper.film import Pick
from ser_model.recognize import Prediction
from ser_model.voice import LearnedVoice


@dataclass(frozen=True, slots=True)
class Visit:
    """One visitor's state.

    Attributes:
        heard: How the last recording sounded.
        mood: What the visitor picked, which counts more than what was heard.
        voice: What was learned of the visitor's own voice.
        films: Those on the page.
        unwanted: Ids of films that the visitor does not want to see again.
    """

    heard: Prediction | None = None
    mood: str | None = None
    voice: LearnedVoice | None = None
    films: tuple[Pick, ...] = ()
    unwanted: frozenset[str] = frozenset()

    @property
    def probabilities(self) -> dict[str, float]:
        """Mood name to probability; empty before anything was said or picked."""
        if self.mood:
            return {self.mood: 1.0}
        return {str(name): value for name, value in self.heard.probabilities.items()} if self.heard else {}
