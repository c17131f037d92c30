"""A list can be handed on: the button, the address, Back, and what somebody else sees who opens it."""

from __future__ import annotations

import re

import pytest
from browser.visit import SOON_MS, Open, pick, wait_for_films, wish
from playwright.sync_api import expect

from ui import texts

pytestmark = pytest.mark.browser


def test_the_button_copies_an_address_that_shows_the_same_list_to_a_friend(open_page: Open) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pick(page, "sad")
    wait_for_films(page)
    wish(page, "lift")
    expect(page.locator("#films h2")).to_have_text(texts.FILMS["lift"])
    titles = page.locator(".film h3").all_inner_texts()
    page.get_by_role("button", name=texts.SHARE).click()
    expect(page.locator(".share")).to_have_text(texts.COPIED)
    address = page.evaluate("navigator.clipboard.readText()")
    assert "mood=sad&intent=lift" in address
    assert "__theme" not in address
    friend = open_page(query="&" + address.partition("?")[2])
    wait_for_films(friend)
    expect(friend.locator("#answer h2")).to_have_text("Films for a sad mood")
    expect(friend.locator("#films h2")).to_be_hidden()  # it would say the same
    assert friend.locator(".film h3").all_inner_texts() == titles


def test_a_phone_offers_its_own_sheet(open_page: Open) -> None:
    page = open_page(width=390)
    page.evaluate("navigator.share = async given => { window.shared = given; }")
    pick(page, "calm")
    wait_for_films(page)
    page.get_by_role("button", name=texts.SHARE).click()
    assert re.search(r"\?mood=calm", page.evaluate("window.shared.url"))


def test_back_goes_to_the_list_before(open_page: Open) -> None:
    page = open_page()
    for mood in ("sad", "happy"):
        pick(page, mood)
        expect(page).to_have_url(re.compile(f"mood={mood}"), timeout=SOON_MS)
    page.go_back()
    expect(page.locator("#answer h2")).to_have_text("You chose “sad”.", timeout=SOON_MS)
    expect(page.locator('#moods input[value="sad"]')).to_be_checked()
    expect(page.locator("#films section > p").first).to_contain_text("sad", timeout=SOON_MS)
    page.go_back()
    expect(page.locator("#answer h2")).to_have_count(0, timeout=SOON_MS)
    expect(page.locator(".film")).to_have_count(0, timeout=SOON_MS)
    page.go_forward()
    expect(page.locator("#answer h2")).to_have_text("You chose “sad”.", timeout=SOON_MS)
    wait_for_films(page)
