"""What is refused before Gradio's server begins with it: ways that this page never uses, and bodies without end.

It would fetch any web address for anybody, pass requests on, convert videos and show who visits; and it reads whole
into memory whatever is posted.
"""

from __future__ import annotations

import asyncio
import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import texts, uploads

CLOSED = re.compile(
    r"/(gradio_api/)?(file[=/]\s*https?:|proxy=|process_recording|component_server|monitoring)", re.IGNORECASE
)
UPLOAD = re.compile(r"/(gradio_api/)?upload/?$")
MOST_POSTED_BYTES = 1024**2  # of anything but an upload: fifty files' names and a learned voice are a few kB


class Gate:
    """ASGI middleware: 403 where CLOSED says so, 507 to uploads without room, 413 to anything else that is large."""

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
        elif scope["type"] == "http":
            await self._take_little(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _take_little(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose body is small, as it says or as it turns out."""
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_POSTED_BYTES:
            await JSONResponse({"detail": texts.TOO_LONG}, 413)(scope, receive, send)
            return
        taken = 0

        async def receive_little() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return message if taken <= MOST_POSTED_BYTES else {"type": "http.disconnect"}

        await self.app(scope, receive_little, send)

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
