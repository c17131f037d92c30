"""Runs app.py as a person would and writes down every address it talks to: python watched_app.py LOG."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

LOG = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        os.write(LOG, f"{event} {arguments[1]!r}\n".encode())
    elif event == "socket.getaddrinfo":
        os.write(LOG, f"{event} {arguments[0]!r}\n".encode())


sys.addaudithook(note)
sys.argv = ["app.py"]
sys.path.insert(0, str(Path.cwd()))
runpy.run_path("app.py", run_name="__main__")
