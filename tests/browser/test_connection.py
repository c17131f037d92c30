"""What was to be sent is neither lost nor shown as if it had been: no connection, a full queue, files of any kind."""

from __future__ import annotations

import re
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import voice
from browser.visit import SOON_MS, Open, open_drawer, pick, record, upload, wait_for_films
from playwright.sync_api import Page, Route, expect

import app
from ui import texts

pytestmark = pytest.mark.browser


def is_said(page: Page, place: str, sentence: str) -> None:
    """A sentence with a button, and nothing on the page that says otherwise."""
    expect(page.locator(f"{place} .note")).to_have_text(f"{sentence} {texts.SEND_AGAIN}", timeout=SOON_MS)
    expect(page.locator(f"{place} .note")).to_be_visible()
    expect(page.locator("#answer section:visible")).to_have_count(0)


def test_a_recording_made_without_a_connection_is_sent_when_it_is_back(open_page: Open) -> None:
    page = open_page(watched=False)  # the browser logs what cannot be reached
    page.locator("#clip .record-button").click()
    page.wait_for_timeout(3_000)
    page.context.set_offline(True)
    page.locator("#clip .stop-button").first.click()
    is_said(page, "#voice", texts.UNSENT)
    page.context.set_offline(False)
    wait_for_films(page)
    expect(page.locator("#answer h2")).to_be_visible()
    expect(page.locator(".note:not(:empty)")).to_have_count(0)


def test_a_mood_picked_without_a_connection_is_sent_when_it_is_back(open_page: Open) -> None:
    page = open_page(watched=False)
    pick(page, "happy")
    wait_for_films(page)
    page.context.set_offline(True)
    pick(page, "sad")
    is_said(page, "#choose", texts.UNSENT)
    page.context.set_offline(False)
    answer = re.compile("You chose “sad”.|Films for a sad mood")  # the latter if Gradio has loaded the page anew
    expect(page.locator("#answer h2")).to_have_text(answer, timeout=2 * SOON_MS)
    expect(page.locator("#films section > p").first).to_contain_text("sad", timeout=SOON_MS)
    expect(page.locator('#moods input[value="sad"]')).to_be_checked()


def test_a_mood_that_nobody_answers_is_said_to_be_on_its_way(open_page: Open) -> None:
    page, held = open_page(), list[Route]()

    def hold(route: Route) -> None:  # as in a tunnel: nothing fails, and nothing arrives
        held.append(route)

    page.route("**/queue/join*", hold)
    pick(page, "sad")
    expect(page.locator("#choose .note")).to_have_text(texts.SLOW, timeout=SOON_MS)
    held.pop(0).continue_()
    page.unroute("**/queue/join*", hold)
    wait_for_films(page)
    expect(page.locator(".note:not(:empty)")).to_have_count(0)


@pytest.mark.parametrize("asked", ["mood", "recording", "several files"])
def test_a_full_queue_is_a_sentence_with_a_retry(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, microphone: Path, asked: str
) -> None:
    page = open_page(watched=False)
    page.wait_for_timeout(1_000)  # the page's own loading is through
    if asked == "several files":
        open_drawer(page, texts.BATCH)
    monkeypatch.setattr(app.demo._queue, "max_size", 0)
    if asked == "mood":
        pick(page, "sad")
    elif asked == "recording":
        record(page, "#clip", 2)
    else:
        page.locator("#batch input[type=file]").set_input_files([microphone])
    place = {"mood": "#choose", "recording": "#voice", "several files": "#batch"}[asked]
    is_said(page, place, texts.FULL)
    monkeypatch.undo()
    page.locator(f"{place} .note button").click()
    expected = "#results tbody tr" if asked == "several files" else "#answer h2"
    expect(page.locator(expected)).to_be_visible(timeout=SOON_MS)
    expect(page.locator(f"{place} .note")).to_have_text("", timeout=SOON_MS)


def encode(path: Path, codec: str, seconds: float = 4.0) -> Path:
    """Write the made voice the way a phone or a browser does."""
    sound = np.resize(voice.speak(), round(seconds * voice.RATE_HZ)).astype(np.float32)
    rate_hz = 48_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate_hz)
        frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.rate = voice.RATE_HZ
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        while piece := fifo.read(stream.codec_context.frame_size or 1024, partial=True):
            for packet in stream.encode(piece):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [("memo.mp4", "aac"), ("memo.mov", "aac"), ("memo.webm", "libopus"), ("memo.opus", "libopus"), ("memo.m4a", "aac")],
)
def test_what_the_decoder_reads_can_be_uploaded(open_page: Open, tmp_path: Path, name: str, codec: str) -> None:
    page = open_page(watched=False)  # the player need not know the format
    upload(page, encode(tmp_path / name, codec))
    wait_for_films(page)
    expect(page.locator("#answer h2")).to_be_visible()


def test_a_wrong_file_is_one_sentence_where_it_was_dropped(open_page: Open, tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7 no sound at all")
    page = open_page(watched=False)
    upload(page, tmp_path / "letter.pdf")
    expect(page.locator("#voice .problem")).to_contain_text("not a recording", timeout=SOON_MS)
    expect(page.locator(".toast-wrap").get_by_text("Invalid file type")).to_have_count(0)


def test_of_a_long_file_the_first_minute_is_used_on_request(open_page: Open, tmp_path: Path) -> None:
    sf.write(tmp_path / "long.flac", np.resize(voice.speak(), 70 * voice.RATE_HZ), voice.RATE_HZ)
    page = open_page()
    expect(page.locator("#hint")).to_contain_text("60 seconds")
    expect(page.locator("#hint")).to_contain_text("20 MB")
    upload(page, tmp_path / "long.flac")
    page.get_by_role("button", name=texts.FIRST_MINUTE).click(timeout=SOON_MS)
    wait_for_films(page)
    expect(page.get_by_role("button", name=texts.FIRST_MINUTE)).to_have_count(0)
    expect(page.locator("#problem .problem")).to_have_count(0)


def test_a_recording_stops_itself_before_it_is_too_long(open_page: Open) -> None:
    page = open_page()
    page.locator("#hint .note").evaluate("note => note.dataset.maxS")
    page.clock.install()
    page.reload()
    page.wait_for_selector("#live.ready", state="attached")
    page.locator("#clip .record-button").click()
    expect(page.locator("#clip .stop-button").first).to_be_visible()
    page.wait_for_timeout(3_000)
    page.clock.fast_forward(60_000)
    expect(page.locator("#clip .stop-button")).to_be_hidden(timeout=SOON_MS)
    expect(page.locator("#answer h2")).to_be_visible(timeout=SOON_MS)
