"""Live in a real Chromium: bars that move, an end by itself, and nothing left behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import soundfile as sf
import voice
from browser.visit import SOON_MS, Open, open_drawer, overflow_px, wait_for_films
from playwright.sync_api import Page, expect

from scraper.moods import Mood
from ui import live, server, texts

pytestmark = pytest.mark.browser


def begin(page: Page) -> None:
    page.wait_for_timeout(1_500)  # Gradio loads its recorder
    open_drawer(page, texts.LIVE)
    page.locator("#live .record-button").click()


@pytest.mark.parametrize("width", [360, 1280])
def test_bars_follow_the_voice_and_the_sound_is_forgotten(open_page: Open, width: int) -> None:
    before = set(server.folder().rglob("audio*.wav"))
    page = open_page(width=width, dark=width == 360)
    begin(page)
    expect(page.locator("#live .bars li")).to_have_count(len(Mood), timeout=SOON_MS)
    expect(page.locator("#live .quiet").last).to_have_text(re.compile(r"\d+ of 60 seconds"))
    assert overflow_px(page) <= 0
    page.locator("#live .stop-button").click()
    expect(page.locator("#live h3")).to_have_text(re.compile("You sounded mostly"), timeout=SOON_MS)
    assert set(server.folder().rglob("audio*.wav")) <= before
    page.locator("#live .picks button").click()
    wait_for_films(page)
    expect(page.locator("#answer h2")).to_be_in_viewport()


def test_silence_is_one_sentence(open_page: Open, tmp_path: Path) -> None:
    sf.write(tmp_path / "silence.wav", 0 * voice.speak(), voice.RATE_HZ, subtype="PCM_16")
    page = open_page(clip=tmp_path / "silence.wav")
    begin(page)
    expect(page.locator("#live h3")).to_have_text(texts.LIVE_SILENT, timeout=SOON_MS)
    page.locator("#live .stop-button").click()
    expect(page.locator("#live h3")).to_have_text(texts.LIVE_NOTHING, timeout=SOON_MS)


def test_it_ends_by_itself(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LIMIT_S", 4)
    page = open_page()
    begin(page)
    expect(page.locator("#live h3")).to_have_text(re.compile("You sounded mostly"), timeout=SOON_MS)
    expect(page.locator("#live .record-button")).to_be_visible()
    expect(page.locator("#live .stop-button")).to_have_count(0)
