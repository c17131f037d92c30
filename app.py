"""The page and the endpoints: run `python app.py` and open the address it prints."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from scraper.moods import Mood
from ui import endpoints, page, service, texts
from ui.answer import Answer
from ui.cards import FilmCards
from ui.template import Template
from ui.theme import Theme, style_sheet

HEADER = f"<header><p>{texts.TITLE}</p><h1>{texts.QUESTION}</h1><p>{texts.LEAD}</p></header>"
FOOTER = f"<footer><p>{texts.LIMITS}</p><p>{texts.CREDITS}</p></footer>"

LAUNCH = {
    "theme": Theme(),
    "css": style_sheet(),
    "max_file_size": "20mb",
    "mcp_server": True,
    "run_history": False,
    "show_error": True,
    "ssr_mode": False,
    "footer_links": ["api"],
}

with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as demo:
    visit = gr.State(page.Visit())
    Template(HEADER, elem_id="header")
    with gr.Row(elem_id="ask"):
        with gr.Column(elem_id="voice", min_width=280):
            voice = gr.Audio(
                sources=["microphone", "upload"],
                type="filepath",
                label=texts.SPEAK,
                buttons=[],
                elem_id="clip",
            )
            Template(f"<p>{texts.SPEAK_HINT}</p>", elem_id="hint")
        with gr.Column(elem_id="choose", min_width=280):
            moods = gr.Radio([(mood.capitalize(), mood.value) for mood in Mood], label=texts.PICK, elem_id="moods")
            intent = gr.Radio(texts.INTENTS, value="match", label=texts.INTENT, elem_id="intent")
    answer = Answer()
    voice_too = gr.Checkbox(True, label=texts.SHOW_VOICE, elem_id="voice-too")
    films = FilmCards()
    more = gr.Button(texts.MORE, visible=False, elem_id="more")
    Template(FOOTER, elem_id="footer")

    private = {"api_visibility": "private", "show_progress": "hidden"}
    latest = private | {"trigger_mode": "always_last"}
    found = [visit, films, more]
    heard = voice.change(
        page.hear_clip, [voice, voice_too], [visit, answer, moods],
        concurrency_id="model", **latest | {"show_progress": "minimal", "show_progress_on": answer},
    )  # fmt: skip
    picked = moods.input(page.pick_mood, [moods, visit], [visit, answer], **latest)
    for trigger in (heard.then, picked.then, intent.input):
        trigger(page.show_films, [visit, intent], found, **latest)
    more.click(page.more_films, [visit, intent], found, **private)
    voice_too.input(page.show_voice, [voice_too, visit], answer, **private)
    endpoints.publish()

demo.queue(max_size=32, default_concurrency_limit=4)

if __name__ == "__main__":
    service.warm_up()
    demo.launch(**LAUNCH)
