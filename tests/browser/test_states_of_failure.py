"""A picture of every failure that a visitor may meet, in each look; see looks.py."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import soundfile as sf
import voice
from browser.looks import every_size, every_theme, kept, look, take
from browser.test_screenshots import unanswered  # noqa: F401 - a fixture that every test here uses
from browser.visit import OTHER_HOST, SOON_MS, Open, open_drawer, pick, record, upload
from playwright.sync_api import expect

import app
from ui import texts

pytestmark = [pytest.mark.browser, kept, every_size, every_theme]


@pytest.mark.parametrize("kind", ["denied", "absent", "http"])
def test_no_microphone(open_page: Open, url: str, kind: str, size: str, theme: str) -> None:
    ways = {
        "denied": {"allowed": False},
        "absent": {"plugged": False},
        "http": {"address": f"http://{OTHER_HOST}:{urlsplit(url).port}/"},
    }
    page = open_page(**ways[kind], **look(size, theme))
    if kind != "http":
        page.locator("#clip .record-button").click()
    expect(page.locator("#hint [role=alert]")).not_to_be_empty(timeout=SOON_MS)
    take(page, f"{['denied', 'absent', 'http'].index(kind) + 30}-microphone-{kind}", size, theme)


def test_silence_and_a_wrong_file(open_page: Open, tmp_path: Path, size: str, theme: str) -> None:
    sf.write(tmp_path / "silence.wav", 0 * voice.speak(), voice.RATE_HZ, subtype="PCM_16")
    page = open_page(clip=tmp_path / "silence.wav", **look(size, theme))
    record(page, "#clip", 2)
    page.wait_for_selector("#answer .problem", timeout=SOON_MS)
    take(page, "33-silence", size, theme)
    open_drawer(page, texts.LIVE)
    page.locator("#live .record-button").click()
    expect(page.locator("#live h3")).to_have_text(texts.LIVE_SILENT, timeout=SOON_MS)
    take(page, "34-live-silence", size, theme)
    page.locator("#live .stop-button").click()
    (tmp_path / "notes.wav").write_text("no sound at all")
    page.locator("#clip").get_by_label("Clear").click()
    upload(page, tmp_path / "notes.wav")
    expect(page.locator("#answer .problem h2")).to_contain_text("not a recording", timeout=SOON_MS)
    take(page, "35-wrong-file", size, theme)


def test_no_films(open_page: Open, size: str, theme: str) -> None:
    page = open_page(query="&mood=sad&from=2020&to=2010", **look(size, theme))
    expect(page.locator("#films h2")).to_have_text(texts.NO_FILMS, timeout=SOON_MS)
    take(page, "36-no-films", size, theme)


def test_a_full_queue(open_page: Open, monkeypatch: pytest.MonkeyPatch, size: str, theme: str) -> None:
    page = open_page(**look(size, theme))
    page.wait_for_timeout(1_000)
    monkeypatch.setattr(app.demo._queue, "max_size", 0)
    pick(page, "sad")
    expect(page.locator("#answer .error")).to_be_visible(timeout=SOON_MS)
    take(page, "37-queue-full", size, theme)
