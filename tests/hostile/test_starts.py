"""The app where something is broken, full or unwritable from the start; and what a visit leaves behind: nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import soundfile as sf
from running_app import Running, start
from voice import RATE_HZ, speak

pytestmark = pytest.mark.slow

AGENT, CLIP = "visitor-7f3a9", "a-secret-name-4711"  # what a log of requests would keep
HEADERS = {"User-Agent": AGENT, "X-Forwarded-For": "203.0.113.77"}


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts apps that are ended with the test."""
    running: list[Running] = []

    def begin(**settings: Any) -> Running:
        running.append(start(tmp_path / "app", **settings))
        return running[-1]

    yield begin
    for app in running:
        app.stop(signal.SIGKILL)
        assert "Traceback" not in app.said


def ask(app: Running, name: str, **asked: Any) -> str:
    """Return everything that an endpoint answers."""
    call = requests.post(f"{app.url}gradio_api/call/v2/{name}", json=asked, headers=HEADERS, timeout=60).json()
    return requests.get(f"{app.url}gradio_api/call/{name}/{call['event_id']}", headers=HEADERS, timeout=60).text


def upload(app: Running, folder: Path) -> dict[str, Any]:
    sf.write(folder / f"{CLIP}.wav", speak("aeiouaeiou"), RATE_HZ)
    with (folder / f"{CLIP}.wav").open("rb") as file:
        answer = requests.post(f"{app.url}gradio_api/upload", files={"files": file}, headers=HEADERS, timeout=20)
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def predicts_and_finds(app: Running, folder: Path) -> bool:
    return "event: complete" in ask(app, "recommend_from_voice", audio=upload(app, folder))


def copy_project(project: Path, copy: Path) -> Path:
    for part in ("ser_model", "scraper", "ui", "results/luna"):
        shutil.copytree(project / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "scores"))
    shutil.copyfile(project / "app.py", copy / "app.py")
    return copy


