"""A running app and a real Chromium whose microphone plays a clip."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Page, Playwright, sync_playwright

import app
from ser_model.labels import EMOTIONS, Gender, Intensity
from ser_model.recognize import WEIGHTS, Prediction
from ui import service

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-fake-device-for-media-stream")
HAPPY = Path(__file__).resolve().parents[3] / "shared/data/ravdess/original_48k/Actor_07/03-01-03-01-01-01-07.wav"

Open = Callable[..., Page]


class Stub:
    """Stands for the voice model where there is no real voice or no weights."""

    def recognize(self, _source: Path) -> Prediction:
        probabilities = dict.fromkeys(EMOTIONS, 0.04) | {EMOTIONS[2]: 0.72}
        return Prediction(
            EMOTIONS[2], True, probabilities, Gender.MALE, 0.97, Intensity.NORMAL, 0.8, (0.5, 2.5), (), ""
        )


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMDB_LIVE", "off")
        patch.setenv("MOOD_HOME", str(tmp_path_factory.mktemp("home")))
        if not (HAPPY.is_file() and (WEIGHTS / "model.safetensors").is_file()):
            patch.setattr(service, "_read_model", Stub)
        service._open_films.cache_clear()
        _, address, _ = app.demo.launch(**app.LAUNCH, prevent_thread_lock=True, quiet=True)
        yield address
        app.demo.close()


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip that the fake microphone plays once."""
    path = tmp_path_factory.mktemp("microphone") / "clip.wav"
    if HAPPY.is_file():
        samples, rate_hz = sf.read(HAPPY, always_2d=True)
        sf.write(path, samples[:, 0], rate_hz, subtype="PCM_16")
    else:
        time_s = np.arange(3 * 48_000) / 48_000
        sf.write(path, 0.3 * np.sin(2 * np.pi * 180 * time_s), 48_000, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def open_page(playwright: Playwright, url: str, microphone: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the page; at the end nothing may have gone wrong in it, nor any other server been asked.

    KEEP_PICTURES=FOLDER leaves a picture of how each test left its pages.
    """
    troubles: list[str] = []
    browsers = []
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
        watched: bool = True,
        query: str = "",
        **more: Any,
    ) -> Page:
        play = [f"--use-file-for-fake-audio-capture={microphone}%noloop", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *(play if allowed else [])])
        browsers.append(browser)
        permissions = ["microphone"] if allowed else []
        context = browser.new_context(viewport={"width": width, "height": height}, permissions=permissions, **more)
        page = context.new_page()
        pages.append(page)
        if watched:
            watch(page)
        page.goto(f"{url}?__theme={'dark' if dark else 'light'}{query}")
        page.wait_for_selector("#moods label")
        return page

    yield opener
    if folder := os.environ.get("KEEP_PICTURES"):
        for number, page in enumerate(pages):
            name = re.sub(r"\W+", "-", request.node.name).strip("-")
            page.screenshot(path=Path(folder) / f"{name}-{number}.png", full_page=True)
    for browser in browsers:
        browser.close()
    assert not troubles


def _is_local(address: str, url: str) -> bool:
    return address.startswith((url, "data:", "blob:"))
