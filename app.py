"""The page and the endpoints: run `python app.py` and open the address it prints."""

import functools
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ["GRADIO_TEMP_DIR"] = str(  # a folder of our own, since old files in it are deleted
    Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir(), "mood-picks")
)

if os.environ.get("SPACES_ZERO_GPU"):  # set by ZeroGPU Spaces, where this must come before torch
    import spaces  # noqa: F401

import gradio as gr
from starlette.middleware import Middleware

from scraper.errors import QueryError
from scraper.moods import Mood
from ui import (
    answer,
    batch,
    cards,
    closeup,
    comparison,
    endpoints,
    examples,
    filters,
    gate,
    live,
    microphone,
    page,
    quality,
    service,
    teach,
    texts,
    uploads,
)
from ui.template import template
from ui.theme import Theme, script, style_sheet
from ui.visit import Shelf, Visit

HEADER = f"<header><p>{texts.TITLE}</p><h1>{texts.QUESTION}</h1><p>{texts.LEAD}</p></header>"
FOOTER = f"<p>{texts.LIMITS}</p><p>{texts.CREDITS}</p>"

LAUNCH: dict[str, Any] = {
    "theme": Theme(),
    "css": style_sheet(),
    "js": script(),
    "allowed_paths": [str(examples.FOLDER)],
    "max_file_size": "20mb",
    "state_session_capacity": 128,  # visitors and calls remembered at a time; Gradio keeps 0.14 MB for each
    "mcp_server": True,
    "run_history": False,
    "show_error": True,
    "ssr_mode": False,
    "footer_links": ["api", "settings"],
    "app_kwargs": {
        "exception_handlers": dict.fromkeys((TypeError, AttributeError, OSError), endpoints.refuse),
        "middleware": [Middleware(gate.Gate)],
    },
}

with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(uploads.SWEEP_S, uploads.KEPT_S)) as demo:
    visit, shelf = gr.State(Visit()), gr.State(Shelf())
    template(HEADER, elem_id="header")
    with gr.Column(elem_id="ask"):
        with gr.Row(elem_id="either"):
            with gr.Column(elem_id="voice", min_width=280):
                voice = gr.Audio(
                    sources=["microphone", "upload"],
                    type="filepath",
                    label=texts.SPEAK,
                    buttons=[],
                    elem_id="clip",
                )
                template(f"{microphone.NOTE}<p>{texts.SPEAK_HINT}</p>", elem_id="hint")
            with gr.Column(elem_id="choose", min_width=280):
                faces = [(mood.adjective.capitalize(), mood.value) for mood in Mood]
                moods = gr.Radio(faces, label=texts.PICK, elem_id="moods")
                intent = gr.Radio(texts.INTENTS, value="match", label=texts.INTENT, elem_id="intent")
        with gr.Row(elem_id="besides"):
            template(f'<p class="quiet">{texts.EXAMPLES}</p>', elem_id="examples-note")
            recordings = examples.draw()
            voice_too = gr.Checkbox(True, label=texts.SHOW_VOICE, elem_id="voice-too")
    verdict = template(answer.TEMPLATE, elem_id="answer", live=True)
    with gr.Row(elem_id="deeper"):
        closer = gr.Button(texts.CLOSER, visible=False, elem_id="closer")
        compare = gr.Button(texts.COMPARE, visible=False, elem_id="compare")
    compared = template(comparison.TEMPLATE, elem_id="comparison", live=True)
    drawn = template(closeup.TEMPLATE, elem_id="closeup", live=True)
    with gr.Accordion(texts.FILTERS, open=False, elem_id="filters", elem_classes="drawer") as filter_drawer:
        drawer = filters.draw()
        reset = gr.Button(texts.RESET, elem_id="reset")
    films = template(cards.TEMPLATE, elem_id="films", script=cards.DISMISS)
    more = gr.Button(texts.MORE, visible=False, elem_id="more")
    # open, and closed by page.js: a recorder that appears later streams ten times a second
    with gr.Accordion(texts.LIVE, open=True, elem_id="live", elem_classes="drawer"):
        live.draw(visit)
    with gr.Accordion(texts.TEACH, open=True, elem_id="teach", elem_classes="drawer"):
        teach.draw(visit)
    with gr.Accordion(texts.BATCH, open=False, elem_id="batch", elem_classes="drawer"):
        template(microphone.FILE_NOTE, elem_id="batch-hint")
        files = gr.File(file_count="multiple", label=texts.BATCH_PICK, height=140)
        results = template(batch.TEMPLATE, elem_id="results")
    template(quality.TEMPLATE, quality.describe(), elem_id="quality")
    template(FOOTER, elem_id="footer")

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    latest = private | {"trigger_mode": "always_last"}
    asked, found = [moods, visit, shelf, intent, *drawer], [shelf, films, more, filter_drawer]
    heard = voice.change(
        page.hear_clip, [voice, voice_too, visit], [visit, verdict, moods],
        concurrency_id="model", **latest | {"show_progress": "minimal", "show_progress_on": verdict},
    )  # fmt: skip
    for button, recording in recordings.items():
        button.click(functools.partial(str, recording), None, voice, **private)
    picked = moods.input(page.pick_mood, [moods, visit], [visit, verdict], **latest)
    looking = {"show_progress": "minimal", "show_progress_on": films}
    cleared = reset.click(lambda: list(filters.DEFAULTS.values()), None, drawer, **private)
    opened = demo.load(page.open_address, visit, [visit, verdict, moods, filter_drawer, intent, *drawer], **private)
    for earlier in (heard, picked, cleared, opened):
        earlier.then(page.show_films, asked, found, **latest | looking)
    changed = [question.input for question in (intent, *drawer)]
    gr.on(changed, page.show_films, asked, found, **latest | looking)
    films.click(page.drop_film, shelf, found, trigger_mode="multiple", **private)
    heard.then(page.offer_more, visit, [compare, compared, closer, drawn], **private)
    compare.click(comparison.show, [voice, visit], compared, concurrency_id="comparison", **private)
    closer.click(page.look_closer, [voice, visit], drawn, concurrency_id="model", **private)
    more.click(page.more_films, shelf, found, **private | looking)
    voice_too.input(page.show_voice, [voice_too, visit], verdict, **private)
    files.change(batch.show, files, results, concurrency_id="model", **private)
    endpoints.publish()

demo.queue(max_size=64, default_concurrency_limit=4)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as after Ctrl-C, which deletes recordings
    try:
        uploads.keep_clean()
        service.warm_up()
    except (uploads.NotOursError, QueryError, OSError) as error:
        sys.exit(f"app.py: {error}")
    demo.launch(**LAUNCH)
