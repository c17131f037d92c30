"""Pictures of the page: SCREENSHOTS=docs/screenshots pytest -m browser tests/browser/test_screenshots.py."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from ui import service

FOLDER = os.environ.get("SCREENSHOTS", "")
SIZES = {"wide": (1280, 1440), "phone": (390, 844)}

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not FOLDER, reason="SCREENSHOTS names no folder")]


@pytest.fixture(autouse=True)
def unanswered(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The usual situation of a Space: IMDb is asked and does not answer."""
    monkeypatch.setenv("IMDB_LIVE", "on")
    monkeypatch.setenv("IMDB_BASE_URL", "http://127.0.0.1:9")
    service._open_films.cache_clear()
    yield
    service._open_films.cache_clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_take_a_picture(open_page: Callable[..., Page], size: str, theme: str) -> None:
    width, height = SIZES[size]
    page = open_page(width=width, height=height, dark=theme == "dark", device_scale_factor=1.5, reduced_motion="reduce")
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(4_000)
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.wait_for_selector(".film", timeout=15_000)
    page.locator(f'#intent label:has([value="{"match" if theme == "light" else "lift"}"])').click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_000)
    picture = page.screenshot(full_page=size == "phone", clip=None)
    path = Path(FOLDER) / f"page-{size}-{theme}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.crop((0, 0, image.width, min(image.height, 3 * height))).quantize(128).save(path, optimize=True)
    assert path.stat().st_size < 250_000
