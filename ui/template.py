"""HTML from a Handlebars file in templates/ and values that can become neither markup nor script."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NewType
from urllib.parse import quote

import gradio as gr

from ser_model.batch import escape_formula
from ui import texts

TEMPLATES = Path(__file__).parent / "templates"
IMDB_TITLE = "https://www.imdb.com/title/"
ANNOUNCE = "element.setAttribute('role', 'status'); element.setAttribute('aria-live', 'polite');"

SafeContext = NewType("SafeContext", dict[str, Any])  # escaped values, the only thing a template may be given


def template(
    name: str,
    value: SafeContext | None = None,
    *,
    elem_id: str,
    live: bool = False,
    script: str | None = None,
    folder: Path = TEMPLATES,
    **more: str,
) -> gr.HTML:
    """Make a component that shows values through a template.

    A function and not a subclass of gr.HTML: Gradio writes a .pyi file beside the module of each subclass.

    Args:
        name: The template is templates/NAME.html, in Handlebars; {{> PART}} includes another file.
        value: What {{value}} is at first; an event gives it another one.
        elem_id: The id of the element in the page.
        live: Whether a screen reader announces changes.
        script: JavaScript to run once the element is on the page.
        folder: Where the templates are.
        more: What {{say.NAME}} is beyond the texts of texts.py; within a block it is {{@root.say.NAME}}.
    """
    text = (folder / f"{name}.html").read_text("utf-8")
    text = re.sub(r"{{> (\w+)}}", lambda part: (folder / f"{part[1]}.html").read_text("utf-8"), text)
    if "${" in text or "{{{" in text:
        raise ValueError(f"{name}.html may use double braces only, which escape markup")
    words = {word: str(getattr(texts, word.upper())) for word in set(re.findall(r"say\.(\w+)", text)) - set(more)}
    return gr.HTML(
        value or escape(),
        html_template=text,
        js_on_load="\n".join(part for part in (ANNOUNCE if live else "", script) if part) or None,
        elem_id=elem_id,
        apply_default_css=False,
        say=escape(**words | more),
    )


def escape(**values: Any) -> SafeContext:
    """Make values safe for a template.

    Gradio evaluates the filled template as a JavaScript template literal, so `${...}` in a film title would run.
    """
    return SafeContext(_escape(values))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], csv_rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Return the values of table.html; the address of a film becomes a link, and the CSV is a data URL."""
    buffer = io.StringIO("\ufeff")  # a byte order mark, without which Excel breaks letters with accents
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([columns, *[[_escape_cell(cell) for cell in row] for row in csv_rows]])
    return {
        "columns": list(columns),
        "rows": [[_show_cell(cell) for cell in row] for row in rows],
        "csv": "data:text/csv;charset=utf-8," + quote(buffer.getvalue(), safe=""),
    }


def _escape(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("${", "\\${")
    if isinstance(value, Mapping):
        return {key: _escape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escape(item) for item in value]
    return value


def _show_cell(cell: Any) -> str | dict[str, str]:
    text = "" if cell is None else str(cell)
    return {"url": text, "text": texts.OPEN} if text.startswith(IMDB_TITLE) else text


def _escape_cell(cell: Any) -> Any:
    """Keep a spreadsheet from running text as a formula; some also look behind tabs and line ends."""
    return escape_formula(" ".join(cell.split())) if isinstance(cell, str) else cell
