"""The app as a process of its own, as whoever runs it starts it: python app.py, on a free port, without IMDb."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 300


@dataclass(frozen=True)
class Server:
    """A running app.

    Attributes:
        address: Where it answers, without a slash behind.
        process: Its process.
        page_s: Seconds from the start of the process to the page.
    """

    address: str
    process: subprocess.Popen[bytes]
    page_s: float

    def memory_mb(self) -> dict[str, float]:
        """Return resident memory in MB: all of it, its peak so far, the process's own part and mapped files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        kilobytes = {line.split(":")[0]: line.split()[1] for line in status if line.startswith(("Vm", "Rss"))}
        names = {"resident": "VmRSS", "peak": "VmHWM", "own": "RssAnon", "mapped_files": "RssFile"}
        return {name: round(int(kilobytes[key]) / 1024, 1) for name, key in names.items()}

    def largest_mb(self, count: int = 12) -> dict[str, float]:
        """Return what holds most of the resident memory, in MB: libraries by name, the heap, and other memory."""
        held: Counter[str] = Counter()
        name = ""
        for line in Path(f"/proc/{self.process.pid}/smaps").read_text().splitlines():
            first, *rest = line.split(maxsplit=5)
            if not first.endswith(":"):  # the head of a mapping: addresses, rights, offset, device, inode, name
                name = Path(rest[4]).name if len(rest) > 4 else "[other]"  # noqa: PLR2004
            elif first == "Rss:":
                held[name] += int(rest[0])
        return {name: round(kilobytes / 1024, 1) for name, kilobytes in held.most_common(count)}


@contextlib.contextmanager
def serve() -> Iterator[Server]:
    """Start the app, wait for the page, and stop it at the end."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
        free.close()
        settings = {"GRADIO_SERVER_PORT": str(port), "IMDB_LIVE": "off", "MOOD_HOME": home}
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            env=os.environ | settings,
            stdout=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process)
            yield Server(address, process, time.perf_counter() - started)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    raise TimeoutError(f"{address} did not answer within {PATIENCE_S} s.")
