"""What a visitor does, in a word each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ui.films import PAGE_SIZE

Open = Callable[..., Page]
SOON_MS = 20_000
OTHER_HOST = "films.test"  # a name that is not this machine's own, where browsers want https for a microphone


def pick(page: Page, mood: str) -> None:
    page.locator(f'#moods label:has([value="{mood}"])').click()


def wish(page: Page, intent: str) -> None:
    page.locator(f'#intent label:has([value="{intent}"])').click()


def speak(page: Page, seconds: float = 4.0) -> None:
    record(page, "#clip", seconds)
    page.wait_for_selector("#answer h2", timeout=SOON_MS)


def record(page: Page, recorder: str, seconds: float) -> None:
    page.locator(f"{recorder} .record-button").click()
    page.wait_for_timeout(seconds * 1000)
    page.locator(f"{recorder} .stop-button").first.click()


def upload(page: Page, path: Path) -> None:
    page.locator("#clip .source-selection button").first.click()
    page.locator("#clip input[type=file]").set_input_files(path)


def open_drawer(page: Page, title: str) -> None:
    page.get_by_role("button", name=title).click()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def wait_for_films(page: Page, count: int = PAGE_SIZE) -> None:
    expect(page.locator(".film")).to_have_count(count, timeout=SOON_MS)


def overflow_px(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def serious_issues(page: Page) -> set[str]:
    """What axe-core finds that keeps somebody from using the page."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return {
        f"{one['id']}: {node['target']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    }
