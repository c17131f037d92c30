"""Several recordings at once: one row each, and a file that cannot be judged costs only its own row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ui import service, table, texts
from ui.bars import percent
from ui.template import Shown, shown

MAX_FILES = 50

TEMPLATE = f"""
{{{{#if value.headline}}}}
<section class="batch" aria-label="{texts.BATCH}">
  <p role="status">{{{{value.headline}}}}</p>
  {{{{#if value.rows}}}}{table.markup("voices.csv", texts.BATCH)}{{{{/if}}}}
</section>
{{{{/if}}}}
"""


def hear_files(paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Judge recordings one after the other.

    Yields:
        For each the file's name with its recognition, or with an error: a sentence for the person who made it.
    """
    for path in paths:
        try:
            yield {"file": Path(path).name} | service.hear(path).to_json()
        except AudioError as error:
            yield {"file": Path(path).name, "error": str(error)}


def show(paths: list[str] | None) -> Iterator[Shown]:
    """Judge recordings on the page: the table grows file by file."""
    if not paths:
        yield shown()
        return
    wanted = paths[:MAX_FILES]
    yield shown(headline=texts.BATCH_PROGRESS.format(done=0, all=len(wanted)))
    found: list[dict[str, Any]] = []
    try:
        for one in hear_files(wanted):
            found.append(one)
            yield describe(found, len(wanted), left_out=len(paths) - len(wanted))
    except WeightsError:
        yield shown(headline=texts.NO_MODEL)


def describe(found: list[dict[str, Any]], count: int, left_out: int = 0) -> Shown:
    """Describe what was heard so far as a table with a CSV."""
    bad = sum("error" in one for one in found)
    headline = texts.BATCH_PROGRESS.format(done=len(found), all=count)
    if len(found) == count:
        headline = texts.BATCH_DONE.format(good=count - bad, all=count)
    if left_out:
        headline += texts.BATCH_LEFT_OUT.format(left_out=left_out, limit=MAX_FILES)
    frame = to_frame(found)
    return shown(
        headline=headline,
        columns=list(frame.columns),
        rows=table.rows_of(frame.map(_for_eyes).astype(object).where(frame.notna(), None)),
        csv=table.csv_link(frame),
    )


def _for_eyes(cell: Any) -> Any:
    return percent(cell) if isinstance(cell, float) else cell


def to_frame(found: list[dict[str, Any]]) -> pd.DataFrame:
    """List what was heard: file, emotion, the kind of voice, every probability."""
    file, emotion, note, voice = texts.BATCH_COLUMNS
    rows = [
        {
            file: one["file"],
            emotion: one.get("emotion") or ("" if "error" in one else texts.BATCH_UNSURE),
            note: one.get("error") or one.get("notice", ""),
            voice: one.get("gender", ""),
            **{name.capitalize(): value for name, value in one.get("probabilities", {}).items()},
        }
        for one in found
    ]
    frame = pd.DataFrame(rows, dtype=object)
    return frame.where(frame.notna(), None)
