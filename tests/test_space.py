"""The app starts as a Space: with the environment of CPU Basic, and with that of ZeroGPU."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from huggingface_hub import SpaceCard

SPACE = {"SYSTEM": "spaces", "SPACE_ID": "somebody/mood-picks", "SPACE_HOST": "somebody-mood-picks.hf.space"}
KINDS = {
    "cpu-basic": SPACE | {"ACCELERATOR": "none", "CPU_CORES": "2", "MEMORY": "16Gi"},
    "zero-gpu": SPACE | {"SPACES_ZERO_GPU": "true", "ACCELERATOR": "zero-a10g"},
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_and_recommends(kind: str, project: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | KINDS[kind] | {"GRADIO_SERVER_PORT": str(port), "IMDB_LIVE": "off"}
    environment |= {"MOOD_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "GRADIO_SERVER_NAME": "127.0.0.1"}
    log = (tmp_path / "log").open("w+")
    app = subprocess.Popen([sys.executable, "app.py"], cwd=project, env=environment, stdout=log, stderr=log)
    try:
        config = wait_for(f"http://127.0.0.1:{port}/config", app)
        assert config["space_id"] == SPACE["SPACE_ID"]
        call = f"http://127.0.0.1:{port}/gradio_api/call/recommend"
        event = requests.post(call, json={"data": ["sad", "lift"]}, timeout=30).json()["event_id"]
        assert "imdb.com/title/tt" in requests.get(f"{call}/{event}", timeout=60).text
    finally:
        app.terminate()
        app.wait(20)
    log.seek(0)
    assert "Traceback" not in log.read()


def wait_for(url: str, app: subprocess.Popen[bytes], patience_s: float = 120) -> dict[str, object]:
    begin = time.monotonic()
    while time.monotonic() - begin < patience_s:
        assert app.poll() is None, "the app ended by itself"
        try:
            answer: dict[str, object] = requests.get(url, timeout=5).json()
        except requests.ConnectionError:
            time.sleep(0.5)
        else:
            return answer
    raise AssertionError(f"{url} did not answer")


def test_the_front_matter_is_complete(project: Path) -> None:
    card = SpaceCard.load(project / "README.md").data
    wanted = ("title", "emoji", "sdk", "sdk_version", "python_version", "app_file", "license", "short_description")
    assert all(getattr(card, name) for name in wanted)
    assert card.sdk == "gradio"
    assert len(str(card.short_description)) <= 60
    assert "mcp-server" in card.tags
    assert (project / str(card.app_file)).is_file()


def test_only_the_comparison_asks_for_a_gpu(project: Path) -> None:
    asking = [path.name for path in (project / "ui").glob("*.py") if "spaces.GPU" in path.read_text()]
    assert asking == ["rival.py"]


def test_the_image_runs_as_somebody_without_rights_and_tells_its_health(project: Path) -> None:
    lines = (project / "Dockerfile").read_text().splitlines()
    steps = [line.split()[0] for line in lines if line and line[0].isupper()]
    assert {"USER", "HEALTHCHECK", "EXPOSE", "CMD"} <= set(steps)
    assert steps.index("USER") < steps.index("CMD")
    assert "root" not in next(line for line in lines if line.startswith("USER"))
