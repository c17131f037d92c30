"""What happens on the page: a clip is heard, a mood is picked, films appear; one function for each event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from scraper.errors import ScraperError
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.voice import VoiceError
from ui import address, answer, closeup, filters, service, table, texts
from ui.cards import card
from ui.template import Shown, shown
from ui.visit import Visit


def open_address(request: gr.Request) -> list[Any]:
    """Show what the address asks for; return visit, films, more, the drawer, answer, mood, intent, drawer's answers."""
    asked = address.read(request.query_params)
    if asked == address.read({}):  # nothing: a visitor who was quicker than this must not lose a pick
        return [gr.skip()] * (6 + len(asked.answers) + 1)
    *found, _ = show_films(Visit(mood=asked.mood), asked.intent, *asked.answers)
    said = answer.of_pick(asked.mood, None) if asked.mood else shown()
    filtered = asked.answers != list(filters.DEFAULTS.values())
    drawer = gr.Accordion(label=filters.title(asked.answers), open=filtered)
    return [*found, drawer, said, asked.mood, asked.intent, *asked.answers]


def hear_clip(path: str | None, show_voice: bool, visit: Visit) -> tuple[Any, Any, Any]:
    """Judge a new recording; return the visit, the answer and the mood buttons."""
    if path is None:  # cleared, to record again: what is on the page may stay until then
        return gr.skip(), gr.skip(), gr.skip()
    visit = Visit(voice=visit.voice, unwanted=visit.unwanted)
    try:
        heard = service.hear(path, visit.voice)
    except AudioError as error:
        return visit, answer.of_problem(str(error)), gr.Radio(value=None, label=texts.PICK)
    except VoiceError as error:  # learned with other weights, and of no use any more
        return replace(visit, voice=None), answer.of_problem(str(error)), gr.Radio(value=None, label=texts.PICK)
    except WeightsError:
        return visit, answer.of_problem(texts.NO_MODEL), gr.Radio(value=None, label=texts.PICK)
    buttons = gr.Radio(value=heard.emotion, label=texts.CORRECT if heard.sure else texts.WHICH)
    return replace(visit, heard=heard), answer.of_voice(heard, show_voice, learned=visit.voice is not None), buttons


def offer_more(visit: Visit) -> tuple[Any, Shown, Any, Shown]:
    """Offer the comparison and the pictures for a clip that was heard; empty what showed those of the last one."""
    button = gr.Button(visible=visit.heard is not None)
    return button, shown(), button, shown()


def look_closer(path: str | None, visit: Visit) -> Iterator[Shown]:
    """Draw what was heard."""
    yield from closeup.show(path, visit.heard)


def pick_mood(mood: str, visit: Visit) -> tuple[Visit, Shown]:
    """Take the visitor's own word; return the visit and the answer."""
    return replace(visit, mood=mood), answer.of_pick(mood, visit.heard)


def show_voice(wanted: bool, visit: Visit) -> Any:
    """Add or take away how the voice sounds; return the answer."""
    if visit.heard is None or visit.mood:
        return gr.skip()
    return answer.of_voice(visit.heard, wanted, learned=visit.voice is not None)


def show_films(visit: Visit, intent: str, *answers: Any) -> tuple[Visit, Shown, Any, Any]:
    """Look for films afresh; return the visit, films, the button for more and the drawer.

    Args:
        visit: Whose mood decides.
        intent: "match" or "lift".
        answers: Those of the filters' drawer, in its order.
    """
    return _add_films(replace(visit, films=()), intent, answers, service.PAGE)


def more_films(visit: Visit, intent: str, *answers: Any) -> tuple[Visit, Shown, Any, Any]:
    """Add films that are not on the page yet; return the visit, films, the button for more and the drawer."""
    return _add_films(visit, intent, answers, service.PAGE)


def drop_film(event: gr.EventData, visit: Visit, intent: str, *answers: Any) -> tuple[Visit, Shown, Any, Any]:
    """Take away a film that the visitor does not want and let another one in; return what show_films does."""
    kept = tuple(pick for pick in visit.films if pick.film.imdb_id != event.imdb_id)
    gone = frozenset(pick.film.imdb_id for pick in visit.films) - {pick.film.imdb_id for pick in kept}
    visit = replace(visit, films=kept, unwanted=visit.unwanted | gone)
    return _add_films(visit, intent, answers, 1)


def _add_films(visit: Visit, intent: str, answers: Sequence[Any], count: int) -> tuple[Visit, Shown, Any, Any]:
    drawer = gr.Accordion(label=filters.title(answers))
    if not visit.probabilities:
        return visit, shown(), gr.Button(visible=False), drawer
    seen = {pick.film.imdb_id for pick in visit.films} | visit.unwanted
    try:
        wanted = filters.read(answers, visit.heard.gender if visit.heard else None, count)
        found = service.find_films(visit.probabilities, intent, wanted, seen)
    except ScraperError as error:
        return visit, shown(heading=texts.NO_FILMS, source=f"{error}."), gr.Button(visible=False), drawer
    visit = replace(visit, films=visit.films + found.picks)
    listed = table.of_films(visit.films)
    films = shown(
        heading=texts.FILMS[intent],
        reason=found.reason,
        source=found.source.notice if found.picks else texts.NO_MORE,
        films=[card(pick) for pick in visit.films],
        columns=list(listed.columns),
        rows=table.rows_of(listed),
        query=address.write(visit.mood, intent, answers),
        csv=table.csv_link(listed),
    )
    return visit, films, gr.Button(visible=len(found.picks) == count), drawer
