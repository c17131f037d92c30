"""What happens on the page: a clip is heard, a mood is picked, films appear; one function for each event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from scraper.errors import ScraperError
from scraper.film import Pick
from scraper.query import FilmQuery
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.recognize import Prediction
from ui import answer, service, texts
from ui.cards import card
from ui.template import Shown, shown


@dataclass(frozen=True, slots=True)
class Visit:
    """What the page knows of one visitor until the tab closes.

    Attributes:
        heard: How the last recording sounded.
        mood: What the visitor picked, which counts more than what was heard.
        films: Those on the page.
    """

    heard: Prediction | None = None
    mood: str | None = None
    films: tuple[Pick, ...] = ()

    @property
    def probabilities(self) -> dict[str, float]:
        """Mood name to probability; empty before anything was said or picked."""
        if self.mood:
            return {self.mood: 1.0}
        return {str(name): value for name, value in self.heard.probabilities.items()} if self.heard else {}


def hear_clip(path: str | None, show_voice: bool) -> tuple[Any, Any, Any]:
    """Judge a new recording; return the visit, the answer and the mood buttons."""
    if path is None:  # cleared, to record again: what is on the page may stay until then
        return gr.skip(), gr.skip(), gr.skip()
    try:
        heard = service.hear(path)
    except AudioError as error:
        return Visit(), answer.of_problem(str(error)), gr.Radio(value=None, label=texts.PICK)
    except WeightsError:
        return Visit(), answer.of_problem(texts.NO_MODEL), gr.Radio(value=None, label=texts.PICK)
    buttons = gr.Radio(value=heard.emotion, label=texts.CORRECT if heard.sure else texts.WHICH)
    return Visit(heard), answer.of_voice(heard, show_voice), buttons


def pick_mood(mood: str, visit: Visit) -> tuple[Visit, Shown]:
    """Take the visitor's own word; return the visit and the answer."""
    return replace(visit, mood=mood), answer.of_pick(mood, visit.heard)


def show_voice(wanted: bool, visit: Visit) -> Any:
    """Add or take away how the voice sounds; return the answer."""
    if visit.heard is None or visit.mood:
        return gr.skip()
    return answer.of_voice(visit.heard, wanted)


def show_films(visit: Visit, intent: str) -> tuple[Visit, Shown, Any]:
    """Look for films afresh; return the visit, the films and the button for more."""
    return _add_films(replace(visit, films=()), intent)


def more_films(visit: Visit, intent: str) -> tuple[Visit, Shown, Any]:
    """Add films that are not on the page yet; return the visit, the films and the button for more."""
    return _add_films(visit, intent)


def _add_films(visit: Visit, intent: str) -> tuple[Visit, Shown, Any]:
    if not visit.probabilities:
        return visit, shown(), gr.Button(visible=False)
    seen = [pick.film.imdb_id for pick in visit.films]
    try:
        found = service.find_films(visit.probabilities, intent, FilmQuery(limit=service.PAGE), seen)
    except ScraperError as error:
        return visit, shown(heading=texts.NO_FILMS, source=f"{error}."), gr.Button(visible=False)
    visit = replace(visit, films=visit.films + found.picks)
    films = shown(
        heading=texts.FILMS[intent],
        reason=found.reason,
        source=found.source.notice if found.picks else texts.NO_MORE,
        films=[card(pick) for pick in visit.films],
    )
    return visit, films, gr.Button(visible=len(found.picks) == service.PAGE)
