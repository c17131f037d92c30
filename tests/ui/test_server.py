"""Recordings are deleted in time, nothing is fetched from elsewhere, and failures of Gradio's routes are sentences."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import time
import types
from pathlib import Path

import gradio as gr
import pytest
from gradio import processing_utils
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from scraper.errors import QueryError
from ui import server, texts
from ui.server import RequestFilter

REQUEST = types.SimpleNamespace(method="POST", url=types.SimpleNamespace(path="/gradio_api/upload"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "mood-picks"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(place))
    return place


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    return path


def wait_until_gone(path: Path) -> bool:
    deadline = time.monotonic() + 10
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not path.exists()


def test_an_hour_is_the_most() -> None:
    assert server.MAX_AGE_S + server.SWEEP_S <= 3_600


def test_old_recordings_are_deleted_and_new_ones_stay(tmp_path: Path) -> None:
    old = write(tmp_path / "a/old.wav")
    time.sleep(0.6)
    new = write(tmp_path / "b/new.wav")
    server.delete_older(tmp_path, max_age_s=0.5)
    assert not old.exists()
    assert new.exists()


def test_a_fresh_copy_of_an_old_file_is_new(tmp_path: Path) -> None:
    """Such as that of an example voice, whose date is copied."""
    example, copy = write(tmp_path / "example.wav"), tmp_path / "copies/example.wav"
    os.utime(example, (time.time() - 36_000,) * 2)
    copy.parent.mkdir()
    shutil.copy2(example, copy)
    server.delete_older(copy.parent, max_age_s=60)
    assert copy.exists()


def test_at_start_what_a_killed_process_left_is_deleted_and_what_another_one_uses_stays(folder: Path) -> None:
    left_over = write(folder / "x/killed.wav")
    time.sleep(0.6)
    in_use = write(folder / "z/of-another-app.wav")
    server.claim_folder()
    server.delete_old_files(max_age_s=0.5)
    assert not left_over.exists()
    assert in_use.exists()
    assert wait_until_gone(in_use)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert wait_until_gone(write(folder / "y/broken-off.wav"))


def test_a_link_in_the_place_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    write(victim / "dear.wav")
    folder.symlink_to(victim)
    with pytest.raises(server.NotOursError, match="Set GRADIO_TEMP_DIR"):
        server.claim_folder()
    assert victim.stat().st_mode & 0o777 == 0o755
    assert (victim / "dear.wav").exists()


def test_a_link_in_the_folder_is_deleted_and_not_followed(folder: Path, tmp_path: Path) -> None:
    dear = write(tmp_path / "victim/dear.wav")
    folder.mkdir()
    (folder / "link").symlink_to(dear.parent)
    server.delete_older(folder, max_age_s=-1)
    assert dear.exists()
    assert not (folder / "link").is_symlink()


def test_only_uploads_are_opened(folder: Path) -> None:
    mark = {"meta": {"_type": "gradio.FileData"}}
    path = str(write(folder / "a/voice.wav"))
    assert server.path_of({"path": path} | mark) == path
    for audio in ({"path": "/etc/passwd"} | mark, {"path": f"{folder}/../x"} | mark, {"path": path}, path, None):
        with pytest.raises(QueryError, match="uploaded file"):
            server.path_of(audio)


@pytest.mark.parametrize(
    "url", ["https://films.example/a.wav", "http://127.0.0.1/gradio_api/file=/etc/passwd", "http:"]
)
def test_web_addresses_are_refused_in_a_sentence_and_never_fetched(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing_utils, "async_ssrf_protected_get", None)
    server.refuse_web_addresses()
    with pytest.raises(gr.Error) as caught:
        asyncio.run(processing_utils.async_ssrf_protected_download(url, str(folder)))
    assert caught.value.message == texts.WEB_ADDRESS


def test_the_address_of_an_upload_names_its_file(folder: Path) -> None:
    path = write(folder / "a/my voice.wav")
    server.refuse_web_addresses()
    url = f"https://space.example/gradio_api/file={str(path).replace(' ', '%20')}"
    assert asyncio.run(processing_utils.async_ssrf_protected_download(url, str(folder))) == str(path)


@pytest.mark.parametrize(
    ("number", "status", "said"), [(errno.ENOSPC, 507, texts.NO_ROOM), (errno.EMFILE, 500, texts.IN_THE_LOG)]
)
def test_a_full_disk_and_other_failures_are_told_apart(
    number: int, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = asyncio.run(server.explain_failure(REQUEST, OSError(number, "reason")))  # type: ignore[arg-type]
    assert (answer.status_code, said in bytes(answer.body).decode()) == (status, True)
    assert ("reason" in caplog.text) == (status == 500)


@pytest.mark.parametrize(
    ("root", "path", "route"),
    [
        ("", "/monitoring", "/monitoring"),
        ("/keep", "/keep/monitoring", "/monitoring"),
        ("/keep", "/monitoring", "/monitoring"),
        ("/keep", "/keeper/monitoring", "/keeper/monitoring"),
        ("https://a.example/keep", "/upload", "/upload"),
    ],
)
def test_the_prefix_of_a_proxy_is_no_part_of_the_route(root: str, path: str, route: str) -> None:
    assert server.route_of({"type": "http", "path": path, "root_path": root}) == route


def test_uploads_under_way_count_towards_the_room(folder: Path) -> None:
    """Several large uploads at once must not pass because none of them is stored yet."""
    under_way, finish = asyncio.Event(), asyncio.Event()

    async def store(scope: Scope, receive: Receive, send: Send) -> None:
        under_way.set()
        await finish.wait()
        await JSONResponse([])(scope, receive, send)

    room = RequestFilter(store, max_total_bytes=100)

    async def upload(size: int) -> int:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"content-length", str(size).encode())]
        await room({"type": "http", "method": "POST", "path": "/gradio_api/upload", "headers": headers}, receive, send)
        return int(sent[0]["status"])

    async def visit() -> tuple[int, int, int]:
        first = asyncio.create_task(upload(60))
        await under_way.wait()
        second = await asyncio.wait_for(upload(60), 10)
        finish.set()
        return await first, second, await upload(60)

    assert asyncio.run(visit()) == (200, 507, 200)
