"""Tables as pandas frames: shown as plain rows, and saved as CSV that a spreadsheet can open without harm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import pandas as pd

from scraper.film import Pick
from ser_model.table import defuse
from ui import texts

TITLE = "https://www.imdb.com/title/"


def markup(file: str, label: str) -> str:
    """Return the part of a template that shows `columns` and `rows` and saves `csv` as a file."""
    return f"""<a class="save" href="{{{{value.csv}}}}" download="{file}">{texts.SAVE}</a>
    <div class="sideways" tabindex="0" role="region" aria-label="{label}">
      <table>
        <thead><tr>{{{{#each value.columns}}}}<th scope="col">{{{{this}}}}</th>{{{{/each}}}}</tr></thead>
        <tbody>
          {{{{#each value.rows}}}}<tr>{{{{#each this}}}}<td>
            {{{{#if this.url}}}}<a href="{{{{this.url}}}}" target="_blank" rel="noopener">{{{{this.text}}}}</a>
            {{{{else}}}}{{{{this}}}}{{{{/if}}}}
          </td>{{{{/each}}}}</tr>{{{{/each}}}}
        </tbody>
      </table>
    </div>"""


def of_films(picks: Iterable[Pick]) -> pd.DataFrame:
    """List films: name, rating, link, and the rest."""
    rows = [
        (
            pick.film.title,
            pick.film.rating,
            pick.film.url,
            pick.film.year,
            pick.film.runtime_min,
            ", ".join(pick.film.genres),
            pick.film.language,
            pick.film.votes,
            pick.why,
        )
        for pick in picks
    ]
    return pd.DataFrame(rows, columns=list(texts.FILM_COLUMNS), dtype=object)


def to_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return str(frame.map(_tidy).to_csv(index=False))


def csv_link(frame: pd.DataFrame) -> str:
    """Return the CSV as an address that holds it, so that no file lies about on the server.

    It begins with a byte order mark, without which Excel spoils letters with accents.
    """
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + to_csv(frame), safe="")


def rows_of(frame: pd.DataFrame) -> list[list[str | dict[str, str]]]:
    """Return the cells for a template: text, or for a film's page at IMDb its address with a word to click."""
    return [[_cell(value) for value in row] for row in frame.itertuples(index=False)]


def _cell(value: Any) -> str | dict[str, str]:
    text = "" if value is None else str(value)
    return {"url": text, "text": texts.OPEN} if text.startswith(TITLE) else text


def _tidy(value: Any) -> Any:
    """Make one line of text, since some spreadsheets look for a formula behind tabs and line ends, and defuse it."""
    return defuse(" ".join(value.split())) if isinstance(value, str) else value
