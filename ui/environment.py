"""What Gradio reads from the environment when it is imported, checked and put in order; app.py imports this first."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from ctypes import CDLL
from pathlib import Path
from urllib.parse import urlsplit

MALLOC = {-8: 2, -3: 2**17, -1: 2**17}  # M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD of glibc: memory is given back


def prepare() -> None:
    """Set what the environment does not set itself; what it sets wrongly ends the program with one line."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")  # that Gradio remembers
    if os.path.expanduser("~") == "~":  # noqa: PTH111 - Path raises for a user without a home
        os.environ["HOME"] = tempfile.gettempdir()
    parent = (os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()).removesuffix("/mood-picks")
    os.environ["GRADIO_TEMP_DIR"] = str(Path(parent, "mood-picks"))  # our own, because old files in it are deleted
    with suppress(OSError, AttributeError):  # another system than Linux
        for setting, value in MALLOC.items():
            CDLL("libc.so.6").mallopt(setting, value)
    port = os.environ.get("GRADIO_SERVER_PORT") or "7860"
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        sys.exit(f"app.py: GRADIO_SERVER_PORT must be a number from 1 to 65535, not {port}.")
    if "GRADIO_ROOT_PATH" in os.environ:  # may be written as keep, /keep/ or https://host/keep
        path = urlsplit(os.environ["GRADIO_ROOT_PATH"]).path.strip("/")
        os.environ["GRADIO_ROOT_PATH"] = f"/{path}" if path else ""


prepare()
