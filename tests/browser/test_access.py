"""The page for everybody: phone width, keyboard alone, a screen reader, reduced motion, axe-core."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser.visit import (
    SOON_MS,
    Open,
    open_drawer,
    overflow_px,
    pick,
    serious_issues,
    speak,
    upload,
    wait_for_films,
    wish,
)
from playwright.sync_api import Page, expect

from scraper.moods import Mood
from ui import films, texts

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  const seen = document.activeElement;
  if (seen === document.body) return ["nothing", false];
  const box = (seen.closest('label') ?? seen).getBoundingClientRect();
  return [seen.value || seen.innerText || seen.getAttribute('aria-label') || seen.tagName, box.width > 0];
}"""


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_axe_finds_nothing_serious_in_any_state(  # noqa: PLR0915 - one state after another
    open_page: Open, microphone: Path, tmp_path: Path, second_opinion: None, width: int, dark: bool
) -> None:
    page = open_page(width=width, dark=dark, reduced_motion="reduce", watched=False)  # the player minds the bad file
    found: dict[str, set[str]] = {}

    def check(state: str) -> None:
        found[state] = serious_issues(page)
        assert overflow_px(page) <= 0, state

    check("first look")
    page.locator("#clip .record-button").click()
    page.wait_for_timeout(4_000)
    check("recording")
    page.locator("#clip .stop-button").first.click()
    wait_for_films(page)
    check("answer and films")
    page.locator("#answer summary").click()
    check("all eight")
    open_drawer(page, texts.FILTERS)
    check("filters")
    page.get_by_text(texts.AS_TABLE).click()
    check("table")
    page.get_by_role("button", name=texts.SURPRISE).click()
    page.wait_for_selector(".film.surprise", timeout=SOON_MS)
    check("surprise")
    page.get_by_role("button", name=texts.EXPLAIN).click()
    expect(page.locator("#explain figure")).to_have_count(4, timeout=90_000)
    page.get_by_text(texts.EXPERTS).click()
    check("what it heard")
    page.get_by_role("button", name=texts.SECOND_OPINION).click()
    expect(page.locator(".models h3")).to_have_count(3, timeout=SOON_MS)
    check("comparison")
    page.get_by_text(texts.QUALITY).click()
    check("quality")
    (tmp_path / "notes.wav").write_text("no sound at all")
    open_drawer(page, texts.BATCH)
    page.locator("#batch input[type=file]").set_input_files([microphone, tmp_path / "notes.wav"])
    expect(page.locator("#results tbody tr")).to_have_count(2, timeout=SOON_MS)
    check("several files")
    open_drawer(page, texts.LIVE)
    page.locator("#live .record-button").click()
    expect(page.locator("#live .bars li")).to_have_count(len(Mood), timeout=SOON_MS)
    check("live")
    page.locator("#live .stop-button").click()
    expect(page.locator("#live .picks button")).to_be_visible(timeout=SOON_MS)
    check("live is over")
    open_drawer(page, texts.ENROLL)
    check("enrollment")
    page.locator("#clip").get_by_label(texts.RECORD_AGAIN).click()
    upload(page, tmp_path / "notes.wav")
    page.wait_for_selector("#problem .problem", timeout=SOON_MS)
    wait_for_films(page, 0)  # those of the voice fade before they go
    check("a file that is no recording")
    pick(page, "sad")
    wait_for_films(page)
    check("mood")
    page.context.set_offline(True)
    pick(page, "happy")
    expect(page.locator("#choose .note")).not_to_be_empty(timeout=SOON_MS)
    check("no connection")
    page.context.set_offline(False)
    expect(page.locator("#answer h2")).to_have_text("You chose “happy”.", timeout=SOON_MS)
    for state, query in (("link", "mood=sad"), ("no film", "mood=sad&language=hi&genres=Family&rating=8&minutes=90")):
        page = open_page(width=width, dark=dark, query=f"&{query}", reduced_motion="reduce")
        page.wait_for_selector("#films h2", state="attached", timeout=SOON_MS)
        page.wait_for_timeout(1_000)
        check(state)
    page = open_page(width=width, dark=dark, allowed=False, reduced_motion="reduce")
    page.wait_for_timeout(1_500)
    page.locator("#clip .record-button").click()
    expect(page.locator("#hint .note")).not_to_be_empty(timeout=SOON_MS)
    check("denied microphone")
    assert len(found) == 20
    assert not {state: issues for state, issues in found.items() if issues}


