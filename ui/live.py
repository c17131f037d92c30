"""Live: while somebody speaks, the last four seconds are judged each second, and nothing is kept."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import soundfile as sf

from ser_model.audio import SAMPLE_RATE, AudioError, Waveform, load_audio
from ser_model.cnn import WeightsError
from ser_model.voice import LearnedVoice, VoiceError
from ui import microphone, service, texts, uploads
from ui.answer import adjective
from ui.bars import bars, markup
from ui.template import Shown, shown, template
from ui.visit import Visit

WINDOW_S = 4.0
EVERY_S = 1.0
LIMIT_S = 60
NEW = 0.5  # share of the newest reading in the bars; the rest is what they showed before
LISTENERS = 16  # visitors who may be live at once; one takes some 2 % of a core

TEMPLATE = (
    """
{{#if value.headline}}
<section class="live {{value.kind}}" aria-label="LABEL" {{#if value.over}}data-over{{/if}}>
  <div>
    <h3>{{value.headline}}</h3>
    <p class="quiet">{{value.detail}}</p>
  </div>
""".replace("LABEL", texts.LIVE)
    + markup("value.bars", texts.LIVE_BARS)
    + """
</section>
{{/if}}
"""
)


@dataclass(frozen=True)
class Live:
    """What is known of a live session.

    Attributes:
        window: The last WINDOW_S of sound, (time,) at SAMPLE_RATE.
        heard_s: How long it lasts already.
        mood: Smoothed probabilities, or nothing before the first voice.
        total: Sum of every reading's probabilities, for what it was mostly.
        over: Whether it has ended.
    """

    window: Waveform = field(default_factory=lambda: np.zeros(0, np.float32))
    heard_s: float = 0.0
    mood: Mapping[str, float] = field(default_factory=dict)
    total: Mapping[str, float] = field(default_factory=dict)
    over: bool = False


def draw(visit: gr.State) -> None:
    """Lay out the microphone and the bars, and say what happens when sound comes."""
    session = gr.State(Live())
    template(f"{microphone.NOTE}<p>{texts.LIVE_HINT.format(limit=LIMIT_S)}</p>", elem_id="live-hint")
    with gr.Row(elem_id="live-row"):
        recorder = gr.Audio(
            sources=["microphone"],
            streaming=True,
            type="filepath",
            label=texts.LIVE,
            show_label=False,
            elem_id="live-recorder",
            min_width=280,
        )
        moving = template(TEMPLATE, elem_id="live-bars")
    quietly: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    recorder.start_recording(start, None, [session, moving], **quietly)
    recorder.stream(
        hear_chunk, [recorder, session, visit], [session, moving],
        stream_every=EVERY_S, concurrency_limit=LISTENERS, **quietly,
    )  # fmt: skip
    recorder.stop_recording(stop, session, [session, moving], **quietly)


def start() -> tuple[Live, Shown]:
    """Begin afresh."""
    return Live(), shown(headline=texts.LIVE_LISTENING)


def hear_chunk(path: str | None, session: Live, visit: Visit) -> tuple[Any, Any]:
    """Add the newest sound and judge the last seconds; return the session and the bars.

    The file with the sound is deleted as soon as it has been read.
    """
    if path is None:
        return gr.skip(), gr.skip()
    if session.over:  # a piece that was under way when it ended
        with suppress(OSError):
            _take(path)
        return gr.skip(), gr.skip()
    begin = time.perf_counter()
    try:
        sound = load_audio(_take(path))
    except (AudioError, OSError):  # a last piece without sound, or one that was swept away
        return gr.skip(), gr.skip()
    window = np.concatenate([session.window, sound])[-round(WINDOW_S * SAMPLE_RATE) :]
    session = replace(session, window=window, heard_s=session.heard_s + sound.size / SAMPLE_RATE)
    session, problem = _judge(session, visit.voice)
    if session.heard_s >= LIMIT_S:
        return stop(session)
    return session, describe(session, problem, 1000 * (time.perf_counter() - begin))


def stop(session: Live) -> tuple[Live, Any]:
    """End it: say what it was mostly, and forget the sound."""
    if session.over:
        return session, gr.skip()
    if not session.total:
        return Live(over=True), shown(headline=texts.LIVE_NOTHING, kind="still", over=True)
    mostly = max(session.total, key=lambda emotion: session.total[emotion])
    said = texts.LIVE_OVER.format(emotion=adjective(mostly))
    everything = {emotion: value / sum(session.total.values()) for emotion, value in session.total.items()}
    detail = texts.LIVE_FORGOTTEN.format(seconds=round(session.heard_s))
    return Live(over=True), shown(headline=said, detail=detail, bars=bars(everything, leading=1), over=True)


def describe(session: Live, problem: str, judged_ms: float) -> Shown:
    """Describe a running session: the leading emotion or why there is none, time and latency, the bars."""
    detail = texts.LIVE_FACTS.format(seconds=round(session.heard_s), limit=LIMIT_S, ms=round(judged_ms))
    if problem or not session.mood:
        headline = problem or texts.LIVE_LISTENING
        return shown(headline=headline, detail=detail, kind="still", bars=bars(session.mood, leading=0, steady=True))
    leader = max(session.mood, key=lambda emotion: session.mood[emotion])
    return shown(headline=adjective(leader).capitalize(), detail=detail, bars=bars(session.mood, 1, steady=True))


def _judge(session: Live, voice: LearnedVoice | None) -> tuple[Live, str]:
    """Return the session with its newest reading, and a sentence when there is none."""
    try:
        heard = service.hear(_to_wav(session.window), voice).probabilities
    except WeightsError:
        return session, texts.NO_MODEL
    except VoiceError as error:
        return session, str(error)
    except AudioError:
        waiting = session.heard_s < WINDOW_S / 2
        return session, texts.LIVE_LISTENING if waiting else texts.LIVE_SILENT
    mood = {name: NEW * value + (1 - NEW) * session.mood.get(name, value) for name, value in heard.items()}
    total = {name: value + session.total.get(name, 0.0) for name, value in heard.items()}
    return replace(session, mood=mood, total=total), ""


def _take(path: str) -> bytes:
    """Return what a file holds and delete it."""
    file = Path(path).resolve()
    data = file.read_bytes()
    if file.is_relative_to(uploads.folder()):
        file.unlink(missing_ok=True)
    return data


def _to_wav(waveform: Waveform) -> bytes:
    buffer = io.BytesIO()
    sf.write(buffer, waveform, SAMPLE_RATE, format="WAV", subtype="FLOAT")
    return buffer.getvalue()
