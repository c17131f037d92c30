"""Take the pictures of docs/screenshots, or with --share those for links and icons.

PYTHONPATH=.:tests python tests/browser/pictures.py [FOLDER] [--share]
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

import soundfile as sf
from browser.conftest import CHROMIUM, FLAGS, HEAR
from browser.visit import open_drawer, record, speak, wait_for_films, wish
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from running_app import start

from scraper.moods import Mood
from ui import middleware, texts
from ui.theme import style_sheet

PROJECT = Path(__file__).resolve().parents[2]
ACTED = PROJECT.parent / "shared/data/ravdess/original_48k/Actor_07/03-01-03-01-01-01-07.wav"
SIZES = {"wide": (1440, 1440), "phone": (390, 844)}
TALLEST = 3  # windows; what is taller is cut off


def open_page(browser: Browser, url: str, size: str, theme: str) -> Page:
    width, height = SIZES[size]
    window = {"viewport": {"width": width, "height": height}, "device_scale_factor": 1.5}
    context = browser.new_context(**window, permissions=["microphone"], reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}?__theme={theme}")
    page.wait_for_selector("#live.ready", state="attached")
    page.wait_for_timeout(1_500)
    return page


def save(page: Page, path: Path, part: str | None = None, whole: bool = False) -> None:
    """Keep a picture of the window, of the whole page, or of a part of it, small enough for a repository."""
    page.mouse.move(0, 0)
    if not part:
        page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(1_000)
    data = page.locator(part).screenshot() if part else page.screenshot(full_page=whole)
    image = Image.open(io.BytesIO(data)).convert("RGB")
    height = min(image.height, round(1.5 * TALLEST * SIZES["phone"][1]))
    image.crop((0, 0, image.width, height)).quantize(256).save(path, optimize=True)
    print(path, f"{path.stat().st_size / 1000:.0f} kB")


def take(browser: Browser, url: str, clip: Path, folder: Path) -> None:
    for size in SIZES:
        for theme in ("light", "dark"):
            page = open_page(browser, url, size, theme)
            speak(page)
            wish(page, "match" if theme == "light" else "lift")
            wait_for_films(page)
            save(page, folder / f"page-{size}-{theme}.png", whole=size == "phone")
            page.context.close()
    page = open_page(browser, url, "wide", "light")
    speak(page)
    page.get_by_role("button", name=texts.EXPLAIN).click()
    expect(page.locator("#explain figure")).to_have_count(4, timeout=90_000)
    save(page, folder / "explain.png", "#explain")
    open_drawer(page, texts.BATCH)
    page.locator("#batch input[type=file]").set_input_files([clip, *sorted((PROJECT / "ui/voices").glob("*.wav"))])
    expect(page.locator("#results tbody tr")).to_have_count(4, timeout=20_000)
    save(page, folder / "batch.png", "#batch")
    page = open_page(browser, url, "phone", "light")
    open_drawer(page, texts.LIVE)
    page.locator("#live .record-button").click()
    expect(page.locator("#live .bars .leads")).to_have_count(1, timeout=20_000)
    page.wait_for_timeout(3_000)
    save(page, folder / "live.png", "#live")
    page.locator("#live .stop-button").click()
    open_drawer(page, texts.ENROLL)
    record(page, "#enroll-recorder", 4)
    expect(page.locator("#guide .enrolled")).to_be_visible(timeout=20_000)
    save(page, folder / "enroll.png", "#enroll")


CARD = """<style>{style} body {{ margin: 0; }}
.card {{ width: 1200px; height: 630px; box-sizing: border-box; padding: 90px 84px; background: #fbf8f3; color: #1f1b18;
  font-family: Inter, 'Segoe UI', sans-serif; }}
.card h1 {{ font: 600 104px Fraunces; margin: 6px 0 14px; letter-spacing: -0.01em; }}
.card p {{ font-size: 34px; margin: 0; color: #635a4d; }} .card .title {{ color: #8f5500; font-weight: 600; }}
.card div {{ display: flex; gap: 26px; margin-top: 74px; }} .card .face {{ width: 106px; height: 106px; }}
.card .face-happy {{ color: #b86f00; }}
.icon {{ width: 512px; height: 512px; background: #ffc55c; color: #1f1b18; display: grid; place-items: center; }}
.icon .face {{ width: 400px; height: 400px; }}</style>
<div class="card"><p class="title">{title}</p><h1>{question}</h1><p>{lead}</p><div>{faces}</div></div>
<div class="icon"><span class="face face-happy"></span></div>"""


def draw_cards(browser: Browser) -> None:
    """Draw the picture that a chat shows beside a link, and the icon."""
    faces = "".join(f'<span class="face face-{mood}"></span>' for mood in Mood)
    words = {"title": texts.TITLE, "question": texts.QUESTION, "lead": "Say it or pick it, and get films that fit."}
    page = browser.new_page(viewport={"width": 1280, "height": 1300})
    page.set_content(CARD.format(style=style_sheet(), faces=faces, **words))
    page.evaluate("document.fonts.ready")
    for part, path in ((".card", middleware.PICTURE), (".icon", middleware.ICON)):
        image = Image.open(io.BytesIO(page.locator(part).screenshot())).convert("RGB")
        image.quantize(64).save(path, optimize=True)
        print(path, f"{path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PROJECT / "docs/screenshots")
    parser.add_argument("--clip", type=Path, default=ACTED if ACTED.is_file() else PROJECT / "ui/voices/cheerful.wav")
    parser.add_argument("--share", action="store_true", help="draw ui/share.png and ui/icon.png instead")
    given = parser.parse_args()
    if given.share:
        with sync_playwright() as playwright:
            draw_cards(playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS]))
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        samples, rate_hz = sf.read(given.clip, always_2d=True)
        clip = Path(home) / "voice.wav"
        sf.write(clip, samples[:, 0], rate_hz, subtype="PCM_16")
        app = start(Path(home) / "app", IMDB_LIVE="on", IMDB_BASE_URL="http://127.0.0.1:9")  # as usual: no answer
        flags = [*FLAGS, *HEAR, f"--use-file-for-fake-audio-capture={clip}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            take(browser, app.url, clip, given.folder)
        finally:
            browser.close()
            app.stop()


if __name__ == "__main__":
    main()
