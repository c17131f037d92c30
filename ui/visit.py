"""What the page knows of one visitor until the tab closes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

from scraper.film import Pick, Source
from ser_model.recognize import Prediction
from ser_model.voice import LearnedVoice


@dataclass(frozen=True, slots=True)
class Visit:
    """One visitor's state.

    Attributes:
        heard: How the last recording sounded.
        mood: What the visitor picked, which counts more than what was heard.
        voice: What was learned of the visitor's own voice.
    """

    heard: Prediction | None = None
    mood: str | None = None
    voice: LearnedVoice | None = None

    @property
    def probabilities(self) -> dict[str, float]:
        """Mood name to probability; empty before anything was said or picked."""
        if self.mood:
            return {self.mood: 1.0}
        return {str(name): value for name, value in self.heard.probabilities.items()} if self.heard else {}


class Asked(NamedTuple):
    """What a list of films answers to: whose mood, the intent, and the answers of the filters' drawer."""

    visit: Visit
    intent: str
    answers: tuple[Any, ...]


class Shelf:
    """The films on one visitor's page.

    It changes in place and under its lock: events of one page run at once, and one that read it before another wrote
    would put back what is gone. (No dataclass: Gradio would copy it field by field, which a lock forbids.)

    Attributes:
        asked: What the films answer to; None before anything was asked, or when the answer failed.
        films: Those on the page.
        notices: Where they came from: the newest sentence of each source and date.
        unwanted: Ids of films that the visitor does not want to see again.
        lock: Held while it changes.
    """

    def __init__(self) -> None:
        self.asked: Asked | None = None
        self.films: tuple[Pick, ...] = ()
        self.notices: dict[tuple[str, str], str] = {}
        self.unwanted: frozenset[str] = frozenset()
        self.lock = threading.Lock()

    def begin(self, asked: Asked) -> None:
        """Take every film away, to answer something else."""
        self.asked, self.films, self.notices = asked, (), {}

    def add(self, picks: tuple[Pick, ...], source: Source) -> None:
        """Add films of a source; its notice stays when it has none and nothing else is said of the page."""
        if picks or not self.notices:
            self.notices[source.kind, str(source.as_of)] = source.notice
        self.films += picks

    def __deepcopy__(self, memo: object) -> Shelf:
        """Begin afresh, which is how Gradio gives each visitor one of their own."""
        return Shelf()
