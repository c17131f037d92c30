"""The page and the endpoints: run `python app.py` and open the address it prints."""

import os
import signal
import socket
import sys
from typing import Any

import ui.environment  # noqa: F401 - before Gradio, which reads it

# isort: split
import gradio as gr
import spaces  # noqa: F401 - on a ZeroGPU Space this must come before torch
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from scraper.errors import QueryError
from ser_model.audio import CLIP_LIMITS
from ui import batch, chips, comparison, endpoints, enroll, explain, films, live, page, quality, server, service, texts
from ui.middleware import ICON, PageHead, UnknownEvents
from ui.template import template
from ui.theme import Theme, script, style_sheet

LAUNCH: dict[str, Any] = {
    "theme": Theme(),
    "css": style_sheet(),
    "js": script(),
    "allowed_paths": [str(page.VOICES)],
    "max_file_size": CLIP_LIMITS.max_bytes,
    "state_session_capacity": 128,  # visitors and calls that are remembered; Gradio needs 0.14 MB for each
    "mcp_server": True,
    "favicon_path": str(ICON),
    "pwa": True,
    "run_history": False,
    "show_error": True,
    "ssr_mode": False,
    "footer_links": ["api"],
    "app_kwargs": {
        "exception_handlers": dict.fromkeys((TypeError, AttributeError, OSError), server.explain_failure),
        "middleware": [
            Middleware(GZipMiddleware, minimum_size=1000),
            Middleware(server.RequestFilter),
            Middleware(UnknownEvents),
            Middleware(PageHead),
        ],
    },
}

try:
    server.claim_folder()  # Gradio writes there as soon as there are blocks
except server.NotOursError as error:
    sys.exit(f"app.py: {error}")
with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(server.SWEEP_S, server.MAX_AGE_S)) as demo:
    visit = gr.State(page.Visit())
    template("header", elem_id="header")
    asked = page.draw(visit)
    with gr.Column(elem_id="list"):
        page.draw_hint("list-note", note="")
        listed = films.draw(visit, asked, demo)
        chips.draw(visit, listed)
    deeper = gr.Row(elem_id="deeper")
    explain.draw(deeper, visit, asked)
    comparison.draw(deeper, visit, asked, listed)
    live.draw(visit)
    enroll.draw(visit)
    batch.draw()
    quality.draw()
    template("footer", elem_id="footer")
    endpoints.publish(demo)

demo.queue(max_size=64, default_concurrency_limit=4)

if __name__ == "__main__" and gr.NO_RELOAD:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as after Ctrl-C, which deletes recordings
    try:
        server.delete_old_files(max_age_s=float(os.environ.get("MOOD_KEEP_S", server.MAX_AGE_S)))
        service.warm_up()
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a log says at once where the page is
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(os.environ.get("GRADIO_SERVER_PORT") or 7860))) == 0:
                print("The port is taken; the next free one is used.")
        demo.launch(**LAUNCH)
    except (QueryError, OSError, ValueError) as error:
        sys.exit(f"app.py: {error}")
