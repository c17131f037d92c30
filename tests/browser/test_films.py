"""Films in a real Chromium: moods, intents, filters, the table, and an address that reproduces a list."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from browser.visit import SOON_MS, Open, choose, open_drawer, overflow_px, pick, serious_issues, wait_for_films, wish
from playwright.sync_api import Page, expect
from saved_page import write_search_page

from scraper.moods import Mood
from ui import texts
from ui.films import PAGE_SIZE

pytestmark = pytest.mark.browser


def test_every_mood_brings_films_at_once(open_page: Open) -> None:
    page = open_page()
    for mood in Mood:
        pick(page, mood)
        expect(page.locator("#answer h2")).to_have_text(f"You chose “{mood.adjective}”.")
        expect(page.locator("#films section > p").first).to_contain_text(mood.adjective)
        wait_for_films(page)


def test_of_many_quick_picks_the_last_one_counts(open_page: Open) -> None:
    page = open_page()
    for mood in (*Mood, *Mood, Mood.SAD):
        page.locator(f'#moods [value="{mood}"]').dispatch_event("click")
    wish(page, "lift")
    expect(page.locator("#answer h2")).to_have_text("You chose “sad”.")
    expect(page.locator("#films section > p").first).to_contain_text("sad")
    expect(page.locator("#films h2")).to_have_text(texts.FILMS["lift"])
    wait_for_films(page)


def test_the_intent_changes_the_films_and_more_adds_others(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    wait_for_films(page)
    listed = set(page.locator(".film h3").all_inner_texts())
    wish(page, "lift")
    expect(page.locator("#films h2")).to_have_text(texts.FILMS["lift"])
    assert set(page.locator(".film h3").all_inner_texts()) != listed
    page.get_by_role("button", name=texts.MORE).dblclick()
    wait_for_films(page, 2 * PAGE_SIZE)
    links = [link.get_attribute("href") for link in page.locator(".film h3 a").all()]
    assert len(set(links)) == 2 * PAGE_SIZE


def test_links_lead_to_imdb_in_a_new_tab(open_page: Open) -> None:
    page = open_page()
    pick(page, "happy")
    wait_for_films(page)
    link = page.locator(".film h3 a").first
    assert str(link.get_attribute("href")).startswith("https://www.imdb.com/title/tt")
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener")


def test_filters_re_rank_at_once_and_are_counted(open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#filters")).to_be_hidden()
    pick(page, "sad")
    wait_for_films(page)
    before = page.locator(".film h3").all_inner_texts()
    open_drawer(page, texts.FILTERS)
    choose(page, texts.FILTER_LABELS["min_rating"], "8 or more")
    page.locator('#sort label:has([value="rating"])').click()
    expect(page.locator(".film h3").first).not_to_have_text(before[0])
    expect(page.locator(".facts").first).to_contain_text(re.compile(r"★ [89]"))
    expect(page.locator("#filters button").first).to_contain_text(texts.FILTERS_SET.format(count=2))
    page.get_by_role("button", name=texts.RESET).click()
    expect(page.locator(".film h3").first).to_have_text(before[0])
    expect(page.locator("#filters button").first).not_to_contain_text("2")


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
    page.locator(".dismiss").nth(9).click()
    expect(page.locator("[data-act=undo]")).to_be_in_viewport()  # far below the heading


@pytest.mark.parametrize("width", [360, 1280])
def test_the_table_can_be_read_and_saved(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    pick(page, "happy")
    wait_for_films(page)
    open_drawer(page, texts.FILTERS)
    page.get_by_text(texts.AS_TABLE).click()
    assert page.locator(".table tbody tr").count() == PAGE_SIZE
    with page.expect_download() as saved:
        page.get_by_role("link", name=texts.SAVE).click()
    rows = list(csv.DictReader(saved.value.path().open(encoding="utf-8-sig")))
    assert [row["Name"] for row in rows] == page.locator(".table tbody td:first-child").all_inner_texts()
    assert saved.value.suggested_filename == "films.csv"
    assert overflow_px(page) <= 0


def test_a_link_reproduces_the_list(open_page: Open) -> None:
    page = open_page(query="&mood=sad&intent=lift&from=2015&not=Animation&sort=rating")
    wait_for_films(page)
    expect(page.locator("#answer h2")).to_have_text("Films for a sad mood")
    expect(page.locator("#films h2")).to_have_text(texts.FILMS["lift"])
    expect(page.locator("#filters button").first).to_contain_text(texts.FILTERS_SET.format(count=3))
    page.locator("#filters button").first.click()
    expect(page.get_by_label(texts.FILTER_LABELS["from_year"], exact=True)).to_have_value("2015")
    listed = page.locator(".film h3").all_inner_texts()
    choose(page, texts.FILTER_LABELS["min_rating"], "7 or more")
    expect(page).to_have_url(re.compile(r"[?&]mood=sad&intent=lift&not=Animation&from=2015&rating=7&sort=rating$"))
    choose(page, texts.FILTER_LABELS["min_rating"], texts.ANY)
    expect(page).not_to_have_url(re.compile("rating=7"))
    page.wait_for_timeout(500)  # what is under way ends
    page.reload()
    wait_for_films(page)
    assert page.locator(".film h3").all_inner_texts() == listed


def titles(page: Page) -> list[str]:
    return page.locator("li.film h3").all_inner_texts()


def act(page: Page, action: str, place: int = 0) -> None:
    page.locator(f"li.film [data-act={action}]").nth(place).click()


def test_what_was_seen_stays_away_after_a_reload_and_can_be_taken_back(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    wait_for_films(page)
    first, second, third = titles(page)[:3]
    act(page, "seen")
    expect(page.locator(".done")).to_contain_text(texts.DONE["seen"].format(title=first.splitlines()[0]))
    wait_for_films(page)
    page.locator("[data-act=undo]").click()
    expect(page.locator("li.film h3").first).to_have_text(first)
    act(page, "seen")
    expect(page.locator("li.film h3").first).to_have_text(second)
    act(page, "dismiss")
    expect(page.locator("li.film h3").first).to_have_text(third)
    page.wait_for_timeout(500)  # what is under way ends
    page.reload()
    wait_for_films(page)
    assert not {first, second} & set(titles(page))


def test_a_heart_keeps_a_film_in_this_browser(open_page: Open) -> None:
    page = open_page()
    pick(page, "happy")
    wait_for_films(page)
    title = titles(page)[1].splitlines()[0]
    page.locator("li.film .keep").nth(1).click()
    expect(page.locator("li.film .keep").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".kept li")).to_contain_text(title)
    page.wait_for_timeout(500)  # what is under way ends
    page.reload()
    wait_for_films(page)
    expect(page.locator(".kept li")).to_contain_text(title)
    with page.expect_download() as saved:
        page.locator(".kept a[download]").click()
    assert saved.value.path().read_text("utf-8").startswith(f"{title} (")
    page.locator("li.film .keep").nth(1).click()
    expect(page.locator(".kept li")).to_have_count(0)


def test_tones_narrow_the_list_and_so_does_good_with_kids(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    wish(page, "lift")
    wait_for_films(page)
    page.locator('#tones label:has-text("Funny")').click()
    expect(page).to_have_url(re.compile("tone=funny"))
    page.locator("#kids label").click()
    expect(page).to_have_url(re.compile("kids=on"))
    wait_for_films(page)
    for fact in page.locator("li.film .facts").all_inner_texts():
        assert fact.endswith((" G", " PG", "m", "h"))


def test_what_the_films_should_be_is_one_row_of_equal_chips(open_page: Open) -> None:
    page = open_page()
    pick(page, "sad")
    wait_for_films(page)
    boxes = page.locator(":is(#tones, #kids) label").evaluate_all("all => all.map(one => one.getBoundingClientRect())")
    assert len({(box["top"], box["height"]) for box in boxes}) == 1


def test_a_lighter_list_and_back_and_a_surprise(open_page: Open) -> None:
    page = open_page()
    pick(page, "angry")
    wait_for_films(page)
    before = titles(page)
    act(page, "lighter", 2)
    expect(page.locator("#films section > p").first).to_have_text(f"Like {before[2].splitlines()[0]}, but lighter.")
    expect(page.locator("#films section > p").first).to_be_in_viewport()
    page.locator("[data-act=back]").click()
    expect(page.locator("li.film h3").first).to_have_text(before[0])
    page.get_by_role("button", name=texts.SURPRISE).click()
    expect(page.locator(".surprise h3")).to_have_count(1)
    assert titles(page) == before
    assert serious_issues(page) == set()
    assert overflow_px(page) <= 0


def test_a_saved_page_of_imdb_can_be_dropped(open_page: Open, tmp_path: Path) -> None:
    saved = write_search_page(tmp_path / "saved.html")
    page = open_page()
    pick(page, "sad")
    wait_for_films(page)
    link = page.get_by_role("link", name=texts.ASK_IMDB)
    assert str(link.get_attribute("href")).startswith("https://www.imdb.com/search/title/?title_type=feature")
    open_drawer(page, texts.YOURS)
    page.locator("#yours-file input[type=file]").set_input_files(saved)
    expect(page.locator("li.film h3").first).to_contain_text("Saved")
    wait_for_films(page)
    expect(page.locator("#films .quiet").first).to_contain_text("the page of IMDb that you saved")


def test_few_films_are_not_padded_and_the_others_are_one_click_away(open_page: Open) -> None:
    page = open_page(query="&mood=sad&intent=lift&language=ko")
    expect(page.locator("li.film").first).to_be_visible(timeout=SOON_MS)
    few = page.locator("li.film").count()
    assert few < PAGE_SIZE
    page.get_by_role("button", name=texts.OTHERS).click()
    wait_for_films(page, few + PAGE_SIZE)
