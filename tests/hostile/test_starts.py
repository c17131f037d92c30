"""The app where something is missing, broken, full or unwritable from the start, or ends in the middle of an answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import soundfile as sf
from running_app import Running, start
from voice import RATE_HZ, speak

pytestmark = pytest.mark.slow


def ask(app: Running, name: str, **asked: Any) -> str:
    """Return everything that an endpoint answers."""
    call = requests.post(f"{app.url}gradio_api/call/v2/{name}", json=asked, timeout=60).json()
    return requests.get(f"{app.url}gradio_api/call/{name}/{call['event_id']}", timeout=60).text


def upload(app: Running, folder: Path) -> dict[str, Any]:
    sf.write(folder / "voice.wav", speak(), RATE_HZ)
    with (folder / "voice.wav").open("rb") as file:
        (path,) = requests.post(f"{app.url}gradio_api/upload", files={"files": file}, timeout=20).json()
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def hears_and_finds(app: Running, folder: Path) -> bool:
    return "event: complete" in ask(app, "recommend_from_voice", audio=upload(app, folder))


@pytest.mark.parametrize(
    ("file", "spoil"),
    [("model.safetensors", "cut"), ("model.safetensors", "change"), ("model.safetensors", "delete"),
     ("speaker.safetensors", "cut"), ("speaker.safetensors", "change"),
     ("config.json", "cut"), ("config.json", "delete")],
)  # fmt: skip
def test_spoiled_weights_are_one_line_and_films_go_on(copy: Path, tmp_path: Path, file: str, spoil: str) -> None:
    path = copy / "ser_model/weights" / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if spoil == "delete":
        path.unlink()
    else:
        path.write_bytes(data if spoil == "change" else data[: len(data) // 2])
    app = start(tmp_path / "app", project=copy)
    try:
        said = ask(app, "recognize", audio=upload(app, tmp_path))
        assert "event: error" in said
        assert "Fetch it again or run train.py" in said
        assert "event: complete" in ask(app, "recommend", mood="sad")
    finally:
        app.stop(signal.SIGKILL)
    assert "Traceback" not in app.said
    assert len([line for line in app.said.splitlines() if "damaged" in line]) == 1


@pytest.mark.parametrize("names", [("HOME", "MOOD_HOME", "HF_HOME"), ("TMPDIR",)])
def test_folders_that_cannot_be_written_are_done_without(tmp_path: Path, names: tuple[str, ...]) -> None:
    own = {"GRADIO_TEMP_DIR": str(tmp_path / "recordings")}  # what would else be shared with other programs
    app = start(tmp_path / "app", **dict.fromkeys(names, "/proc/nowhere"), **own)
    try:
        assert hears_and_finds(app, tmp_path)
    finally:
        app.stop(signal.SIGKILL)
    assert "Traceback" not in app.said


def test_without_redis_from_the_start_pages_are_kept_in_memory(tmp_path: Path) -> None:
    app = start(
        tmp_path / "app", IMDB_CACHE="redis://127.0.0.1:9/0", IMDB_LIVE="on", IMDB_BASE_URL="http://127.0.0.1:9"
    )
    try:
        assert hears_and_finds(app, tmp_path)
    finally:
        app.stop(signal.SIGKILL)
    assert "Traceback" not in app.said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_on_a_full_disk_recordings_are_refused_in_words_and_films_go_on(tmp_path: Path, small_disk: Path) -> None:
    app = start(tmp_path / "app", TMPDIR=str(small_disk), MOOD_HOME=str(small_disk))
    try:
        big = {"files": ("a.wav", bytes(400_000))}
        answer = requests.post(f"{app.url}gradio_api/upload", files=big, timeout=20)
        assert (answer.status_code, "no room on this computer" in answer.text) == (507, True)
        assert "event: complete" in ask(app, "recommend", mood="sad")
        for path in small_disk.rglob("*"):
            if path.is_file():
                path.unlink()
        assert hears_and_finds(app, tmp_path)  # by itself, once there is room
    finally:
        app.stop(signal.SIGKILL)


def test_killed_in_the_middle_of_answers_it_starts_again_and_answers(tmp_path: Path) -> None:
    app = start(tmp_path / "app")
    try:
        audio = upload(app, tmp_path)
        requests.post(f"{app.url}gradio_api/call/v2/recognize_batch", json={"files": [audio] * 50}, timeout=20)
    finally:
        app.stop(signal.SIGKILL)
    again = start(tmp_path / "app")
    try:
        assert hears_and_finds(again, tmp_path)
    finally:
        again.stop(signal.SIGKILL)
    assert Path(audio["path"]).is_file()  # younger than an hour: the broom takes it when it is not


def test_a_wrong_setting_stops_the_start_with_a_sentence(project: Path, tmp_path: Path) -> None:
    environment = os.environ | {"IMDB_LIVE": "yes", "GRADIO_TEMP_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "app.py"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "app.py: IMDB_LIVE must be on or off, not 'yes'"
    assert "Traceback" not in ended.stderr
