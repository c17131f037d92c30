"""The real app in a process of its own, with its own folders, and a note of every address it talked to."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120
OWN = re.compile(r"\('(127\.0\.0\.1|::1|0\.0\.0\.0)', |getaddrinfo b?'(127\.0\.0\.1|localhost|0\.0\.0\.0|::1)'|None")


@dataclass(frozen=True)
class Running:
    """An app that runs.

    Attributes:
        url: where it answers.
        folder: the only place where it may write: its home, its temporary folder, its output.
        process: itself.
    """

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal, with SIGKILL also what it started, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        if number == signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
        return code

    @property
    def said(self) -> str:
        """Everything that it wrote to its output."""
        return (self.folder / "output.txt").read_text()

    @property
    def strangers(self) -> list[str]:
        """The addresses that it talked to outside this machine."""
        return [line for line in (self.folder / "sockets.txt").read_text().splitlines() if not OWN.search(line)]


def start(
    folder: Path, limit_bytes: int = -1, project: Path = PROJECT, command: Sequence[str] = (), **environment: str
) -> Running:
    """Start the app, with everything it may write under a folder, and wait for its page.

    With limit_bytes no file may grow larger, as on a full disk; project may be a copy of the program; command replaces
    the Python that notes addresses.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    places = {
        "HOME": folder / "home",
        "MOOD_HOME": folder / "home",
        "TMPDIR": folder / "tmp",
        "HF_HOME": folder / "home",
    }
    settings = {name: str(place) for name, place in places.items()} | {"GRADIO_SERVER_PORT": str(port)}
    settings |= {"IMDB_LIVE": "off", "PYTHONUNBUFFERED": "1", "GRADIO_SERVER_NAME": "127.0.0.1"} | environment
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRADIO", "HF_", "IMDB"))}
    watched = [sys.executable, str(Path(__file__).with_name("watched_app.py")), str(folder / "sockets.txt")]

    def fill_disk() -> None:
        if limit_bytes >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    with (folder / "output.txt").open("ab") as output:
        said = {"stdout": output, "stderr": output}
        settings_of: dict[str, Any] = {
            "cwd": project,
            "env": kept | settings,
            "preexec_fn": fill_disk,
            "start_new_session": True,
        }
        process = subprocess.Popen(command or watched, **settings_of, **said)
    running = Running(f"http://127.0.0.1:{port}/", folder, process)
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{running.url}config", timeout=5)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return running
    process.kill()
    raise AssertionError(f"the app did not start: {running.said[-2000:]}")
