"""ASGI middleware around Gradio: the head of the page that chat programs read, and event ids that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import answer, texts

HERE = Path(__file__).parent
ICON = HERE / "icon.png"
PICTURE = HERE / "share.png"
PICTURE_NAME, PICTURE_SIZE = "share.png", (1200, 630)

GRADIOS = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>', re.DOTALL)
CHARSET = '<meta charset="utf-8" />'  # after which the head may say something
FRAME = (  # of style.css, which Gradio adds so late that the page would be seen to move
    ".gradio-container { width: 100% !important; max-width: 1112px !important; margin: 0 auto !important; "
    "padding: 0 16px !important; } .gradio-container .main { padding: 0 !important; }"
)
ROOM_FOR_FILMS = " #list { min-height: 100vh; }"  # of a link with a mood, so that what is below does not move
MANIFEST = {  # with relative addresses, as the page may be served under a prefix
    "name": texts.TITLE, "short_name": texts.TITLE, "description": texts.DESCRIPTION, "start_url": "./", "scope": "./",
    "display": "standalone", "background_color": "#fbf8f3", "theme_color": "#fbf8f3",
    "icons": [{"src": f"pwa_icon/{size}", "sizes": f"{size}x{size}", "type": "image/png"} for size in (192, 512)],
}  # fmt: skip
EVENT = re.compile(r"/gradio_api/call/(?:v2/)?\w+/(\w+)/?$")


class PageHead:
    """Gives the page its own title, description, picture and manifest, where Gradio's HTML has those of Gradio."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the picture and the manifest; rewrite the head of the page; pass everything else on."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path.endswith(f"/{PICTURE_NAME}"):
            await FileResponse(PICTURE)(scope, receive, send)
            return
        if path.endswith("/manifest.json"):
            await JSONResponse(MANIFEST)(scope, receive, send)
            return
        if not path.endswith("/"):
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def send_with_head(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and "text/html" in Headers(raw=message["headers"]).get(
                "content-type", ""
            ):
                start = message
            elif message["type"] == "http.response.body" and start:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                body = rewrite(body.decode("utf-8"), scope).encode("utf-8")
                MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
                await send(start)
                await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self.app(scope, receive, send_with_head)


class UnknownEvents:
    """Answers 404 for the answer of a call that was never made or has been read, for which Gradio would wait."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse an unknown event id, or pass the request on."""
        asked = EVENT.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if asked:
            sessions = scope["app"].get_blocks()._queue.pending_event_ids_session  # noqa: SLF001
            if not any(asked[1] in waiting for waiting in sessions.values()):
                await JSONResponse({"detail": texts.UNKNOWN_EVENT}, 404)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def rewrite(page: str, scope: Scope) -> str:
    """Return the page with a title, description and picture of its own."""
    asked = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if not pair[0].startswith("__")]
    mood = answer.read_mood(dict(asked).get("mood", ""))
    title = answer.films_for(mood) if mood else texts.TITLE
    base = public_address(Headers(scope=scope), scope)
    facts = {
        "og:title": title, "og:description": texts.DESCRIPTION, "og:type": "website", "og:site_name": texts.TITLE,
        "og:url": f"{base}?{urlencode(asked)}" if asked else base,
        "og:image": base + PICTURE_NAME, "og:image:alt": texts.PICTURE_SAYS,
        "og:image:width": str(PICTURE_SIZE[0]), "og:image:height": str(PICTURE_SIZE[1]),
    }  # fmt: skip
    tags = [f'<meta property="{name}" content="{escape(value)}" />' for name, value in facts.items()]
    head = [
        f"<title>{escape(texts.TITLE)}</title>",
        f'<meta name="description" content="{escape(texts.DESCRIPTION)}" />',
        '<meta name="twitter:card" content="summary_large_image" />',
        '<link rel="icon" type="image/png" href="favicon.ico" /><link rel="apple-touch-icon" href="favicon.ico" />',
        f"<style>{FRAME}{ROOM_FOR_FILMS * bool(mood)}</style>",
        *tags,
    ]
    page = GRADIOS.sub("", page).replace('href="/manifest.json"', 'href="manifest.json"')
    return page.replace(CHARSET, "\n".join([CHARSET, *head]), 1)


def public_address(headers: Mapping[str, str], scope: Scope) -> str:
    """Return the address of the page as a visitor sees it, also behind a proxy."""
    scheme = headers.get("x-forwarded-proto", scope["scheme"]).split(",")[0].strip()
    host = headers.get("x-forwarded-host", headers.get("host", "")).split(",")[0].strip()
    return f"{scheme}://{host}{scope.get('root_path', '').rstrip('/')}/"
