"""Live: while somebody speaks, the last four seconds are predicted each second, and no sound is stored."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import soundfile as sf

from ser_model.audio import AudioError, Waveform, load_audio
from ser_model.frontend import SAMPLE_RATE
from ser_model.speaker import SpeakerProfile
from ui import server, service, texts
from ui.answer import adjective, bars, films_for
from ui.page import PRIVATE, Visit, draw_hint, draw_recorder
from ui.template import SafeContext, escape, template

WINDOW_S = 4.0
EVERY_S = 1.0
LIMIT_S = 60
SMOOTHING = 0.5  # weight of the newest prediction in the bars; the rest is what they showed before
MAX_LISTENERS = 16  # visitors who may be live at the same time; each takes some 2 % of a core


@dataclass(frozen=True)
class LiveState:
    """What is known of a live session."""

    window: Waveform = field(default_factory=lambda: np.zeros(0, np.float32))  # the last WINDOW_S of sound
    length_s: float = 0.0  # so far
    smoothed: Mapping[str, float] = field(default_factory=dict)  # probabilities in the bars
    total: Mapping[str, float] = field(default_factory=dict)  # sum of the probabilities of every prediction
    over: bool = False


def draw(visit: gr.State) -> None:
    """Lay out the recorder and the bars that follow it.

    The drawer is open at first, and page.js closes it: a recorder that appears later streams ten times a second.
    """
    with gr.Accordion(texts.LIVE, open=True, elem_id="live", elem_classes="drawer"):
        state = gr.State(LiveState())
        draw_hint("live-hint", texts.LIVE_HINT.format(limit=LIMIT_S))
        with gr.Row(elem_id="live-row"):
            options = {"sources": ["microphone"], "streaming": True, "show_label": False, "buttons": None}
            recorder = draw_recorder("live-recorder", texts.LIVE, **options)
            moving = template("live", elem_id="live-bars")
    recorder.start_recording(start, None, [state, moving], **PRIVATE)
    streaming = PRIVATE | {"stream_every": EVERY_S, "concurrency_limit": MAX_LISTENERS}
    recorder.stream(take_chunk, [recorder, state, visit], [state, moving], **streaming)
    recorder.stop_recording(stop, state, [state, moving], **PRIVATE)


def start() -> tuple[LiveState, SafeContext]:
    """Begin a new session."""
    return LiveState(), escape(headline=texts.LIVE_LISTENING)


def take_chunk(path: str | None, state: LiveState, visit: Visit) -> tuple[Any, Any]:
    """Add the newest sound and predict the last seconds; return the session and the bars.

    The file with the sound is deleted as soon as it has been read.
    """
    if path is None:
        return gr.skip(), gr.skip()
    file = Path(path).resolve()
    try:
        data = file.read_bytes()
        if file.is_relative_to(server.folder()):
            file.unlink(missing_ok=True)
        sound = None if state.over else load_audio(data)  # one on its way when the session ended is not heard
    except (AudioError, OSError):  # a last chunk without sound, or one that has been deleted
        sound = None
    if sound is None:
        return gr.skip(), gr.skip()
    window = np.concatenate([state.window, sound])[-round(WINDOW_S * SAMPLE_RATE) :]
    state = replace(state, window=window, length_s=state.length_s + sound.size / SAMPLE_RATE)
    state, problem = _predict(state, visit.profile)
    if state.length_s >= LIMIT_S:
        return stop(state)
    return state, describe(state, problem)


def stop(state: LiveState) -> tuple[LiveState, Any]:
    """End the session: say what it was mostly, and forget the sound."""
    if state.over:
        return state, gr.skip()
    if not state.total:
        return LiveState(over=True), escape(headline=texts.LIVE_NOTHING, kind="still", over=True)
    mostly = max(state.total, key=lambda emotion: state.total[emotion])
    mean = {emotion: value / sum(state.total.values()) for emotion, value in state.total.items()}
    said = escape(
        headline=texts.LIVE_OVER.format(emotion=adjective(mostly)),
        detail=texts.LIVE_FORGOTTEN.format(seconds=round(state.length_s)),
        mood=mostly,
        films=films_for(mostly),
        label=texts.LIVE_BARS,
        bars=bars(mean, leading=1),
        over=True,
    )
    return LiveState(over=True), said


def describe(state: LiveState, problem: str) -> SafeContext:
    """Describe a running session: the leading emotion or why there is none, the time, the bars."""
    detail = texts.LIVE_FACTS.format(seconds=round(state.length_s), limit=LIMIT_S)
    if problem or not state.smoothed:
        headline, kind, leading = problem or texts.LIVE_LISTENING, "still", 0
    else:
        leader = max(state.smoothed, key=lambda emotion: state.smoothed[emotion])
        headline, kind, leading = adjective(leader).capitalize(), "", 1
    moving = bars(state.smoothed, leading, keep_order=True)
    return escape(headline=headline, detail=detail, kind=kind, label=texts.LIVE_BARS, bars=moving)


def _predict(state: LiveState, profile: SpeakerProfile | None) -> tuple[LiveState, str]:
    """Return the session with the newest prediction, and a sentence if there is none."""
    wav = io.BytesIO()
    sf.write(wav, state.window, SAMPLE_RATE, format="WAV", subtype="FLOAT")
    try:
        newest = service.predict(wav.getvalue(), profile).probabilities
    except AudioError:
        return state, texts.LIVE_LISTENING if state.length_s < WINDOW_S / 2 else texts.LIVE_SILENT
    except service.VOICE_PROBLEMS as error:
        return state, service.explain_problem(error)
    smoothed = {name: SMOOTHING * p + (1 - SMOOTHING) * state.smoothed.get(name, p) for name, p in newest.items()}
    total = {name: p + state.total.get(name, 0.0) for name, p in newest.items()}
    return replace(state, smoothed=smoothed, total=total), ""
