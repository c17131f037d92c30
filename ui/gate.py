"""Ways of Gradio's server that this page never uses, closed before they begin.

It would fetch any web address for anybody, pass requests on, convert videos and show who visits.
"""

from __future__ import annotations

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

CLOSED = re.compile(r"/(gradio_api/)?(file=\s*https?:|proxy=|process_recording|monitoring)", re.IGNORECASE)
REFUSED = "This address is closed. Use the page, or the endpoints under /gradio_api/info."


class Gate:
    """ASGI middleware that answers 403 where CLOSED says so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        closed = scope["type"] == "http" and CLOSED.match(scope["path"])
        answer: ASGIApp = PlainTextResponse(REFUSED, status_code=403) if closed else self.app
        await answer(scope, receive, send)
