"""A picture of every state of the page that goes well, in each look; see looks.py."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import voice
from browser.looks import every_size, every_theme, kept, look, take
from browser.test_screenshots import clip_of, unanswered  # noqa: F401 - a fixture that every test here uses
from browser.visit import SOON_MS, Open, open_drawer, pick, record, speak, upload, wait_for_films, wish
from PIL import Image
from playwright.sync_api import Page, expect

from scraper.film import Source, SourceKind
from scraper.recommend import Recommendation
from ui import rival, service, texts

pytestmark = [pytest.mark.browser, kept, every_size, every_theme]

Take = Callable[[Page, str], None]


@pytest.fixture
def visit(open_page: Open, size: str, theme: str, microphone: Path, tmp_path: Path) -> Callable[[], Page]:
    return functools.partial(open_page, clip=clip_of(microphone, tmp_path), **look(size, theme))


@pytest.fixture
def shoot(size: str, theme: str) -> Take:
    return functools.partial(take, size=size, theme=theme)


def test_an_answer(visit: Callable[[], Page], shoot: Take) -> None:
    page = visit()
    shoot(page, "01-first-look")
    speak(page)
    wait_for_films(page)
    shoot(page, "02-answer-to-a-voice")
    page.get_by_role("button", name=texts.CLOSER).click()
    expect(page.locator("#closeup figure")).to_have_count(4, timeout=90_000)
    shoot(page, "03-what-it-heard")
    page.get_by_role("button", name=texts.COMPARE).click()
    expect(page.locator("#comparison h3")).not_to_have_count(0, timeout=SOON_MS)
    shoot(page, "04-comparison-without-the-large-model")
    page.locator("#voice-too input").uncheck()
    page.wait_for_timeout(500)
    shoot(page, "05-gender-off")
    pick(page, "fearful")
    expect(page.locator("#answer h2")).to_have_text("You feel fearful.")
    wait_for_films(page)
    shoot(page, "06-corrected")


def test_an_unsure_answer(visit: Callable[[], Page], shoot: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = service.recognizer()
    monkeypatch.setattr(recognizer, "_calibration", replace(recognizer._calibration, abstain_below=0.999))
    page = visit()
    speak(page)
    wait_for_films(page)
    shoot(page, "07-not-sure-with-the-top-three")


def test_a_long_recording(visit: Callable[[], Page], shoot: Take, tmp_path: Path) -> None:
    parts = [voice.speak(pitch_hz=pitch, seed=seed) for seed, pitch in enumerate((120, 180, 260, 150, 220))]
    sf.write(tmp_path / "long.wav", np.concatenate(parts), voice.RATE_HZ, subtype="PCM_16")
    page = visit()
    upload(page, tmp_path / "long.wav")
    wait_for_films(page)
    page.get_by_role("button", name=texts.CLOSER).click()
    expect(page.locator("#closeup figure")).to_have_count(5, timeout=90_000)
    page.locator("#closeup").scroll_into_view_if_needed()
    shoot(page, "08-emotion-over-time")


def test_both_models(visit: Callable[[], Page], shoot: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rival, "rival", rival.Rival(service.recognizer))  # the layout; the small one stands in
    page = visit()
    speak(page)
    page.get_by_role("button", name=texts.COMPARE).click()
    expect(page.locator(".models h3")).to_have_count(2, timeout=SOON_MS)
    shoot(page, "09-both-models-the-small-one-standing-in-for-the-large")


def test_the_films(visit: Callable[[], Page], shoot: Take) -> None:
    page = visit()
    page.get_by_role("button", name=texts.VOICES["sharp"], exact=True).click()
    page.wait_for_selector("#answer h2", timeout=SOON_MS)
    shoot(page, "10-made-voice")
    pick(page, "sad")
    wish(page, "lift")
    wait_for_films(page)
    shoot(page, "11-films-that-lift")
    page.get_by_text(texts.AS_TABLE).click()
    shoot(page, "12-table")
    open_drawer(page, texts.FILTERS)
    shoot(page, "13-filters")
    page.keyboard.press("Tab")
    shoot(page, "14-focus")


def test_live_posters(visit: Callable[[], Page], shoot: Take, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find = service.find_films

    def find_live(*asked: object) -> Recommendation:
        found = find(*asked)
        picks = [
            replace(one, film=replace(one.film, poster_url=f"https://m.media-amazon.com/{place}.jpg"))
            for place, one in enumerate(found.picks)
        ]
        notice = "Films from IMDb, fetched just now."
        return replace(found, picks=tuple(picks), source=Source(SourceKind.IMDB, date(2026, 1, 1), notice))

    monkeypatch.setattr(service, "find_films", find_live)
    rows, columns = np.mgrid[0:300, 0:200]
    poster = np.stack([rows * 0.6, 60 + columns * 0.5, 160 - rows * 0.3], axis=2).astype(np.uint8)
    Image.fromarray(poster).save(tmp_path / "poster.jpg")
    page = visit()
    page.route("https://m.media-amazon.com/**", lambda route: route.fulfill(path=tmp_path / "poster.jpg"))
    pick(page, "happy")
    wait_for_films(page)
    page.locator(".film").last.scroll_into_view_if_needed()
    shoot(page, "15-live-posters")


def test_live(visit: Callable[[], Page], shoot: Take) -> None:
    page = visit()
    page.wait_for_timeout(1_500)
    open_drawer(page, texts.LIVE)
    page.locator("#live .record-button").click()
    expect(page.locator("#live .bars .leads")).to_have_count(1, timeout=SOON_MS)
    shoot(page, "16-live")
    page.locator("#live .stop-button").click()
    expect(page.locator("#live h3")).to_contain_text("You sounded mostly", timeout=SOON_MS)
    shoot(page, "17-live-is-over")


def test_teaching(visit: Callable[[], Page], shoot: Take) -> None:
    page = visit()
    page.wait_for_timeout(1_500)
    open_drawer(page, texts.TEACH)
    page.wait_for_timeout(500)
    shoot(page, "18-teach")
    for number in range(1, 9):
        record(page, "#teach-recorder", 3)
        step = texts.TEACH_STEP.format(number=number + 1, all=8)
        if number < 8:
            expect(page.locator("#lesson .step")).to_have_text(step, timeout=SOON_MS)
        if number == 1:
            shoot(page, "19-one-line-is-learned")
    expect(page.locator("#lesson .learned")).to_have_text(texts.TEACH_LEARNED, timeout=SOON_MS)
    shoot(page, "20-eight-lines-are-learned")


def test_several_files(
    visit: Callable[[], Page], shoot: Take, microphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.wav").write_text("no sound at all")
    for name in ("monday.wav", "tuesday.wav"):
        (tmp_path / name).write_bytes(microphone.read_bytes())
    hear = service.hear

    def hear_slowly(*clip: object) -> object:
        time.sleep(3)
        return hear(*clip)

    monkeypatch.setattr(service, "hear", hear_slowly)
    page = visit()
    open_drawer(page, texts.BATCH)
    chosen = [tmp_path / name for name in ("monday.wav", "notes.wav", "tuesday.wav")]
    page.locator("#batch input[type=file]").set_input_files(chosen)
    expect(page.locator("#results tbody tr")).to_have_count(1, timeout=SOON_MS)
    shoot(page, "21-several-files-under-way")
    expect(page.locator("#results tbody tr")).to_have_count(3, timeout=SOON_MS)
    shoot(page, "22-several-files")


def test_how_good_it_is(visit: Callable[[], Page], shoot: Take) -> None:
    page = visit()
    page.get_by_text(texts.QUALITY).click()
    shoot(page, "23-how-good-it-is")
