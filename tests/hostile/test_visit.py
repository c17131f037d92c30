"""A visit to the real app leaves nothing behind: no clip, no probability, no address; and nobody else hears of it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import soundfile as sf
from running_app import Running, start
from voice import RATE_HZ, speak

from ui import uploads

AGENT = "visitor-7f3a9"  # what a log of requests would keep


def visit(app: Running, folder: Path) -> dict[str, Any]:
    """Upload a recording and have it judged; return the answer with the recording's path over there."""
    clip = folder / "a-secret-name-4711.wav"
    sf.write(clip, speak("aeiouaeiou"), RATE_HZ)
    asked = {"headers": {"User-Agent": AGENT, "X-Forwarded-For": "203.0.113.77"}, "timeout": 60}
    with clip.open("rb") as file:
        (path,) = requests.post(f"{app.url}gradio_api/upload", files={"files": file}, **asked).json()
    given = {"audio": {"path": path, "meta": {"_type": "gradio.FileData"}}}
    call = requests.post(f"{app.url}gradio_api/call/v2/recommend_from_voice", json=given, **asked).json()["event_id"]
    answer = requests.get(f"{app.url}gradio_api/call/recommend_from_voice/{call}", **asked).text
    call = requests.post(f"{app.url}gradio_api/call/v2/recommend", json={"mood": "sad"}, **asked).json()["event_id"]
    assert "event: complete" in requests.get(f"{app.url}gradio_api/call/recommend/{call}", **asked).text
    return {"path": Path(path), "answer": answer}


def written(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "sockets.txt"}


@pytest.mark.slow
def test_nothing_of_a_visit_is_left_and_nobody_hears_of_it(tmp_path: Path) -> None:
    app = start(tmp_path / "app", IMDB_LIVE="on", IMDB_BASE_URL="http://imdb.invalid")
    try:
        seen = visit(app, tmp_path)
        assert seen["answer"].startswith("event: complete")
        assert seen["path"].is_relative_to(app.folder)
        assert (app.folder / "tmp/mood-picks").stat().st_mode & 0o077 == 0  # for this user alone
        kept = written(app.folder)
        clips = [path for path, data in kept.items() if data.startswith(b"RIFF")]
        assert clips == [seen["path"]]
    finally:
        code = app.stop(signal.SIGTERM)
    assert code == 0
    left = written(app.folder)
    assert not [path for path, data in left.items() if data.startswith(b"RIFF")]
    for data in left.values():
        for secret in (b"a-secret-name-4711", AGENT.encode(), b"203.0.113.77", b"probabilit", b"fearful"):
            assert secret not in data
    assert app.strangers
    assert all("imdb.invalid" in line for line in app.strangers)


@pytest.mark.slow
def test_what_a_killed_process_left_is_swept_by_the_next(copy: Path, tmp_path: Path) -> None:
    app = start(tmp_path / "app")
    seen = visit(app, tmp_path)
    app.stop(signal.SIGKILL)
    assert seen["path"].exists()
    broom = copy / "ui/uploads.py"
    broom.write_text(broom.read_text().replace("KEPT_S = 3_540", "KEPT_S = 1"))
    again = start(tmp_path / "app", project=copy)
    try:
        deadline = time.monotonic() + 10
        while seen["path"].exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not seen["path"].exists()
        assert visit(again, tmp_path)["answer"].startswith("event: complete")  # it starts again by itself
    finally:
        again.stop(signal.SIGKILL)


def test_the_broom_takes_the_old_and_leaves_the_new(tmp_path: Path) -> None:
    old, new = tmp_path / "a/old.wav", tmp_path / "b/new.wav"
    for path in (old, new):
        path.parent.mkdir()
        path.write_bytes(b"RIFF")
        time.sleep(0.3)
    uploads.sweep(tmp_path, kept_s=0.5)
    assert not old.exists()
    assert new.exists()


def test_a_fresh_copy_of_an_old_file_is_new(tmp_path: Path) -> None:
    """Such as that of an example voice, which brings its age along."""
    example, copy = tmp_path / "example.wav", tmp_path / "copies/example.wav"
    example.write_bytes(b"RIFF")
    os.utime(example, (time.time() - 10 * uploads.KEPT_S,) * 2)
    copy.parent.mkdir()
    shutil.copy2(example, copy)
    uploads.sweep(copy.parent)
    assert copy.exists()


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    (tmp_path / "mood-picks").symlink_to(victim)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "mood-picks"))
    with pytest.raises(uploads.NotOursError, match="Set GRADIO_TEMP_DIR"):
        uploads.keep_clean()
    assert victim.stat().st_mode & 0o777 == 0o755


def test_a_recording_is_kept_for_an_hour_at_most() -> None:
    assert uploads.KEPT_S + uploads.SWEEP_S <= 3_600


def test_an_upload_that_broke_off_is_swept_too(running: Running) -> None:
    def pieces() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + bytes(10_000)
        raise ConnectionAbortedError

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "20000"}
    with pytest.raises((requests.RequestException, ConnectionAbortedError)):
        requests.post(f"{running.url}gradio_api/upload", data=pieces(), headers=headers, timeout=10)
    place, deadline = running.folder / "tmp", time.monotonic() + 10  # the app may still be writing it
    while [path for path in place.rglob("*") if path.is_file()] and time.monotonic() < deadline:
        uploads.sweep(place, kept_s=-60)
        time.sleep(0.1)
    assert not [path for path in place.rglob("*") if path.is_file()]
