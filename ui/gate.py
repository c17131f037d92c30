"""What is refused before Gradio's server begins with it: ways that this page never uses, and uploads without end.

It would fetch any web address for anybody, pass requests on, convert videos and show who visits.
"""

from __future__ import annotations

import re

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui import uploads

CLOSED = re.compile(r"/(gradio_api/)?(file=\s*https?:|proxy=|process_recording|monitoring)", re.IGNORECASE)
UPLOAD = re.compile(r"/(gradio_api/)?upload/?$")
REFUSED = "This address is closed. Use the page, or the endpoints under /gradio_api/info."


NO_ROOM = "the recording cannot be kept: there is no room on this computer just now, please try again later"


class Gate:
    """ASGI middleware that answers 403 where CLOSED says so, and 507 to uploads while there are too many."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        path = scope["path"] if scope["type"] == "http" else ""
        answer = self.app
        if CLOSED.match(path):
            answer = PlainTextResponse(REFUSED, status_code=403)
        elif UPLOAD.match(path) and scope["method"] == "POST" and uploads.is_full():
            answer = refuse_for_room()
        await answer(scope, receive, send)


def refuse_for_room() -> JSONResponse:
    """Answer where a recording finds no room."""
    return JSONResponse({"detail": NO_ROOM}, 507)
