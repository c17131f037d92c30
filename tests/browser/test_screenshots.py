"""Pictures of the page.

KEEP_PICTURES=FOLDER takes one of each state, wide and on a phone, light and dark;
SCREENSHOTS=docs/screenshots pytest -m browser tests/browser/test_screenshots.py makes those of the README.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile as sf
from browser.visit import PICTURES, SOON_MS, Open, open_drawer, pick, record, speak, upload, wait_for_films, wish
from PIL import Image
from playwright.sync_api import Page, expect

from ui import service, texts

FOLDER = os.environ.get("SCREENSHOTS", "")
SIZES = {"wide": (1280, 1440), "phone": (360, 780)}
HAPPY = Path(__file__).resolve().parents[3] / "shared/data/ravdess/original_48k/Actor_07/03-01-03-01-01-01-07.wav"

pytestmark = pytest.mark.browser
kept = pytest.mark.skipif(not PICTURES, reason="KEEP_PICTURES names no folder")
every_size = pytest.mark.parametrize("size", SIZES)
every_theme = pytest.mark.parametrize("theme", ["light", "dark"])


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


@pytest.fixture
def visit(open_page: Open, size: str, theme: str, microphone: Path, tmp_path: Path) -> Callable[[], Page]:
    width, height = SIZES[size]
    clip = clip_of(microphone, tmp_path)
    look = {"width": width, "height": height, "dark": theme == "dark", "reduced_motion": "reduce"}
    return lambda: open_page(clip=clip, watched=False, **look)


@pytest.fixture
def take(size: str, theme: str) -> Callable[[Page, str], None]:
    folder = Path(PICTURES) / "states"
    folder.mkdir(parents=True, exist_ok=True)

    def taker(page: Page, state: str) -> None:
        page.mouse.move(0, 0)
        page.wait_for_timeout(600)
        page.screenshot(path=folder / f"{state}-{size}-{theme}.png", full_page=True)

    return taker


@kept
@every_theme
@every_size
def test_take_the_states_of_an_answer(visit: Callable[[], Page], take: Callable[[Page, str], None]) -> None:
    page = visit()
    take(page, "01-first")
    speak(page)
    wait_for_films(page)
    take(page, "02-answer")
    page.get_by_role("button", name=texts.CLOSER).click()
    expect(page.locator("#closeup figure")).to_have_count(4, timeout=90_000)
    take(page, "07-closeup")
    page.get_by_role("button", name=texts.COMPARE).click()
    expect(page.locator("#comparison h3")).not_to_have_count(0, timeout=SOON_MS)
    take(page, "13-comparison")


@kept
@every_theme
@every_size
def test_take_the_states_of_the_films(visit: Callable[[], Page], take: Callable[[Page, str], None]) -> None:
    page = visit()
    page.get_by_role("button", name=texts.VOICES["sharp"], exact=True).click()
    page.wait_for_selector("#answer h2", timeout=SOON_MS)
    take(page, "03-made-voice")
    pick(page, "sad")
    wish(page, "lift")
    wait_for_films(page)
    take(page, "04-films")
    page.get_by_text(texts.AS_TABLE).click()
    take(page, "05-table")
    open_drawer(page, texts.FILTERS)
    take(page, "06-filters")


@kept
@every_theme
@every_size
def test_take_the_states_of_the_drawers(
    visit: Callable[[], Page], take: Callable[[Page, str], None], microphone: Path, tmp_path: Path
) -> None:
    page = visit()
    page.wait_for_timeout(1_500)
    open_drawer(page, texts.LIVE)
    page.locator("#live .record-button").click()
    expect(page.locator("#live .bars .leads")).to_have_count(1, timeout=SOON_MS)
    take(page, "08-live")
    page.locator("#live .stop-button").click()
    open_drawer(page, texts.LIVE)
    open_drawer(page, texts.TEACH)
    page.wait_for_timeout(500)
    take(page, "09-teach")
    record(page, "#teach-recorder", 4)
    expect(page.locator("#lesson .learned")).to_be_visible(timeout=SOON_MS)
    take(page, "14-taught")
    open_drawer(page, texts.TEACH)
    open_drawer(page, texts.BATCH)
    (tmp_path / "notes.wav").write_text("no sound at all")
    page.locator("#batch input[type=file]").set_input_files([microphone, tmp_path / "notes.wav"])
    expect(page.locator("#results tbody tr")).to_have_count(2, timeout=SOON_MS)
    take(page, "10-batch")
    page.get_by_text(texts.QUALITY).click()
    take(page, "11-quality")
    upload(page, tmp_path / "notes.wav")
    page.wait_for_selector("#answer .problem", timeout=SOON_MS)
    take(page, "12-error")


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
