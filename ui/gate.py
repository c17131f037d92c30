"""What is refused before Gradio's server begins with it: ways that this page never uses, and uploads without end.

It would fetch any web address for anybody, pass requests on, convert videos and show who visits.
"""

from __future__ import annotations

import asyncio
import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui import texts, uploads

CLOSED = re.compile(r"/(gradio_api/)?(file=\s*https?:|proxy=|process_recording|monitoring)", re.IGNORECASE)
UPLOAD = re.compile(r"/(gradio_api/)?upload/?$")


class Gate:
    """ASGI middleware that answers 403 where CLOSED says so, and 507 to uploads for which there is no room."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._coming = 0  # bytes of the uploads that are under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        path = scope["path"] if scope["type"] == "http" else ""
        if CLOSED.match(path):
            await PlainTextResponse(texts.CLOSED, status_code=403)(scope, receive, send)
        elif UPLOAD.match(path) and scope["method"] == "POST":
            await self._take_upload(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an upload if it says how large it is and there is room for it beside those that are under way."""
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            await JSONResponse({"detail": texts.NO_LENGTH}, 411)(scope, receive, send)
            return
        kept = await asyncio.to_thread(uploads.measure)
        if kept + self._coming + int(length) > uploads.MOST_BYTES:
            await refuse_for_room()(scope, receive, send)
            return
        self._coming += int(length)
        try:
            await self.app(scope, receive, send)
        finally:
            self._coming -= int(length)


def refuse_for_room() -> JSONResponse:
    """Answer where a recording finds no room."""
    return JSONResponse({"detail": texts.NO_ROOM}, 507)
