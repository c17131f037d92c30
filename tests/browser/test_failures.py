"""Every failure is a sentence where the eye is: the microphone, the file, the queue, IMDb."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile as sf
import voice
from browser.visit import (
    OTHER_HOST,
    SOON_MS,
    Open,
    open_drawer,
    overflow_px,
    pick,
    record,
    speak,
    upload,
    wait_for_films,
)
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from scraper.film import Film, Pick
from scraper.notice import Source, SourceKind
from scraper.recommend import Recommendation
from ser_model.vad import MUSIC
from ui import service, texts

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.hacked=1'>${1+1}`{{value}}\\u"


@pytest.mark.parametrize(
    ("without", "sentence"), [({"allowed": False}, texts.DENIED), ({"plugged": False}, texts.NO_MICROPHONE)]
)
@pytest.mark.parametrize("place", ["ask", "live", "enroll"])
def test_a_microphone_that_cannot_be_had_is_a_sentence_beside_its_recorder(
    open_page: Open, place: str, without: dict[str, bool], sentence: str
) -> None:
    page = open_page(**without, watched=False)  # Gradio itself logs the refusal
    page.wait_for_timeout(1_500)  # Gradio loads its recorder
    if place != "ask":
        open_drawer(page, texts.LIVE if place == "live" else texts.ENROLL)
    page.locator(f"#{place} .record-button").click()
    expect(page.locator(f"#{place} .microphone-note")).to_have_text(sentence)
    expect(page.locator(".note:not(:empty)")).to_have_count(1)
    pick(page, "calm")
    wait_for_films(page)


def test_before_permission_nothing_is_said_about_the_microphone(open_page: Open) -> None:
    page = open_page(allowed=False)
    page.wait_for_timeout(1_500)
    expect(page.locator("#clip .mic-select")).to_be_hidden()
    expect(page.locator(".note:not(:empty)")).to_have_count(0)


@pytest.mark.parametrize("place", ["ask", "live"])
def test_a_denied_microphone_is_one_message_that_goes_once_something_works(open_page: Open, place: str) -> None:
    page = open_page(allowed=False)
    page.wait_for_timeout(1_500)
    if place == "live":
        open_drawer(page, texts.LIVE)
    page.locator(f"#{place} .record-button").click()
    expect(page.locator(f"#{place} .microphone-note")).to_have_text(texts.DENIED)
    page.wait_for_timeout(500)
    expect(page.locator(".toast-wrap")).to_be_hidden()
    expect(page.locator("#live-bars")).to_be_hidden()
    expect(page.locator(f"#{place} [data-testid=status-tracker] .error:visible")).to_have_count(
        0
    )  # "too many visitors"
    page.get_by_role("button", name=next(iter(texts.VOICES.values()))).click()
    wait_for_films(page)
    expect(page.locator(".note:not(:empty)")).to_have_count(0)


def test_a_recording_stopped_at_once_is_a_sentence_and_the_next_is_heard(open_page: Open) -> None:
    page = open_page()
    record(page, "#clip", 0)
    expect(page.locator("#problem strong")).to_be_visible(timeout=SOON_MS)
    page.locator("#clip").get_by_label(texts.RECORD_AGAIN).click()
    speak(page)
    expect(page.locator("#problem .problem")).to_have_count(0)


def test_an_http_page_says_why_it_has_no_microphone(open_page: Open, url: str) -> None:
    page = open_page(address=f"http://{OTHER_HOST}:{urlsplit(url).port}/", watched=False)
    expect(page.locator("#hint .note")).to_have_text(texts.INSECURE)
    expect(page.locator("#clip .record-button")).to_be_disabled()
    pick(page, "calm")
    wait_for_films(page)
    expect(page.locator(".note:not(:empty)")).to_have_count(0)


def test_a_file_that_cannot_be_used_is_one_sentence(open_page: Open, tmp_path: Path) -> None:
    sf.write(tmp_path / "long.wav", np.resize(voice.speak(), 61 * voice.RATE_HZ), voice.RATE_HZ, subtype="PCM_16")
    (tmp_path / "notes.wav").write_bytes(b"no sound at all")
    (tmp_path / "film.m4a").write_bytes(b"\0\0\0\x20ftypisom" + bytes(400))
    said = {
        "long.wav": texts.FILE_TOO_LONG,
        "notes.wav": "This is not a recording that can be read. Please use WAV, MP3, FLAC, OGG, WebM or M4A.",
        "film.m4a": "The file ends too early, as if the upload was cut off. Please send it again.",
    }
    for name, sentence in said.items():
        page = open_page(watched=False)  # the player complains about bad files as well
        upload(page, tmp_path / name)
        expect_problem(page, sentence)
        assert page.locator(".film").count() == 0


def test_a_reload_in_the_middle_of_an_answer_is_harmless(open_page: Open) -> None:
    page = open_page(watched=False)  # Gradio logs the request that ended with the page it came from
    page.get_by_role("button", name=texts.VOICES["sad"], exact=True).click()
    page.reload()
    page.wait_for_selector("#live.ready", state="attached")
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    expect(page.locator("#answer h2")).to_have_count(0)
    pick(page, "calm")
    wait_for_films(page)
    assert not troubles


@pytest.mark.parametrize("status", [None, 202, 403])
def test_films_come_and_say_so_when_imdb_does_not_answer_or_refuses(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer, status: int | None
) -> None:
    if status:
        httpserver.expect_request(re.compile(".*")).respond_with_data("", status)
    monkeypatch.setenv("IMDB_LIVE", "on")
    monkeypatch.setenv("IMDB_BASE_URL", httpserver.url_for("") if status else "http://127.0.0.1:9")
    service.recommender.reload()
    page = open_page()
    pick(page, "happy")
    wait_for_films(page)
    expect(page.locator("#films .quiet").first).to_contain_text("our own list")
    service.recommender.reload()


def test_several_files_become_a_table(open_page: Open, microphone: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound at all")
    page = open_page(width=360)
    open_drawer(page, texts.BATCH)
    page.locator("#batch input[type=file]").set_input_files([microphone, tmp_path / "notes.wav"])
    expect(page.locator("#results [role=status]")).to_have_text(
        re.compile(r"^1 judged.*, 1 could not be\.$"), timeout=SOON_MS
    )
    assert page.locator("#results tbody tr").count() == 2
    with page.expect_download() as saved:
        page.locator("#results .save").click()
    assert "not a recording" in saved.value.path().read_text("utf-8-sig")
    assert overflow_px(page) <= 0


def test_a_file_that_is_too_large_leaves_the_others_alone(open_page: Open, microphone: Path, tmp_path: Path) -> None:
    (tmp_path / "long.wav").write_bytes(bytes(21 * 1024**2))
    page = open_page()
    open_drawer(page, texts.BATCH)
    page.locator("#batch input[type=file]").set_input_files([microphone, tmp_path / "long.wav"])
    expect(page.locator("#results [role=status]")).to_have_text(re.compile("^1 judged"), timeout=SOON_MS)
    expect(page.locator("#batch .file-note")).to_have_text(texts.TOO_LARGE)
    upload(page, tmp_path / "long.wav")
    expect(page.locator("#hint [role=alert]")).to_have_text(texts.TOO_LARGE)


def test_a_hostile_title_stays_text(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    films = (Pick(Film("tt0000001", HOSTILE, 2020, ("Drama",)), HOSTILE),)
    source = Source(SourceKind.IMDB, date(2025, 1, 1), HOSTILE)
    monkeypatch.setattr(service, "recommend", lambda *_, **__: Recommendation(films, source, {}, HOSTILE))
    page = open_page()
    pick(page, "sad")
    wait_for_films(page, 1)
    assert HOSTILE in page.locator(".film h3").inner_text()
    assert HOSTILE in page.locator(".film .why").inner_text()
    assert page.evaluate("window.hacked") is None


def expect_problem(page: Page, sentence: str) -> None:
    """The first sentence says what is wrong, the rest what to do."""
    wrong, _ = sentence.split(". ", 1)
    expect(page.locator("#problem strong")).to_have_text(f"{wrong}.", timeout=SOON_MS)
    expect(page.locator("#problem .problem")).to_have_text(sentence)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("silent", "The recording is silent. Please check that the microphone is on and speak again."),
        ("brief", "That was too short to judge. Please say a whole sentence."),
        ("hum", MUSIC[1]),
    ],
)
def test_what_cannot_be_judged_through_the_microphone_is_one_sentence(
    open_page: Open, tmp_path: Path, name: str, sentence: str
) -> None:
    time = np.arange(4 * voice.RATE_HZ) / voice.RATE_HZ
    made = {
        "silent": np.zeros(time.size),
        "brief": voice.speak("a", syllable_s=0.3, pause_s=1.8),
        "hum": 0.2 * np.sin(2 * np.pi * 440 * time),
    }
    sf.write(tmp_path / "clip.wav", made[name], voice.RATE_HZ, subtype="PCM_16")
    page = open_page(clip=tmp_path / "clip.wav")
    record(page, "#clip", 4)
    expect_problem(page, sentence)
    assert page.locator(".film").count() == 0


def test_a_file_that_is_too_large_is_left_out_when_dropped_too(open_page: Open) -> None:
    page = open_page()
    open_drawer(page, texts.BATCH)
    drop = """zone => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(21 * 1024 ** 2)], "long.wav"));
      zone.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
    }"""
    page.locator("#batch .block button").first.evaluate(drop)
    expect(page.locator("#batch .file-note")).to_have_text(texts.TOO_LARGE)
