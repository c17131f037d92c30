"""What comes in from outside: recordings, which are deleted within the hour, and requests that are refused.

Gradio deletes the recordings that it knows of, but not those of a process that was killed or of an upload that broke
off. It would also fetch any web address for anyone, proxy requests, and read request bodies of any size into memory.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import gradio as gr
from fastapi import Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from gradio import processing_utils
from gradio.utils import get_upload_folder
from gradio_client.utils import is_file_obj_with_meta
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scraper.errors import QueryError
from ui import texts

SWEEP_S = 60
MAX_AGE_S = 3_540  # with SWEEP_S, an hour at most
MAX_TOTAL_BYTES = 2 * 1024**3  # recordings of all visitors: a hundred of full size
BLOCK_BYTES = 4_096
MAX_BODY_BYTES = 1024**2  # of a request that is no upload: the names of fifty files and a profile have a few kB

CLOSED = re.compile(
    r"/(gradio_api/)?(file[=/]\s*https?:|proxy=|process_recording|component_server|monitoring)", re.IGNORECASE
)
UPLOAD = re.compile(r"/(gradio_api/)?upload/?$")
SERVED = "/gradio_api/file="  # how the address of an upload begins
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

logger = logging.getLogger(__name__)


class NotOursError(Exception):
    """The folder of recordings belongs to somebody else."""


def folder() -> Path:
    """Return the folder of recordings."""
    return Path(get_upload_folder()).resolve()


def claim_folder() -> None:
    """Make the folder of recordings, and close it to other users.

    Raises:
        NotOursError: It cannot be made, is of another user, or is a link, which would have files elsewhere deleted.
    """
    place, problem = Path(get_upload_folder()), "belongs to somebody else"
    own = os.geteuid() if hasattr(os, "geteuid") else 0  # as stat says on Windows, where each user has a folder
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink() and place.stat().st_uid == own:
            return place.chmod(0o700)
    except OSError as error:
        problem = f"cannot be used ({error.strerror})"
    raise NotOursError(f"{place} {problem}. Set GRADIO_TEMP_DIR to a folder of your own.")


def delete_old_files(max_age_s: float = MAX_AGE_S) -> None:
    """Delete old files in the folder of recordings from now on."""
    place, max_age_s = folder(), min(max_age_s, MAX_AGE_S)
    delete_older(place, max_age_s)

    def sweep() -> None:
        while True:
            time.sleep(max(min(max_age_s, SWEEP_S), 1))
            delete_older(place, max_age_s)

    threading.Thread(target=sweep, daemon=True).start()


def delete_older(place: Path, max_age_s: float) -> None:
    """Delete files, and empty folders, that came here more than max_age_s ago, or in the future by a wrong clock."""
    for path in _list(place):
        try:
            status = path.lstat()
            if abs(time.time() - max(status.st_mtime, status.st_ctime)) <= max_age_s:
                continue
            if not path.is_dir() or path.is_symlink():
                path.unlink()
            elif not any(path.iterdir()):
                path.rmdir()
        except FileNotFoundError:  # deleted meanwhile
            continue
        except OSError as error:
            logger.warning("a recording cannot be deleted: %s", error.strerror)


def path_of(audio: Any) -> str:
    """Return the path of an upload, or raise a QueryError: a path that a client made up must never be opened."""
    if not is_file_obj_with_meta(audio) or not Path(audio["path"]).resolve().is_relative_to(folder()):
        raise QueryError(texts.NOT_A_FILE)
    return str(audio["path"])


def refuse_web_addresses() -> None:
    """Keep Gradio from fetching recordings from web addresses."""
    processing_utils.async_ssrf_protected_download = _find_upload


async def _find_upload(url: str, cache_dir: str) -> str:
    """Return the path of an upload that an MCP client names by its address; refuse any other web address."""
    path = Path(unquote(urlsplit(url).path.partition(SERVED)[2])).resolve()
    if not path.is_relative_to(Path(cache_dir).resolve()) or not path.is_file():
        raise gr.Error(texts.WEB_ADDRESS, print_exception=False)
    return str(path)


class RequestFilter:
    """ASGI middleware: refuses closed routes (403), uploads without room (507) and other requests that are large."""

    def __init__(self, app: ASGIApp, max_total_bytes: int = MAX_TOTAL_BYTES) -> None:
        self.app = app
        self._max_total_bytes = max_total_bytes
        self._under_way = 0  # bytes of the uploads that are not stored yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; one that is longer than it may be is cut off."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = route_of(scope)
        is_upload = bool(UPLOAD.match(path)) and scope["method"] == "POST"
        refusal = await self._refuse(scope, path, is_upload)
        taken = 0

        async def receive_limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return message if is_upload or taken <= MAX_BODY_BYTES else {"type": "http.disconnect"}

        under_way = int(Headers(scope=scope)["content-length"]) if is_upload and not refusal else 0
        self._under_way += under_way
        try:
            await (refusal or self.app)(scope, receive_limited, send)
        finally:
            self._under_way -= under_way

    async def _refuse(self, scope: Scope, path: str, is_upload: bool) -> Response | None:
        length = Headers(scope=scope).get("content-length", "" if is_upload else "0")
        if CLOSED.match(path):
            return PlainTextResponse(texts.CLOSED, 403)
        if not is_upload:
            fits = length.isdecimal() and int(length) <= MAX_BODY_BYTES
            return None if fits else JSONResponse({"detail": texts.TOO_LONG}, 413)
        if not length.isdecimal():
            return JSONResponse({"detail": texts.NO_LENGTH}, 411)
        total = await asyncio.to_thread(_total_bytes)
        return _no_room() if total + self._under_way + int(length) > self._max_total_bytes else None


def route_of(scope: Scope) -> str:
    """Return the path of a request without the prefix of GRADIO_ROOT_PATH, which a proxy may keep, as routing does."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


async def explain_failure(request: Request, error: Exception) -> JSONResponse:
    """Answer in a sentence where Gradio's own routes raise: bad uploads, a full disk, wrong arguments."""
    reason = str(error).partition(". Please click")[0]
    if isinstance(error, OSError):
        if error.errno in FULL:
            return _no_room()
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse({"detail": texts.IN_THE_LOG}, 500)
    if UPLOAD.search(request.url.path):
        return JSONResponse({"detail": texts.NO_UPLOAD}, 400)
    if reason.startswith(("No value provided", "Parameter `")):
        return JSONResponse({"detail": f"{reason}; see /gradio_api/openapi.json"}, 422)
    raise error


def _no_room() -> JSONResponse:
    return JSONResponse({"detail": texts.NO_ROOM}, 507)


def _total_bytes() -> int:
    """Return the bytes on disk of all recordings; even the smallest file takes a block."""
    total = 0
    for path in _list(folder()):
        with suppress(OSError):  # deleted meanwhile
            total += max(path.lstat().st_size, BLOCK_BYTES)
    return total


def _list(place: Path) -> Iterator[Path]:
    """List everything in a folder; what is in a subfolder comes before the subfolder."""
    for root, folders, files in os.walk(place, topdown=False):
        yield from (Path(root, name) for name in (*files, *folders))
