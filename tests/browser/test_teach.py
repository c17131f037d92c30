"""Teach it your voice in a real Chromium: a line, progress, a file to keep and to bring along."""

from __future__ import annotations

import json

import pytest
from browser.visit import SOON_MS, Open, open_drawer, overflow_px, record, serious_issues, speak, wait_for_films
from playwright.sync_api import expect

from ui import teach, texts

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_one_line_is_learned_saved_and_brought_along(open_page: Open, width: int, dark: bool) -> None:
    page = open_page(width=width, dark=dark)
    open_drawer(page, texts.TEACH)
    expect(page.locator("#lesson .step")).to_have_text("Line 1 of 8")
    record(page, "#teach-recorder", 4)
    expect(page.locator("#lesson .learned")).to_have_text(texts.TEACH_LEARNED_ONE, timeout=SOON_MS)
    expect(page.locator("#lesson .step")).to_have_text("Line 2 of 8")
    expect(page.locator("#teach-recorder .record-button")).to_be_visible()
    assert overflow_px(page) <= 0
    assert not serious_issues(page)
    with page.expect_download() as saved:
        page.locator("#lesson .save").click()
    assert saved.value.suggested_filename == teach.FILE
    path = saved.value.path()
    assert list(json.loads(path.read_text())["points"]) == ["neutral"]
    speak(page)
    wait_for_films(page)
    expect(page.locator("#answer .verdict")).to_contain_text(texts.OWN_VOICE)

    again = open_page(width=width, dark=dark)
    open_drawer(again, texts.TEACH)
    again.locator("#bring input[type=file], #teach-more input[type=file]").first.set_input_files(
        {"name": teach.FILE, "mimeType": "application/json", "buffer": path.read_bytes()}
    )
    expect(again.locator("#lesson .learned")).to_be_visible(timeout=SOON_MS)
    again.get_by_role("button", name=texts.TEACH_FORGET).click()
    expect(again.locator("#lesson .learned")).to_have_count(0)


def test_a_refused_microphone_is_a_sentence_beside_it(open_page: Open) -> None:
    page = open_page(allowed=False, watched=False)
    open_drawer(page, texts.TEACH)
    page.locator("#teach-recorder .record-button").click()
    expect(page.locator("#teach .microphone-note")).to_have_text(texts.DENIED)
    expect(page.locator("#hint .microphone-note")).to_be_empty()
