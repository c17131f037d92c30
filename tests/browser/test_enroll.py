"""Your voice in a real Chromium: a line, progress, a profile to save and to load."""

from __future__ import annotations

import json
from functools import partial

import pytest
from browser.visit import SOON_MS, Open, open_drawer, overflow_px, record, serious_issues, speak, wait_for_films
from playwright.sync_api import expect

from ui import answer, enroll, texts

pytestmark = pytest.mark.browser


def test_a_voice_that_a_restarted_server_has_forgotten_is_not_said_to_be_known(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = partial(answer.describe_prediction, enrolled=False)
    page = open_page()
    open_drawer(page, texts.ENROLL)
    record(page, "#enroll-recorder", 4)
    expect(page.locator("#guide .enrolled")).to_be_visible(timeout=SOON_MS)
    monkeypatch.setattr(answer, "describe_prediction", lambda prediction, _, made: plain(prediction, made=made))
    speak(page)
    expect(page.locator("#enroll-hint .note")).to_have_text(texts.FORGOT_VOICE, timeout=SOON_MS)
    expect(page.locator("#guide .enrolled")).to_have_count(0, timeout=SOON_MS)


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_one_line_adapts_the_model_and_the_profile_is_saved_and_loaded(open_page: Open, width: int, dark: bool) -> None:
    page = open_page(width=width, dark=dark)
    open_drawer(page, texts.ENROLL)
    expect(page.locator("#guide .step")).to_have_text("Line 1 of 8")
    record(page, "#enroll-recorder", 4)
    expect(page.locator("#guide .enrolled")).to_have_text(texts.ENROLLED_ONE, timeout=SOON_MS)
    expect(page.locator("#guide .step")).to_have_text("Line 2 of 8")
    expect(page.locator("#enroll-recorder .record-button")).to_be_visible()
    assert overflow_px(page) <= 0
    assert not serious_issues(page)
    with page.expect_download() as saved:
        page.locator("#guide .save").click()
    assert saved.value.suggested_filename == enroll.FILE
    path = saved.value.path()
    assert list(json.loads(path.read_text())["means"]) == ["neutral"]
    speak(page)
    wait_for_films(page)
    expect(page.locator("#answer")).to_contain_text(texts.ADAPTED)

    again = open_page(width=width, dark=dark)
    open_drawer(again, texts.ENROLL)
    again.locator("#load-profile input[type=file], #enroll-more input[type=file]").first.set_input_files(
        {"name": enroll.FILE, "mimeType": "application/json", "buffer": path.read_bytes()}
    )
    expect(again.locator("#guide .enrolled")).to_be_visible(timeout=SOON_MS)
    again.get_by_role("button", name=texts.ENROLL_FORGET).click()
    expect(again.locator("#guide .enrolled")).to_have_count(0)
