"""The filters in use, as chips above the films, and what to drop when no film is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import gradio as gr

from scraper.errors import ScraperError
from ui import films, service, texts
from ui.films import DEFAULTS, OUTSIDE, PAGE_SIZE, FilmList, FilmListState
from ui.page import LATEST, PRIVATE, Visit
from ui.template import SafeContext, escape

MANY = 100  # films are not counted any further


def draw(visit: gr.State, listed: FilmList) -> None:
    """Let the chips follow the list; a click on one drops its filter."""
    chips, state, intent, filters = listed.chips, listed.state, listed.intent, listed.filters
    listed.films.change(describe, [visit, state, intent, *filters], chips, **LATEST)
    dropped = chips.click(drop, filters, filters, **PRIVATE)
    dropped.then(films.show_films, listed.question, listed.shown, **LATEST)


def describe(visit: Visit, state: FilmListState, intent: str, *answers: Any) -> SafeContext:
    """Describe the filters in use, how many films there are, and what brings more when there is none."""
    count = len(state.films)
    words = texts.ONE_FILM if count == 1 else texts.MANY_FILMS if count >= PAGE_SIZE else texts.SOME_FILMS
    in_use = list(name_filters(answers))
    chips = [chip for chip in in_use if chip["name"] not in OUTSIDE]  # the others show that they are chosen
    empty = [] if count or not visit.probabilities else list(_count_without(visit, intent, answers, in_use))
    return escape(chips=chips, count=words.format(count=count) if count else "", empty=empty, reset=len(in_use) > 1)


def drop(event: gr.EventData, *answers: Any) -> list[Any]:
    """Return the answers of the filters without the one whose chip was clicked, or without any."""
    if event.name == "all":
        return list(DEFAULTS.values())
    return without(answers, event.name, event.value)


def without(answers: Sequence[Any], name: str, value: str) -> list[Any]:
    """Return the answers of the filters without one value of one of them.

    Examples:
        >>> without([["War", "Crime"], [], "2015"], "genres", "War")[:3]
        [['Crime'], [], '2015']
    """
    given = DEFAULTS | dict(zip(DEFAULTS, answers, strict=False))
    if name in given:
        chosen = given[name]
        given[name] = [one for one in chosen if str(one) != value] if isinstance(chosen, list) else DEFAULTS[name]
    return list(given.values())


def name_filters(answers: Sequence[Any]) -> Iterator[dict[str, str]]:
    """Yield for each value of a filter in use its name, its value and its words."""
    for (name, offered), chosen in zip(films.choices().items(), answers, strict=False):
        words = {pair[1]: pair[0] for pair in offered if isinstance(pair, tuple)}
        for value in chosen if isinstance(chosen, list) else [chosen]:
            if value and value != DEFAULTS[name] and name != "day":
                text = texts.CHIPS.get(name, "{value}").format(value=words.get(value, value))
                yield {"name": name, "value": str(value), "text": text}


def _count_without(
    visit: Visit, intent: str, answers: Sequence[Any], chips: list[dict[str, str]]
) -> Iterator[dict[str, str]]:
    """Yield the filters without which there would be films, with their number, the best first."""
    gender = visit.prediction.gender if visit.prediction else None
    counts = []
    for chip in chips:
        with suppress(ScraperError):  # what is left contradicts itself as well
            query = films.make_query(without(answers, chip["name"], chip["value"]), gender, MANY)
            counts.append((service.count_films(visit.probabilities, intent, query), chip))
    for count, chip in sorted(counts, key=lambda pair: -pair[0]):
        if count:
            words = texts.WITHOUT.format(filter=chip["text"], count=f"{MANY}+" if count == MANY else count)
            yield chip | {"text": words}
