"""A running app and a real Chromium whose microphone plays a clip."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
import voice
from browser.visit import OTHER_HOST, Open
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

import app
from ser_model.comparison import JoinedRecognizer, SecondOpinion
from ui import comparison, service

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
HEAR = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")  # allowed, plugged in


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMDB_LIVE", "off")
        patch.setenv("MOOD_HOME", str(tmp_path_factory.mktemp("home")))
        service.recommender.reload()
        _, address, _ = app.demo.launch(**app.LAUNCH, prevent_thread_lock=True, quiet=True)
        service.recognizer.get()
        yield address
        app.demo.close()


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip that the fake microphone plays once, unless a test wants another: a made voice."""
    path = tmp_path_factory.mktemp("microphone") / "clip.wav"
    sf.write(path, voice.speak(), voice.RATE_HZ, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browsers(playwright: Playwright) -> Iterator[dict[tuple[str, ...], Browser]]:
    """Browsers by their flags, started once and used by all tests."""
    running: dict[tuple[str, ...], Browser] = {}
    yield running
    for browser in running.values():
        browser.close()


@pytest.fixture
def open_page(
    playwright: Playwright,
    browsers: dict[tuple[str, ...], Browser],
    url: str,
    microphone: Path,
) -> Iterator[Open]:
    """Opens the page; at the end nothing may have gone wrong in it, nor any other server been asked."""
    troubles: list[str] = []
    pages: list[Page] = []

    def watch(page: Page) -> None:
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: None if _is_local(request.url, url) else troubles.append(request.url))

    def opener(
        width: int = 1280,
        height: int = 860,
        dark: bool = False,
        allowed: bool = True,
        plugged: bool = True,
        watched: bool = True,
        clip: Path = microphone,
        address: str = url,
        query: str = "",
        **more: Any,
    ) -> Page:
        play = [f"--use-file-for-fake-audio-capture={clip}%noloop", HEAR[0]]
        flags = [*FLAGS, f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1", *(play if allowed else [])]
        if plugged:
            flags.append(HEAR[1])
        if tuple(flags) not in browsers:
            browsers[tuple(flags)] = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        permissions = ["microphone"] if allowed else []
        context = browsers[tuple(flags)].new_context(
            viewport={"width": width, "height": height}, permissions=permissions, **more
        )
        page = context.new_page()
        pages.append(page)
        if watched:
            watch(page)
        page.goto(f"{address}?__theme={'dark' if dark else 'light'}{query}")
        page.wait_for_selector("#live.ready", state="attached")
        return page

    yield opener
    for page in pages:
        page.context.close()
    assert not troubles


def _is_local(address: str, url: str) -> bool:
    return address.startswith((url, "data:", "blob:"))


@pytest.fixture
def second_opinion(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A second opinion by an untrained head on a tiny encoder."""
    from tiny_whisper import write_head, write_whisper  # noqa: PLC0415 - transformers takes seconds

    encoder = write_whisper(tmp_path / "encoder")
    second = SecondOpinion.load(write_head(tmp_path / "head", encoder), str(encoder))
    monkeypatch.setattr(service, "joined", service.Lazy(lambda: JoinedRecognizer(service.recognizer.get(), second)))
    monkeypatch.setattr(comparison, "is_available", lambda: True)
