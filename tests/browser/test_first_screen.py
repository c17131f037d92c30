"""What is seen without scrolling: the question at first, then the answer and the first films."""

from __future__ import annotations

import re

import pytest
from browser.visit import SOON_MS, Open, overflow_px, pick, speak, wait_for_films
from playwright.sync_api import Page, expect

from ui import texts

pytestmark = pytest.mark.browser

WINDOWS = [(1440, 900), (1366, 657), (820, 1180), (390, 844), (412, 915)]
PHONES = (360, 375, 390, 412, 430)


def is_answered(page: Page) -> None:
    """The answer is at the top of the window, and films begin in its first 80 %."""
    wait_for_films(page)
    page.wait_for_function(
        "document.querySelector('#answer section').getBoundingClientRect().top < 40", timeout=SOON_MS
    )
    place = "[...document.querySelectorAll('#answer section, .film')].map(one => one.getBoundingClientRect().top)"
    answer, film, *_ = page.evaluate(place)
    assert 0 <= answer < film < 0.8 * page.evaluate("innerHeight")


@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_films_are_in_the_first_screen_after_every_answer(open_page: Open, width: int, height: int) -> None:
    page = open_page(width=width, height=height)
    assert page.evaluate("scrollY") == 0
    expect(page.locator("h1")).to_be_in_viewport()
    speak(page)
    is_answered(page)
    pick(page, "angry")
    expect(page.locator("#answer h2")).to_have_text("You chose “angry”.", timeout=SOON_MS)
    is_answered(page)
    is_answered(open_page(width=width, height=height, query="&mood=sad&intent=lift&rating=7"))


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (320, 568)])
def test_a_plain_visit_stays_at_the_top(open_page: Open, width: int, height: int) -> None:
    page = open_page(width=width, height=height)
    page.wait_for_timeout(1_500)
    assert page.evaluate("scrollY") == 0
    assert overflow_px(page) <= 0


def test_live_and_enrollment_have_room_on_every_phone(open_page: Open) -> None:
    page = open_page()
    for title in (texts.LIVE, texts.ENROLL):
        page.get_by_role("button", name=title).click()
    page.locator("#live .record-button").click()
    expect(page.locator("#live .bars li")).to_have_count(8, timeout=SOON_MS)
    for width in PHONES:
        page.set_viewport_size({"width": width, "height": 844})
        for part in ("#live-bars section", "#guide section", "#live .bars .track >> nth=0"):
            box = page.locator(part).bounding_box()
            assert box, part
            assert box["width"] > (100 if "track" in part else 250), f"{part} at {width}"
        assert overflow_px(page) <= 0


def test_the_answer_is_one_line_with_all_eight_behind_a_tap(open_page: Open) -> None:
    page = open_page()
    speak(page)
    wait_for_films(page)
    expect(page.locator("#answer .bars")).to_be_hidden()
    page.locator("#answer summary").click()
    page.locator("#answer .bars").get_by_role("button", name="Disgusted").click()
    expect(page.locator("#answer h2")).to_have_text("You chose “disgusted”.")
    page.get_by_role("button", name=texts.START_OVER).click()
    expect(page.locator("#clip .record-button")).to_be_focused(timeout=SOON_MS)
    expect(page.locator("#ask")).to_be_in_viewport()
    expect(page.locator("#answer section, .film, #moods input:checked")).to_have_count(0, timeout=SOON_MS)
    assert "mood" not in page.url


def test_filters_in_use_are_chips_and_an_empty_list_says_which_to_drop(open_page: Open) -> None:
    page = open_page(query="&mood=sad&language=hi&genres=Family&rating=8&minutes=90")
    expect(page.locator("#films h2")).to_have_text(texts.NO_FILMS, timeout=SOON_MS)
    page.get_by_role("button", name=re.compile("Without “Hindi”: [0-9]+")).click()
    expect(page.locator(".film").first).to_be_visible(timeout=SOON_MS)
    expect(page.locator(".chips [data-drop]:not(.plain)")).to_have_count(3, timeout=SOON_MS)
    expect(page).not_to_have_url(re.compile("language"))
    page.locator(".chips").get_by_role("button", name="Family").click()
    expect(page.locator(".chips [data-drop]:not(.plain)")).to_have_count(2, timeout=SOON_MS)
    page.locator(".chips").get_by_role("button", name=texts.RESET).click()
    expect(page.locator(".chips [data-drop]")).to_have_count(0, timeout=SOON_MS)
    expect(page.locator(".chips .count")).to_have_text("12 films and more")