def test_damaged_weights_and_results_are_one_line_each_and_films_go_on(
    begin: Callable[..., Running], project: Path, tmp_path: Path
) -> None:
    copy = copy_project(project, tmp_path / "copy")
    for path in (copy / "ser_model/weights/model.safetensors", copy / "results/luna/metrics.json"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    app = begin(project=copy)
    said = ask(app, "recognize", audio=upload(app, tmp_path))
    assert "event: error" in said
    assert "Get it again, or run train.py" in said
    assert "event: complete" in ask(app, "recommend", mood="sad")
    assert len([line for line in app.said.splitlines() if "is missing or damaged" in line]) == 1
    assert len([line for line in app.said.splitlines() if "cannot be shown" in line]) == 1


def test_what_cannot_be_written_or_reached_is_done_without(begin: Callable[..., Running], tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("HOME", "MOOD_HOME", "HF_HOME", "TMPDIR"), "/proc/nowhere")
    recordings = {"GRADIO_TEMP_DIR": str(tmp_path / "recordings")}  # they need a place
    films = {"IMDB_CACHE": "redis://127.0.0.1:9/0", "IMDB_LIVE": "on", "IMDB_BASE_URL": "http://127.0.0.1:9"}
    assert predicts_and_finds(begin(**nowhere, **recordings, **films), tmp_path)


def test_a_recording_without_room_is_refused_in_words_and_films_go_on(
    begin: Callable[..., Running], tmp_path: Path
) -> None:
    app = begin(limit_bytes=300_000)
    files = {"files": ("a.wav", bytes(900_000))}
    answer = requests.post(f"{app.url}gradio_api/upload", files=files, timeout=20)
    assert (answer.status_code, "the server is full" in answer.text) == (507, True)
    assert "event: complete" in ask(app, "recommend", mood="sad")
    assert predicts_and_finds(app, tmp_path)


def test_nothing_of_a_visit_is_left_and_nobody_hears_of_it(begin: Callable[..., Running], tmp_path: Path) -> None:
    def written() -> dict[Path, bytes]:
        files = (path for path in (tmp_path / "app").rglob("*") if path.is_file() and path.name != "sockets.txt")
        return {path: path.read_bytes() for path in files}

    app = begin(IMDB_LIVE="on", IMDB_BASE_URL="http://imdb.invalid")
    audio = upload(app, tmp_path)
    assert ask(app, "recommend_from_voice", audio=audio).startswith("event: complete")
    assert "event: complete" in ask(app, "recommend", mood="sad")
    assert (app.folder / "tmp/mood-picks").stat().st_mode & 0o077 == 0  # for this user alone
    assert [path for path, data in written().items() if data.startswith(b"RIFF")] == [Path(audio["path"])]
    assert app.stop(signal.SIGTERM) == 0
    for data in written().values():
        assert not data.startswith(b"RIFF")
        for secret in (CLIP, AGENT, "203.0.113.77", "probabilit", "fearful"):
            assert secret.encode() not in data
    assert app.strangers
    assert all("imdb.invalid" in line for line in app.strangers)


@pytest.mark.skipif(shutil.which("strace") is None, reason="apt install strace")
def test_no_library_looks_up_a_name_or_reaches_another_machine(begin: Callable[..., Running], tmp_path: Path) -> None:
    """Every connection and packet of the whole process, also of libraries that are not written in Python."""
    log = tmp_path / "calls.txt"
    traced = ("strace", "-D", "-f", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(log))
    app = begin(command=(*traced, sys.executable, "app.py"))
    assert predicts_and_finds(app, tmp_path)
    time.sleep(10)  # telemetry that is gathered first
    app.stop(signal.SIGTERM)
    calls = [line for line in log.read_text().splitlines() if "AF_INET" in line or "nscd" in line or "resolve" in line]
    assert calls  # of this test
    assert [line for line in calls if "htons(53)" in line or not re.search(r'"(127\.0\.0\.1|::1)"', line)] == []
    assert not list((tmp_path / "app/home").rglob("*onnxruntime*"))


def test_reloading_keeps_uploads_working(begin: Callable[..., Running], project: Path, tmp_path: Path) -> None:
    copy = copy_project(project, tmp_path / "copy")
    app = begin(project=copy, command=(str(Path(sys.executable).with_name("gradio")), "app.py"))
    assert predicts_and_finds(app, tmp_path)
    (copy / "app.py").write_text((copy / "app.py").read_text() + "# changed\n")
    time.sleep(10)
    assert predicts_and_finds(app, tmp_path)
    assert "Changes detected" in app.said


@pytest.mark.parametrize(
    ("root", "prefix"),  # a proxy may strip the prefix
    [("/keep", ""), ("/keep", "keep/"), ("keep/", "keep/"), ("https://films.example/keep/", "keep/")],
)
def test_closed_ways_and_uploads_are_the_same_under_a_prefix(
    begin: Callable[..., Running], root: str, prefix: str
) -> None:
    app = begin(GRADIO_ROOT_PATH=root)
    assert requests.get(f"{app.url}{prefix}config", timeout=20).status_code == 200
    assert requests.get(f"{app.url}{prefix}manifest.json", timeout=20).json()["start_url"] == "./"
    for way in ("monitoring", "gradio_api/proxy=http://a.example/", "gradio_api/file=http://a.example/"):
        assert requests.get(f"{app.url}{prefix}{way}", timeout=20).status_code == 403
    files = {"files": ("a.wav", bytes(2_000_000))}
    assert requests.post(f"{app.url}{prefix}gradio_api/upload", files=files, timeout=20).status_code == 200
    assert requests.post(f"{app.url}{prefix}gradio_api/upload_", files=files, timeout=20).status_code == 413


def test_what_a_killed_process_left_is_deleted_by_the_next_which_deletes_in_time(
    begin: Callable[..., Running], tmp_path: Path
) -> None:
    app = begin()
    audio = upload(app, tmp_path)
    requests.post(f"{app.url}gradio_api/call/v2/recognize_batch", json={"files": [audio] * 50}, timeout=20)
    app.stop(signal.SIGKILL)  # in the middle of the answers
    assert Path(audio["path"]).exists()
    again = begin(MOOD_KEEP_S="3")
    assert not Path(audio["path"]).exists()
    assert predicts_and_finds(again, tmp_path)
    deadline = time.monotonic() + 20
    while list((again.folder / "tmp").rglob("*.wav")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not list((again.folder / "tmp").rglob("*.wav"))


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("IMDB_LIVE", "yes", "IMDB_LIVE must be on or off, not 'yes'"),
        ("GRADIO_SERVER_PORT", "abc", "GRADIO_SERVER_PORT must be a number from 1 to 65535, not abc."),
        ("GRADIO_TEMP_DIR", "/proc/nope", "/proc/nope/mood-picks cannot be used (No such file or directory)"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    project: Path, tmp_path: Path, setting: str, value: str, said: str
) -> None:
    environment = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)} | {setting: value}
    quiet = {"capture_output": True, "text": True, "timeout": 60}
    ended = subprocess.run([sys.executable, "app.py"], check=False, cwd=project, env=environment, **quiet)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(f"app.py: {said}")
    assert "Traceback" not in ended.stderr
