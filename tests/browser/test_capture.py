"""A minute with the page as an animated picture.

CAPTURE=docs/visit.webp pytest -m browser tests/browser/test_capture.py
"""

from __future__ import annotations

import base64
import io
import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from browser.test_screenshots import HAPPY, clip_of
from browser.visit import SOON_MS, Open, choose, open_drawer, pick, wait_for_films, wish
from PIL import Image
from playwright.sync_api import Page, expect

from ui import texts

TARGET = os.environ.get("CAPTURE", "")
SIZE = (960, 720)
EVERY_S = 0.2  # no more pictures than this
LONGEST_S = 1.5  # of one picture: where nothing moved for longer, the machine was busy
LARGEST_BYTES = 4_000_000

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not TARGET, reason="CAPTURE names no file")]

POINTER = """() => {
  const dot = document.createElement("div");
  dot.style = "position:fixed;z-index:9999;width:22px;height:22px;margin:-11px;border-radius:50%;pointer-events:none;" +
    "background:#0006;border:2px solid #fff;transition:left .25s,top .25s;left:-50px;top:-50px";
  document.body.append(dot);
  addEventListener("mousemove", ({ clientX, clientY }) => {
    dot.style.left = `${clientX}px`;
    dot.style.top = `${clientY}px`;
  });
}"""


def test_capture_a_visit(open_page: Open, microphone: Path, tmp_path: Path) -> None:
    assert HAPPY.is_file(), "the capture shows an acted voice; put the corpus beside the project"
    page = open_page(width=SIZE[0], height=SIZE[1], clip=clip_of(microphone, tmp_path))
    page.evaluate(POINTER)
    frames: list[tuple[float, bytes]] = []
    session = page.context.new_cdp_session(page)

    def keep(event: dict[str, Any]) -> None:
        frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 85})
    visit(page, microphone)
    session.send("Page.stopScreencast")
    save(frames, Path(TARGET))
    assert Path(TARGET).stat().st_size < LARGEST_BYTES


def visit(page: Page, clip: Path) -> None:
    """Record, look, correct, lift, filter, table, live, teach, several files."""
    page.wait_for_timeout(1_500)
    click(page, page.locator("#clip .record-button"))
    page.wait_for_timeout(4_000)
    click(page, page.locator("#clip .stop-button").first)
    wait_for_films(page)
    glide(page, 380)
    glide(page, 420)
    click(page, page.get_by_role("button", name=texts.CLOSER))
    expect(page.locator("#closeup figure")).to_have_count(4, timeout=90_000)
    glide(page, 400)
    glide(page, 500)
    page.evaluate("scrollTo({top: 0, behavior: 'smooth'})")
    page.wait_for_timeout(1_200)
    pick(page, "sad")
    page.wait_for_timeout(1_500)
    wish(page, "lift")
    wait_for_films(page)
    glide(page, 300)
    open_drawer(page, texts.FILTERS)
    page.wait_for_timeout(800)
    choose(page, texts.FILTER_LABELS["from_year"], "2015")
    page.wait_for_timeout(1_500)
    glide(page, 450)
    page.locator(".dismiss").first.click()
    page.wait_for_timeout(1_500)
    page.get_by_text(texts.AS_TABLE).click()
    glide(page, 600)
    page.get_by_text(texts.AS_TABLE).click()
    show_drawer(page, "live", texts.LIVE)
    page.locator("#live .record-button").click()
    expect(page.locator("#live .bars .leads")).to_have_count(1, timeout=SOON_MS)
    page.wait_for_timeout(5_000)
    page.locator("#live .stop-button").click()
    page.wait_for_timeout(1_500)
    show_drawer(page, "teach", texts.TEACH)
    click(page, page.locator("#teach-recorder .record-button"))
    page.wait_for_timeout(3_000)
    page.locator("#teach-recorder .stop-button").first.click()
    expect(page.locator("#lesson .learned")).to_be_visible(timeout=SOON_MS)
    page.wait_for_timeout(2_500)
    show_drawer(page, "batch", texts.BATCH)
    page.locator("#batch input[type=file]").set_input_files([clip, HAPPY])
    expect(page.locator("#results tbody tr")).to_have_count(2, timeout=SOON_MS)
    page.wait_for_timeout(2_000)
    page.get_by_text(texts.QUALITY).click()
    page.evaluate("document.getElementById('quality').scrollIntoView({behavior: 'smooth'})")
    page.wait_for_timeout(3_000)


def show_drawer(page: Page, name: str, title: str) -> None:
    """Open a drawer in the middle of the window."""
    middle = f"document.getElementById('{name}').scrollIntoView({{block: 'center', behavior: 'smooth'}})"
    page.evaluate(middle)
    page.wait_for_timeout(800)
    open_drawer(page, title)
    page.wait_for_timeout(600)
    page.evaluate(middle)
    page.wait_for_timeout(600)


def click(page: Page, target: Any) -> None:
    """Move there, so that one sees it, and press."""
    box = target.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    target.click()


def glide(page: Page, pixels: int) -> None:
    """Scroll on as a person does, and look."""
    page.evaluate(f"scrollBy({{top: {pixels}, behavior: 'smooth'}})")
    page.wait_for_timeout(1_400)


def save(frames: list[tuple[float, bytes]], path: Path) -> None:
    """Write an animated WebP from (time in s, JPEG) pairs."""
    kept = [frames[0]]
    for frame in frames[1:]:
        if frame[0] - kept[-1][0] >= EVERY_S:
            kept.append(frame)
    images = [Image.open(io.BytesIO(data)).convert("RGB") for _, data in kept]
    times = [time for time, _ in kept] + [kept[-1][0] + LONGEST_S]
    lasts_ms = [round(1000 * min(end - begin, LONGEST_S)) for begin, end in itertools.pairwise(times)]
    path.parent.mkdir(parents=True, exist_ok=True)
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=lasts_ms,
        loop=0,
        quality=55,
        method=4,
        minimize_size=True,
    )
