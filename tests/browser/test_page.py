"""The page in a real Chromium: a voice, a picked mood, failures in words, phone width, keyboard."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from scraper.film import Film, Pick, Source, SourceKind
from scraper.moods import Mood
from scraper.recommend import Recommendation
from ser_model.wav2vec2 import load_comparison
from ui import rival, service, texts

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
SOON_MS = 15_000


def pick(page: Page, mood: str) -> None:
    page.locator(f'#moods label:has([value="{mood}"])').click()


def speak(page: Page, seconds: float = 4.0) -> None:
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(seconds * 1000)
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.wait_for_selector("#answer h2", timeout=SOON_MS)


def upload(page: Page, path: Path) -> None:
    page.locator("#clip .source-selection button").first.click()
    page.locator("#clip input[type=file]").set_input_files(path)


def wait_for_films(page: Page, count: int = service.PAGE) -> None:
    expect(page.locator(".film")).to_have_count(count, timeout=SOON_MS)


def overflow_px(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def test_a_voice_brings_an_emotion_and_films(open_page: Open) -> None:
    page = open_page()
    speak(page)
    wait_for_films(page)
    assert page.inner_text("#answer h2").startswith(("You sound ", "You may sound ", texts.UNSURE))
    assert page.locator("#answer .bars li").count() == len(Mood)
    assert "voice" in page.inner_text("#answer .quiet")


def test_a_correction_re_ranks_without_hearing_again(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    hear = service.hear
    monkeypatch.setattr(service, "hear", lambda path: heard.append(path) or hear(path))
    page = open_page()
    speak(page)
    wait_for_films(page)
    before = page.inner_text("#films")
    pick(page, "fearful")
    expect(page.locator("#answer h2")).to_have_text("You feel fearful.")
    expect(page.locator("#films")).not_to_have_text(before)
    assert len(heard) == 1


def test_every_mood_brings_films_at_once(open_page: Open) -> None:
    page = open_page()
    for mood in Mood:
        pick(page, mood)
        expect(page.locator("#answer h2")).to_have_text(f"You feel {mood.adjective}.")
        expect(page.locator("#films section > p").first).to_contain_text(mood.adjective)
        wait_for_films(page)


def test_the_intent_changes_the_films_and_more_adds_others(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    wait_for_films(page)
    titles = set(page.locator(".film h3").all_inner_texts())
    page.locator('#intent label:has([value="lift"])').click()
    expect(page.locator("#films h2")).to_have_text(texts.FILMS["lift"])
    assert set(page.locator(".film h3").all_inner_texts()) != titles
    page.get_by_role("button", name=texts.MORE).click()
    wait_for_films(page, 2 * service.PAGE)
    links = [link.get_attribute("href") for link in page.locator(".film a").all()]
    assert len(set(links)) == 2 * service.PAGE


def test_links_lead_to_imdb_in_a_new_tab(open_page: Open) -> None:
    page = open_page()
    pick(page, "happy")
    wait_for_films(page)
    link = page.locator(".film a").first
    assert str(link.get_attribute("href")).startswith("https://www.imdb.com/title/tt")
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 390])
def test_nothing_is_wider_than_a_phone(open_page: Open, width: int, dark: bool) -> None:
    page = open_page(width=width, height=740, dark=dark)
    assert overflow_px(page) <= 0
    speak(page, 2)
    wait_for_films(page)
    assert overflow_px(page) <= 0
    assert all(
        card["x"] + card["width"] <= width for film in page.locator(".film").all() if (card := film.bounding_box())
    )


def test_a_blocked_microphone_is_a_sentence(open_page: Open) -> None:
    page = open_page(allowed=False, watched=False)  # Gradio itself logs the refusal
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(texts.DENIED)
    pick(page, "calm")
    wait_for_films(page)


def test_a_file_that_is_no_recording_is_a_sentence(open_page: Open, tmp_path: Path) -> None:
    page = open_page(watched=False)  # the player complains about the file as well
    (tmp_path / "notes.wav").write_text("no sound at all")
    upload(page, tmp_path / "notes.wav")
    expect(page.locator("#answer h2")).to_have_text("This is not a recording that can be read.", timeout=SOON_MS)
    assert page.locator(".film").count() == 0


def test_by_keyboard_alone(open_page: Open) -> None:
    page = open_page()
    page.locator('#moods [value="neutral"]').focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#answer h2")).to_have_text("You feel calm.")
    wait_for_films(page)
    outline = "getComputedStyle(document.activeElement.closest('label')).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_a_screen_reader_is_told(open_page: Open) -> None:
    page = open_page()
    expect(page.get_by_role("group", name=texts.PICK)).to_be_visible()
    expect(page.get_by_role("group", name=texts.INTENT)).to_be_visible()
    pick(page, "angry")
    expect(page.get_by_role("status").filter(has_text="You feel angry.")).to_have_attribute("aria-live", "polite")


def test_both_models_are_compared_on_demand(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rival, "rival", rival.Rival(service.recognizer))
    page = open_page()
    expect(page.get_by_role("button", name=texts.COMPARE)).to_have_count(0)
    speak(page)
    page.get_by_role("button", name=texts.COMPARE).click()
    expect(page.locator("#comparison h2")).to_have_text(texts.AGREE, timeout=SOON_MS)
    assert page.locator(".models h3").count() == 2


def test_what_the_comparison_lacks_is_said_on_a_phone_too(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rival, "rival", rival.Rival(lambda: load_comparison(tmp_path)))
    page = open_page(width=360, height=740)
    speak(page)
    page.get_by_role("button", name=texts.COMPARE).click()
    expect(page.locator("#comparison .quiet").first).to_contain_text("python train.py", timeout=SOON_MS)
    assert overflow_px(page) <= 0


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_filters_re_rank_at_once(open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#filters")).to_be_hidden()
    pick(page, "sad")
    wait_for_films(page)
    before = page.locator(".film h3").all_inner_texts()
    page.get_by_role("button", name=texts.FILTERS).click()
    choose(page, texts.FILTER_LABELS["min_rating"], "8 or more")
    page.locator('#sort label:has([value="rating"])').click()
    expect(page.locator(".film h3").first).not_to_have_text(before[0])
    expect(page.locator(".facts").first).to_contain_text(re.compile(r"★ [89]"))
    page.get_by_role("button", name=texts.RESET).click()
    expect(page.locator(".film h3").first).to_have_text(before[0])


def test_a_film_can_be_sent_away(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    wait_for_films(page)
    first, second = page.locator(".film h3").all_inner_texts()[:2]
    page.locator(".dismiss").first.click()
    expect(page.locator(".film h3").first).to_have_text(second)
    wait_for_films(page)
    pick(page, "calm")
    pick(page, "sad")
    expect(page.locator(".film h3").first).to_have_text(second)
    assert first not in page.locator(".film h3").all_inner_texts()


@pytest.mark.parametrize("width", [360, 1280])
def test_the_table_can_be_read_and_saved(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    pick(page, "happy")
    wait_for_films(page)
    page.get_by_role("button", name=texts.FILTERS).click()
    page.get_by_text("As a table").click()
    assert page.locator(".table tbody tr").count() == service.PAGE
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as CSV").click()
    rows = list(csv.DictReader(saved.value.path().open(encoding="utf-8-sig")))
    assert [row["Name"] for row in rows] == page.locator(".table tbody td:first-child").all_inner_texts()
    assert saved.value.suggested_filename == "films.csv"
    assert overflow_px(page) <= 0


def test_a_link_reproduces_the_list(open_page: Open) -> None:
    page = open_page(query="&mood=sad&intent=lift&from=2015&not=Animation&sort=rating")
    wait_for_films(page)
    expect(page.locator("#answer h2")).to_have_text("You feel sad.")
    expect(page.locator("#films h2")).to_have_text(texts.FILMS["lift"])
    expect(page.get_by_label(texts.FILTER_LABELS["from_year"], exact=True)).to_have_value("2015")
    titles = page.locator(".film h3").all_inner_texts()
    choose(page, texts.FILTER_LABELS["min_rating"], "7 or more")
    expect(page).to_have_url(re.compile(r"[?&]mood=sad&intent=lift&not=Animation&from=2015&rating=7&sort=rating$"))
    choose(page, texts.FILTER_LABELS["min_rating"], texts.ANY)
    expect(page).not_to_have_url(re.compile("rating=7"))
    page.reload()
    wait_for_films(page)
    assert page.locator(".film h3").all_inner_texts() == titles


def test_the_address_never_carries_a_voice(open_page: Open) -> None:
    page = open_page()
    speak(page)
    wait_for_films(page)
    assert "mood" not in page.url
    pick(page, "fearful")
    expect(page).to_have_url(re.compile("mood=fearful"))


@pytest.mark.parametrize("width", [360, 1280])
def test_what_it_heard_is_drawn_on_demand(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    speak(page)
    page.get_by_role("button", name=texts.CLOSER).click()
    expect(page.locator("#closeup figure")).to_have_count(4, timeout=60_000)
    assert overflow_px(page) <= 0


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)])
def test_how_good_it_is_can_be_read(open_page: Open, width: int, dark: bool) -> None:
    page = open_page(width=width, dark=dark)
    page.get_by_text(texts.QUALITY).click()
    expect(page.locator("#quality figure").first).to_be_visible()
    assert overflow_px(page) <= 0


def test_several_files_become_a_table(open_page: Open, microphone: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound at all")
    page = open_page(width=360)
    page.get_by_role("button", name=texts.BATCH).click()
    page.locator("#batch input[type=file]").set_input_files([microphone, tmp_path / "notes.wav"])
    expect(page.locator("#results [role=status]")).to_have_text("1 of 2 recordings judged.", timeout=SOON_MS)
    assert page.locator("#results tbody tr").count() == 2
    with page.expect_download() as saved:
        page.locator("#results .save").click()
    assert "not a recording" in saved.value.path().read_text("utf-8-sig")
    assert overflow_px(page) <= 0


@pytest.mark.parametrize("name", texts.VOICES)
def test_a_made_voice_is_one_click(open_page: Open, name: str) -> None:
    page = open_page(allowed=False)
    page.get_by_role("button", name=texts.VOICES[name], exact=True).click()
    page.wait_for_selector("#answer h2", timeout=SOON_MS)
    wait_for_films(page)


HOSTILE = "<img src=x onerror='window.hacked=1'>${1+1}`{{value}}\\u"


def test_a_hostile_title_stays_text(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    films = (Pick(Film("tt0000001", HOSTILE, 2020, ("Drama",)), HOSTILE),)
    source = Source(SourceKind.IMDB, date(2025, 1, 1), HOSTILE)
    monkeypatch.setattr(service, "find_films", lambda *_: Recommendation(films, source, {}, HOSTILE))
    page = open_page()
    pick(page, "sad")
    wait_for_films(page, 1)
    assert HOSTILE in page.locator(".film h3").inner_text()
    assert HOSTILE in page.locator(".film .why").inner_text()
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(open_page: Open, dark: bool) -> None:
    page = open_page(dark=dark, reduced_motion="reduce")
    speak(page)
    wait_for_films(page)
    page.get_by_role("button", name=texts.FILTERS).click()
    page.get_by_text(texts.QUALITY).click()
    page.get_by_text("As a table").click()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = {
        f"{one['id']}: {node['target']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    }
    assert not serious
