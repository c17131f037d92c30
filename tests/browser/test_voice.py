"""A voice in a real Chromium: recorded, uploaded or made, it brings an answer and films."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import soundfile as sf
from browser.visit import SOON_MS, Open, overflow_px, pick, speak, upload, wait_for_films
from playwright.sync_api import expect
from predictions import make_prediction

from scraper.moods import Mood
from ui import comparison, service, texts

pytestmark = pytest.mark.browser

ACTED = {
    "calm": "Actor_04/03-01-02",
    "happy": "Actor_07/03-01-03",
    "sad": "Actor_10/03-01-04",
    "angry": "Actor_13/03-01-05",
}


def acted(emotion: str, shared: Path, folder: Path) -> Path:
    """A clip for the fake microphone, which takes one channel of 16 bits."""
    samples, rate_hz = sf.read(next((shared / "data/ravdess/original_48k").glob(f"{ACTED[emotion]}-*")), always_2d=True)
    sf.write(folder / "clip.wav", samples[:, 0], rate_hz, subtype="PCM_16")
    return folder / "clip.wav"


def test_a_voice_brings_an_emotion_and_films(open_page: Open) -> None:
    page = open_page()
    speak(page)
    wait_for_films(page)
    assert page.inner_text("#answer h2").startswith(("You sound ", "You may sound ", texts.UNSURE))
    assert page.locator("#answer .bars li").count() == len(Mood)
    assert "voice" in str(page.locator("#answer .gender").text_content())


@pytest.mark.parametrize("emotion", ACTED)
def test_an_acted_emotion_is_among_the_first(open_page: Open, emotion: str, shared: Path, tmp_path: Path) -> None:
    page = open_page(clip=acted(emotion, shared, tmp_path))
    speak(page, 4.5)
    wait_for_films(page)
    assert emotion in [name.lower() for name in page.locator("#answer .bars .name").all_text_contents()[:3]]


def test_an_uploaded_voice_brings_films(open_page: Open, microphone: Path, tmp_path: Path) -> None:
    path = tmp_path / ("a very long name of a recording from last summer, again and again " * 3 + ".wav")
    path.write_bytes(microphone.read_bytes())
    page = open_page(width=360)
    upload(page, path)
    wait_for_films(page)
    assert overflow_px(page) <= 0


def test_a_correction_re_ranks_without_another_prediction(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = []
    predict = service.predict
    monkeypatch.setattr(service, "predict", lambda *clip: clips.append(clip) or predict(*clip))
    page = open_page()
    speak(page)
    wait_for_films(page)
    before = page.inner_text("#films")
    pick(page, "fearful")
    expect(page.locator("#answer h2")).to_have_text("You chose “fearful”.")
    expect(page.locator("#films")).not_to_have_text(before)
    assert len(clips) == 1


@pytest.mark.parametrize("name", texts.VOICES)
def test_a_made_voice_is_one_click(open_page: Open, name: str) -> None:
    page = open_page(allowed=False)
    page.get_by_role("button", name=texts.VOICES[name], exact=True).click()
    page.wait_for_selector("#answer h2", timeout=SOON_MS)
    wait_for_films(page)


def test_the_address_names_the_mood_but_not_the_voice(open_page: Open, shared: Path, tmp_path: Path) -> None:
    page = open_page(clip=acted("happy", shared, tmp_path))
    speak(page, 4.5)
    expect(page).to_have_url(re.compile("light&mood=happy"), timeout=SOON_MS)
    pick(page, "fearful")
    expect(page).to_have_url(re.compile("mood=fearful"))


def test_after_an_unsure_voice_a_reload_shows_films_again(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    prediction = make_prediction(sure=False, calm=0.24, sad=0.22, neutral=0.2)
    monkeypatch.setattr(service, "predict", lambda *_: prediction)
    page = open_page(watched=False)  # Gradio logs the request that ended with the page it came from
    speak(page, 1)
    expect(page).to_have_url(re.compile("mood=calm,sad,neutral"), timeout=SOON_MS)
    wait_for_films(page)
    page.reload()
    wait_for_films(page)
    expect(page.locator("#answer h2")).to_have_text("Films for a calm, sad or neutral mood")
    page.locator('#answer [data-mood="sad"]').click()
    expect(page.locator("#answer h2")).to_have_text("You chose “sad”.", timeout=SOON_MS)
    expect(page).to_have_url(re.compile("mood=sad(&|$)"), timeout=SOON_MS)


@pytest.mark.parametrize("width", [360, 1280])
def test_what_it_heard_is_drawn_on_demand(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    speak(page)
    page.get_by_role("button", name=texts.EXPLAIN).click()
    button = page.get_by_role("button", name=texts.EXPLAIN)
    expect(page.locator("#explain figure")).to_have_count(4, timeout=90_000)
    expect(page.locator("#explain h2")).to_be_in_viewport()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#explain figure").last).to_be_hidden()  # until an expert asks for it
    assert overflow_px(page) <= 0
    button.click()
    expect(page.locator("#explain")).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(page.locator("#explain h2")).to_be_in_viewport()


def test_a_second_opinion_is_given_on_demand_and_used_for_the_films(open_page: Open, second_opinion: None) -> None:
    page = open_page()
    expect(page.get_by_role("button", name=texts.SECOND_OPINION)).to_have_count(0)
    speak(page)
    page.get_by_role("button", name=texts.SECOND_OPINION).click()
    expect(page.locator(".models h3")).to_have_count(3, timeout=SOON_MS)
    joined = page.locator(".models .leads .name").last.inner_text()
    use = page.get_by_role("button", name=texts.USE_JOINED)
    use.click()
    expect(use).to_have_count(0)
    expect(page.locator("#answer .leads .name").first).to_have_text(joined, ignore_case=True)
    wait_for_films(page)


def test_without_a_second_opinion_there_is_no_button(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "is_available", lambda: False)
    page = open_page()
    speak(page)
    expect(page.get_by_role("button", name=texts.EXPLAIN)).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_role("button", name=texts.SECOND_OPINION)).to_have_count(0)
