"""Several recordings at once: a row for each, and a file that cannot be used costs only its own row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from ser_model.audio import CLIP_LIMITS
from ser_model.batch import FileResult, predict_files
from ser_model.cnn import WeightsError
from ui import service, texts
from ui.answer import adjective, percent
from ui.page import PRIVATE, draw_hint
from ui.template import SafeContext, escape, table, template

MAX_FILES = 50


def draw() -> None:
    """Lay out the field for files and the table."""
    with gr.Accordion(texts.BATCH, open=False, elem_id="batch", elem_classes="drawer"):
        draw_hint("batch-hint", note="file-note")
        files = gr.File(file_count="multiple", label=texts.BATCH_PICK, height=140)
        results = template("batch", elem_id="results", table=texts.BATCH, file="voices.csv")
    files.change(show_results, files, results, concurrency_id="model", **PRIVATE)


def predict_all(paths: list[str]) -> Iterator[FileResult]:
    """Predict the emotion in visitors' recordings, one after the other."""
    return predict_files(service.current_recognizer(), paths, limits=CLIP_LIMITS)


def show_results(paths: list[str] | None) -> Iterator[SafeContext]:
    """Predict on the page: the table grows file by file."""
    if not paths:
        yield escape()
        return
    wanted = paths[:MAX_FILES]
    yield escape(headline=texts.BATCH_PROGRESS.format(done=0, all=len(wanted)))
    results: list[FileResult] = []
    try:
        for result in predict_all(wanted):
            results.append(result)
            yield describe(results, len(wanted), left_out=len(paths) - len(wanted))
    except WeightsError:
        yield escape(headline=texts.NO_MODEL)


def describe(results: list[FileResult], count: int, left_out: int = 0) -> SafeContext:
    """Describe the results so far as a table with a CSV."""
    good = sum(result.prediction is not None for result in results)
    headline = texts.BATCH_PROGRESS.format(done=len(results), all=count)
    if len(results) == count:
        unsure = sum(result.prediction is not None and not result.prediction.sure for result in results)
        parts = (texts.BATCH_DONE, good), (texts.BATCH_NOT_SURE, unsure), (texts.BATCH_BAD, count - good)
        headline = "".join(part.format(good=good, count=number) for part, number in parts if number) + "."
    if left_out:
        headline += texts.BATCH_LEFT_OUT.format(left_out=left_out, limit=MAX_FILES)
    emotions = next((list(result.prediction.probabilities) for result in results if result.prediction), [])
    columns = (*texts.BATCH_COLUMNS, *(adjective(emotion).capitalize() for emotion in emotions))
    rows = [_make_row(result, emotions) for result in results]
    shown = [[percent(cell) if isinstance(cell, float) else cell for cell in row] for row in rows]
    return escape(headline=headline, **table(columns, shown, rows))


def _make_row(result: FileResult, emotions: list[str]) -> list[Any]:
    """Return file, emotion, note, gender, and the probability of each emotion."""
    name, prediction = Path(result.file).name, result.prediction
    if prediction is None:
        return [name, "", result.error, "", *[None] * len(emotions)]
    emotion = adjective(prediction.emotion) if prediction.emotion else texts.BATCH_UNSURE
    notice = prediction.recording_notice
    probabilities = prediction.to_json()["probabilities"].values()
    return [name, emotion, notice, str(prediction.gender), *probabilities]