SHIFT = """new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) sum += shift.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 500);
})"""


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
@pytest.mark.parametrize("query", ["", "&mood=sad"])
def test_hardly_anything_is_seen_to_move_while_the_page_loads(
    open_page: Open, width: int, height: int, query: str
) -> None:
    page = open_page(width=width, height=height, query=query)
    page.wait_for_selector("body.ready", timeout=SOON_MS)
    if query:
        page.wait_for_selector(".film", timeout=SOON_MS)
    page.wait_for_timeout(1_500)
    assert page.evaluate(SHIFT) <= 0.1


def test_nothing_moves_for_who_asked_for_less_motion(open_page: Open) -> None:
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
      const { transitionDuration, animationDuration } = getComputedStyle(one);
      return Math.max(...`${transitionDuration}, ${animationDuration}`.split(",").map(parseFloat)) > 0.001;
    }).length"""
    for wish_, count in (("no-preference", "some"), ("reduce", "none")):
        page = open_page(reduced_motion=wish_)
        pick(page, "sad")
        wait_for_films(page)
        assert bool(page.evaluate(moving)) == (count == "some")


def test_the_focus_stays_in_the_list_when_more_films_is_gone(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(query="&mood=sad&language=ko")
    expect(page.locator(".film").first).to_be_visible(timeout=SOON_MS)
    monkeypatch.setattr(films, "PAGE_SIZE", 100)  # so that the next list is the last
    page.get_by_role("button", name=texts.MORE).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=texts.MORE)).to_have_count(0, timeout=SOON_MS)
    expect(page.locator(".film h3 a").nth(12)).to_be_focused()


def test_a_new_list_is_news_to_a_screen_reader(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    news = page.locator("body > [role=status]")
    expect(news).to_have_text(f"{texts.FILMS['match']}: {films.PAGE_SIZE}", timeout=SOON_MS)
    wish(page, "lift")
    expect(news).to_have_text(f"{texts.FILMS['lift']}: {films.PAGE_SIZE}", timeout=SOON_MS)


def walk(page: Page, until: str, limit: int = 240, back: bool = False) -> list[str]:
    """Press Tab until something is focused; return what was passed, each of it visible."""
    passed: list[str] = []
    for _ in range(limit):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        name, visible = page.evaluate(FOCUSED)
        assert visible, f"{name} cannot be seen but has the focus"
        passed.append(name)
        if until in name:
            return passed
    raise AssertionError(f"{until} was not reached: {passed}")


def test_everything_by_keyboard_alone(open_page: Open) -> None:
    page = open_page()
    walk(page, "Record")
    walk(page, "neutral")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#answer h2")).to_have_text("You chose “calm”.")
    wait_for_films(page)
    outline = "getComputedStyle(document.activeElement.closest('label')).outlineStyle"
    assert page.evaluate(outline) == "solid"
    walk(page, "match")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#films h2")).to_have_text(texts.FILMS["lift"])
    walk(page, texts.FILTERS)
    page.keyboard.press("Enter")
    expect(page.get_by_label(texts.FILTER_LABELS["min_rating"], exact=True)).to_be_visible()
    walk(page, f"{texts.KEEP}: ")
    film = page.evaluate("document.activeElement.closest('[data-film]').dataset.film")
    stops = walk(page, f"{texts.KEEP}: ")
    assert len(stops) == 2  # a film's link, and its tools, through which the arrow keys walk
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    for key in ("ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator(f'[data-film="{film}"] .dismiss')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-film="{film}"]')).to_have_count(0, timeout=SOON_MS)
    expect(page.locator(".dismiss").first).to_be_focused()
    walk(page, texts.MORE)
    page.keyboard.press("Enter")
    wait_for_films(page, 2 * films.PAGE_SIZE)
    page.wait_for_timeout(1_000)
    wait_for_films(page, 2 * films.PAGE_SIZE)


def test_looking_at_the_filters_leaves_the_list_as_it_is(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    wait_for_films(page)
    page.get_by_role("button", name=texts.MORE).click()
    wait_for_films(page, 2 * films.PAGE_SIZE)
    walk(page, texts.FILTERS, back=True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=texts.RESET)).to_be_visible()
    walk(page, texts.RESET)
    page.wait_for_timeout(1_500)
    wait_for_films(page, 2 * films.PAGE_SIZE)


def test_a_screen_reader_is_told(open_page: Open) -> None:
    page = open_page()
    expect(page.get_by_role("group", name=texts.PICK)).to_be_visible()
    expect(page.get_by_role("group", name=texts.INTENT)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(texts.QUESTION)
    pick(page, "angry")
    expect(page.get_by_role("status").filter(has_text="You chose “angry”.")).to_have_attribute("aria-live", "polite")


def test_the_focus_goes_from_record_to_stop_to_the_answer(open_page: Open) -> None:
    page = open_page()
    page.locator("#clip .record-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#clip .stop-button").first).to_be_focused(timeout=SOON_MS)
    page.wait_for_timeout(3_500)
    page.keyboard.press("Enter")
    expect(page.locator("#answer h2")).to_be_focused(timeout=SOON_MS)


def test_answers_to_a_question_are_one_group_that_arrows_walk_through(open_page: Open) -> None:
    page = open_page()
    page.locator('#moods input[value="neutral"]').focus()
    for mood in ("calm", "happy"):
        page.locator(":focus").evaluate("radio => { radio.name = 'radio-1' }")  # as Gradio does to the one just chosen
        page.keyboard.press("ArrowRight")
        expect(page.locator(f'#moods input[value="{mood}"]')).to_be_focused()
    wait_for_films(page)
    expect(page.locator("#answer h2")).to_have_text("You chose “happy”.", timeout=SOON_MS)
    assert page.evaluate("scrollY") == 0  # who walks through the moods still looks at them
    page.keyboard.press("Tab")
    expect(page.locator('#intent input[value="match"]')).to_be_focused()
    assert page.locator("#moods input").evaluate_all("all => new Set(all.map(one => one.name)).size") == 1


def test_drawers_say_whether_they_are_open_and_tabs_what_they_are(open_page: Open) -> None:
    page = open_page()
    drawer = page.get_by_role("button", name=texts.BATCH)
    expect(drawer).to_have_attribute("aria-expanded", "false")
    drawer.click()
    expect(drawer).to_have_attribute("aria-expanded", "true")
    assert "▼" not in page.locator("#batch").aria_snapshot()
    for name in (texts.UPLOAD, texts.MICROPHONE):
        expect(page.locator("#clip").get_by_role("button", name=name, exact=True)).to_be_visible()


SMALL = """least => [...document.querySelectorAll("button, summary, select, a.save, input")].filter(one =>
  one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
).map(one => [one, (one.closest("label") ?? one).getBoundingClientRect()]).filter(([, box]) =>
  box.width && (box.height < least || box.width < 24)
).map(([one, box]) => `${one.className} ${one.textContent.trim()} ${box.width}x${box.height}`)"""


@pytest.mark.parametrize(("width", "touch", "least"), [(1280, False, 24), (390, True, 44)])
def test_everything_can_be_hit(open_page: Open, width: int, touch: bool, least: int) -> None:
    page = open_page(width=width, height=844, has_touch=touch, is_mobile=touch)
    speak(page)
    wait_for_films(page)
    page.locator("#answer summary").click()
    small = [one for one in page.evaluate(SMALL, least) if "play-pause" not in one]
    assert not small


def test_in_high_contrast_faces_and_what_is_chosen_are_seen(open_page: Open) -> None:
    page = open_page(forced_colors="active")
    pick(page, "sad")
    wait_for_films(page)
    face = "getComputedStyle(document.querySelector('#answer .face')).backgroundColor"
    ink = "getComputedStyle(document.querySelector('#answer h2')).color"
    assert page.evaluate(face) == page.evaluate(ink)
    outline = "label => getComputedStyle(label).outlineStyle"
    moods = (page.locator(f'#moods label:has([value="{mood}"])') for mood in ("sad", "calm"))
    assert [mood.evaluate(outline) for mood in moods] == ["solid", "none"]


def test_small_text_is_13_px_in_both_themes(open_page: Open) -> None:
    for dark in (False, True):
        page = open_page(dark=dark)
        size = "getComputedStyle(document.querySelector('#hint p:last-child')).fontSize"
        assert page.evaluate(size) == "13px"
