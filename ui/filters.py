"""The drawer of filters: what it asks, and the query that its answers come to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import gradio as gr

from scraper.errors import QueryError
from scraper.film import GENRES
from scraper.query import FilmQuery, Sort
from ser_model.labels import Gender
from ui import texts

FIRST_YEAR = 1920
NOT_FILMS = {"Game-Show", "News", "Reality-TV", "Short", "Talk-Show"}  # IMDb's genres that no film of ours has
RATINGS = (6.0, 7.0, 8.0)
LENGTHS = (90, 120, 150)  # minutes
LIKE_MY_VOICE = "mine"
ANY = ""  # the answer of a list that filters nothing
DEFAULTS: dict[str, Any] = {
    "genres": [], "not_genres": [], "from_year": ANY, "to_year": ANY, "min_rating": ANY, "max_minutes": ANY,
    "language": ANY, "lead": "any", "sort": Sort.LATEST.value,
}  # fmt: skip


def choices() -> dict[str, list[Any]]:
    """Return what can be answered to each question: values, or pairs of what is shown and the value."""
    genres = [genre for genre in GENRES if genre not in NOT_FILMS]
    years = [str(year) for year in range(datetime.now(UTC).year, FIRST_YEAR - 1, -1)]
    return {
        "genres": genres,
        "not_genres": genres,
        "from_year": years,
        "to_year": years,
        "min_rating": [(texts.RATING_CHOICE.format(value=value), f"{value:g}") for value in RATINGS],
        "max_minutes": [(texts.LENGTH_CHOICE.format(value=value), str(value)) for value in LENGTHS],
        "language": list(texts.LANGUAGES.items()),
        "lead": list(texts.LEADS),
        "sort": list(texts.SORTS),
    }


def offers() -> dict[str, set[str]]:
    """Return the values that can be answered to each question."""
    return {
        name: {choice[1] if isinstance(choice, tuple) else choice for choice in offered}
        for name, offered in choices().items()
    }


def draw() -> list[Any]:
    """Lay out the drawer; return its questions in the order of DEFAULTS."""
    offered = choices()
    with gr.Row():
        genres = gr.Dropdown(offered["genres"], multiselect=True, label=texts.GENRES, info=texts.GENRES_HINT)
        never = gr.Dropdown(offered["not_genres"], multiselect=True, label=texts.NOT_GENRES, info=texts.NOT_GENRES_HINT)
    with gr.Row(elem_id="filter-lists"):
        lists = [_choose(texts.FILTER_LABELS[name], offered[name]) for name in texts.FILTER_LABELS]
    with gr.Row():
        lead = gr.Radio(offered["lead"], value=DEFAULTS["lead"], label=texts.LEAD_ROLE, elem_id="lead")
        order = gr.Radio(offered["sort"], value=DEFAULTS["sort"], label=texts.SORT, elem_id="sort")
    return [genres, never, *lists, lead, order]


def title(answers: Iterable[Any]) -> str:
    """Return the drawer's title, which counts the questions that were answered otherwise than usual.

    Examples:
        >>> title([[], ["War"], "2015"]), title([])
        ('Filters: 2', 'Filters')
    """
    pairs = zip(answers, DEFAULTS.values(), strict=False)
    count = sum(bool(answer) and answer != usual for answer, usual in pairs)
    return texts.FILTERS_SET.format(count=count) if count else texts.FILTERS


def read(answers: Iterable[Any], gender: Gender | None, limit: int) -> FilmQuery:
    """Turn the drawer's answers into a query.

    Args:
        answers: In the order of DEFAULTS; those left out filter nothing.
        gender: How the visitor's voice sounds, if it was heard; only "like my voice" asks for it.
        limit: Films wanted.

    Raises:
        QueryError: Two answers contradict each other, one is impossible, or a voice is needed and none was heard.
    """
    asked = DEFAULTS | dict(zip(DEFAULTS, answers, strict=False))
    return FilmQuery(
        genres=tuple(asked["genres"] or ()),
        not_genres=tuple(asked["not_genres"] or ()),
        from_year=_number(asked["from_year"]),
        to_year=_number(asked["to_year"]),
        min_rating=float(asked["min_rating"]) if asked["min_rating"] else None,
        max_minutes=_number(asked["max_minutes"]),
        language=asked["language"] or None,
        lead=_read_lead(asked["lead"], gender),
        sort=Sort(asked["sort"] or Sort.LATEST),
        limit=limit,
    )


def name_questions(message: str) -> str:
    """Put the names of the drawer into a message that has those of the API.

    Examples:
        >>> name_questions("from_year 2020 is after to_year 2010; swap them")
        '“From year” 2020 is after “Until year” 2010; swap them'
    """
    for name, label in (*texts.FILTER_LABELS.items(), ("not_genres", texts.NOT_GENRES)):
        message = message.replace(name, f"“{label}”")
    return message


def _choose(label: str, choices: list[Any]) -> gr.Dropdown:
    return gr.Dropdown([(texts.ANY, ANY), *choices], value=ANY, label=label, min_width=150)


def _number(answer: str | None) -> int | None:
    return int(answer) if answer else None


def _read_lead(answer: str, gender: Gender | None) -> Literal["woman", "man", "any"]:
    if answer == LIKE_MY_VOICE:
        if gender is None:
            raise QueryError(texts.NEEDS_VOICE)
        return "woman" if gender is Gender.FEMALE else "man"
    return "woman" if answer == "woman" else "man" if answer == "man" else "any"
