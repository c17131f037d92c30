"""From `python app.py` to the page, and to the first recognised clip: python -m benchmarks.cold_start CLIP.

The bare `import torch, gradio` of the same run stands beside it. Needs GNU time (apt install time). Writes
results/cold_start.json with what `time -v` says.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from gradio_client import Client, handle_file

OUT = Path("results/cold_start.json")
PATIENCE_S = 120


def main() -> None:
    """Start, ask, stop, and write the times."""
    clip = sys.argv[1]
    bare_s = _time_import()
    port = _find_port()
    address = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    app = subprocess.Popen(
        ["/usr/bin/time", "-v", sys.executable, "app.py"],
        env=os.environ | {"GRADIO_SERVER_PORT": str(port), "IMDB_LIVE": "off"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for(address)
        page_s = time.perf_counter() - started
        client = Client(address, verbose=False)
        answer = client.predict(handle_file(clip), api_name="/recognize")
        first_s = time.perf_counter() - started
        warm_s = _time_warm(client, clip)
    finally:
        os.killpg(app.pid, signal.SIGINT)
    _, said = app.communicate(timeout=30)
    report = {
        "command": "python -m benchmarks.cold_start CLIP",
        "import_torch_and_gradio_s": bare_s,
        "page_answers_s": page_s,
        "first_clip_recognised_s": first_s,
        "page_times_bare_import": page_s / bare_s,
        "first_clip_times_bare_import": first_s / bare_s,
        "next_clip_s": warm_s,
        "peak_memory_mb": int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", said).group(1)) / 1024,
        "answer": {"emotion": answer["emotion"], "sure": answer["sure"]},
        "time_v": [
            line.strip().replace(sys.executable, "python") for line in said.splitlines() if line.startswith("\t")
        ],
    }
    OUT.write_text(json.dumps(report, indent=1) + "\n")
    print(OUT.read_text())


def _time_import() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch, gradio"], check=True)
    return time.perf_counter() - started


def _time_warm(client: Client, clip: str) -> float:
    started = time.perf_counter()
    client.predict(handle_file(clip), api_name="/recognize")
    return time.perf_counter() - started


def _find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=1):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise TimeoutError(f"{address} did not answer within {PATIENCE_S} s.")


if __name__ == "__main__":
    main()
