"""The README's pictures: SCREENSHOTS=docs/screenshots pytest -m browser tests/browser/test_screenshots.py."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile as sf
from browser.looks import SIZES, every_size, every_theme
from browser.visit import Open, speak, wait_for_films, wish
from PIL import Image

from ui import service

FOLDER = os.environ.get("SCREENSHOTS", "")
HAPPY = Path(__file__).resolve().parents[3] / "shared/data/ravdess/original_48k/Actor_07/03-01-03-01-01-01-07.wav"

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def unanswered(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The usual situation of a Space: IMDb is asked and does not answer."""
    monkeypatch.setenv("IMDB_LIVE", "on")
    monkeypatch.setenv("IMDB_BASE_URL", "http://127.0.0.1:9")
    service._open_films.cache_clear()
    yield
    service._open_films.cache_clear()


def clip_of(microphone: Path, tmp_path: Path) -> Path:
    """An acted voice where the corpus is, a made one otherwise."""
    if not HAPPY.is_file():
        return microphone
    samples, rate_hz = sf.read(HAPPY, always_2d=True)
    sf.write(tmp_path / "happy.wav", samples[:, 0], rate_hz, subtype="PCM_16")
    return tmp_path / "happy.wav"


@pytest.mark.skipif(not FOLDER, reason="SCREENSHOTS names no folder")
@every_theme
@every_size
def test_take_the_readmes_pictures(open_page: Open, size: str, theme: str, microphone: Path, tmp_path: Path) -> None:
    width, height = SIZES[size]
    page = open_page(
        width=width,
        height=height,
        dark=theme == "dark",
        clip=clip_of(microphone, tmp_path),
        device_scale_factor=1.5,
        reduced_motion="reduce",
    )
    speak(page)
    wait_for_films(page)
    wish(page, "match" if theme == "light" else "lift")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)
    picture = page.screenshot(full_page=size == "phone")
    path = Path(FOLDER) / f"page-{size}-{theme}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.crop((0, 0, image.width, min(image.height, 3 * height))).quantize(128).save(path, optimize=True)
    assert path.stat().st_size < 250_000
