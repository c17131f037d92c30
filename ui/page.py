"""What happens on the page: a clip is heard, a mood is picked, films appear; one function for each event."""

from __future__ import annotations

from collections.abc import Iterator
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
from ui.visit import Asked, Shelf, Visit


def open_address(visit: Visit, request: gr.Request) -> list[Any]:
    """Take over what the address asks for; return the visit, answer, mood, drawer, intent and the drawer's answers.

    The films follow in an event of their own, since looking for them may take seconds. A visitor who was quicker than
    the address keeps what they said.
    """
    asked = address.read(request.query_params)
    if asked == address.read({}) or visit.probabilities:
        return [gr.skip()] * (5 + len(asked.answers))
    said = answer.of_pick(asked.mood, None) if asked.mood else shown()
    filtered = asked.answers != list(filters.DEFAULTS.values())
    drawer = gr.Accordion(label=filters.title(asked.answers), open=filtered)
    return [replace(visit, mood=asked.mood), said, asked.mood, drawer, asked.intent, *asked.answers]


def hear_clip(path: str | None, show_voice: bool, visit: Visit) -> tuple[Any, Any, Any]:
    """Judge a new recording; return the visit, the answer and the mood buttons."""
    if path is None:  # cleared, to record again: what is on the page may stay until then
        return gr.skip(), gr.skip(), gr.skip()
    visit = Visit(voice=visit.voice)
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


def show_films(mood: str | None, visit: Visit, shelf: Shelf, intent: str, *answers: Any) -> tuple[Shelf, Any, Any, Any]:
    """Look for films afresh, unless they answer to the same already; return the shelf, films, "more" and the drawer.

    Args:
        mood: The one that is marked on the page, which decides when the visit was forgotten.
        visit: Whose mood decides.
        shelf: What is on the page.
        intent: "match" or "lift".
        answers: Those of the filters' drawer, in its order.
    """
    visit = visit if visit.probabilities else replace(visit, mood=mood)
    asked = Asked(visit, intent, answers)
    with shelf.lock:
        if asked == shelf.asked or not (visit.probabilities or shelf.asked):
            return shelf, gr.skip(), gr.skip(), gr.skip()  # such as when a list of the drawer was only looked at
        shelf.begin(asked)
        return _fill(shelf, asked, service.PAGE)


def more_films(shelf: Shelf) -> tuple[Shelf, Any, Any, Any]:
    """Add films that are not on the page yet; return what show_films does."""
    with shelf.lock:
        if shelf.asked is None:
            return _say_forgotten(shelf)
        return _fill(shelf, shelf.asked, service.PAGE)


def drop_film(event: gr.EventData, shelf: Shelf) -> tuple[Shelf, Any, Any, Any]:
    """Take away a film that the visitor does not want and let another one in; return what show_films does."""
    with shelf.lock:
        if shelf.asked is None:
            return _say_forgotten(shelf)
        kept = tuple(pick for pick in shelf.films if pick.film.imdb_id != event.imdb_id)
        shelf.unwanted |= {pick.film.imdb_id for pick in shelf.films} - {pick.film.imdb_id for pick in kept}
        missing = len(shelf.films) - len(kept)
        shelf.films = kept
        return _fill(shelf, shelf.asked, missing) if missing else (shelf, gr.skip(), gr.skip(), gr.skip())


def _say_forgotten(shelf: Shelf) -> tuple[Shelf, Any, Any, Any]:
    """Leave the page as it is, when so many others came that nothing is known of it any more."""
    gr.Warning(texts.FORGOTTEN)
    return shelf, gr.skip(), gr.skip(), gr.skip()


def _fill(shelf: Shelf, asked: Asked, count: int) -> tuple[Shelf, Shown, Any, Any]:
    if not asked.visit.probabilities:
        return shelf, shown(), gr.Button(visible=False), gr.Accordion()
    visit, intent, answers = asked
    drawer = gr.Accordion(label=filters.title(answers))
    query = address.write(visit.mood, intent, answers)
    seen = {pick.film.imdb_id for pick in shelf.films} | shelf.unwanted
    try:
        wanted = filters.read(answers, visit.heard.gender if visit.heard else None, count)
        found = service.find_films(visit.probabilities, intent, wanted, seen)
    except ScraperError as error:
        shelf.asked = None
        said = shown(heading=texts.NO_FILMS, source=f"{filters.name_questions(str(error))}.", query=query)
        return shelf, said, gr.Button(visible=False), drawer
    goes_on = bool(shelf.notices or (seen and found.picks))
    shelf.add(found.picks, found.source)
    listed = table.of_films(shelf.films)
    ended = goes_on and len(found.picks) < count
    films = shown(
        heading=texts.FILMS[intent] if shelf.films else texts.NO_FILMS,
        reason=found.reason,
        source=" ".join([*shelf.notices.values(), *[texts.NO_MORE] * ended]),
        films=[card(pick) for pick in shelf.films],
        columns=list(listed.columns),
        rows=table.rows_of(listed),
        query=query,
        csv=table.csv_link(listed),
    )
    return shelf, films, gr.Button(visible=len(found.picks) == count), drawer
