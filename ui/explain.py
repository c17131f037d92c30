"""What it heard: plots of a recording on demand, each with plain words beside it."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
import numpy as np
import torch
from numpy.typing import NDArray

from ser_model.audio import AudioError, Waveform, load_audio
from ser_model.frontend import HOP, SAMPLE_RATE, LogMel
from ser_model.recognize import Prediction, Segment
from ui import texts
from ui.answer import adjective
from ui.page import PRIVATE, Asked, Visit
from ui.template import SafeContext, escape, template

if TYPE_CHECKING:  # matplotlib and librosa take seconds to load, so only what draws imports them
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

MIN_TIMELINE_S = 6.0  # of speech; in shorter clips the emotion is not drawn over time

ON_THIS_PAGE = "(...given) => [...given.slice(0, -1), document.body.classList.contains('dark')]"
WIDTH_IN, HEIGHT_IN, DPI = 5.6, 2.0, 150  # narrow, so that its words can be read on a phone
PITCH_HZ = (60.0, 600.0)
MIN_ENERGY_DB = -30.0  # below the loudest frame; quieter frames have no pitch worth showing
MAX_LEAP = 1.2  # octaves from the median; further off, the pitch estimate has jumped

Track = NDArray[np.float64]


class Colors(NamedTuple):
    """What the plots are drawn with, on a light or a dark page."""

    panel: str
    ink: str
    line: str
    accent: str
    other: str
    heat: tuple[str, ...]  # from nothing to most


LIGHT = Colors(
    "#ffffff", "#463f36", "#d2c7b6", "#b86f00", "#2f6690", ("#ffffff", "#ffedc9", "#f5ad33", "#8f5500", "#2e1b02")
)
DARK = Colors(
    "#1f1b18", "#e6ded1", "#635a4d", "#f5ad33", "#8fb8d8", ("#1f1b18", "#4a2d05", "#b86f00", "#ffc55c", "#fff7e8")
)


class VoiceTracks(NamedTuple):
    """Pitch (Hz, nan where there is none) and energy (dB below the loudest frame), one value a frame."""

    time_s: Track
    pitch_hz: Track
    energy_db: Track


def draw(row: gr.Row, visit: gr.State, asked: Asked) -> None:
    """Lay out the button in a row and the place for the plots; offer them for each new prediction."""
    with row:
        button = gr.Button(texts.EXPLAIN, visible=False, elem_id="explain-button")
        dark = gr.Checkbox(visible=False)
    plots = template("explain", elem_id="explain", live=True)
    button.click(show_plots, [asked.voice, visit, dark], plots, js=ON_THIS_PAGE, concurrency_id="model", **PRIVATE)
    asked.predicted.then(offer_plots, visit, [button, plots], **PRIVATE)


def offer_plots(visit: Visit) -> tuple[Any, SafeContext]:
    """Offer plots of a new recording and remove those of the last one; return the button and the plots."""
    return gr.Button(visible=visit.prediction is not None), escape()


def show_plots(path: str | None, visit: Visit, dark: bool = False) -> Iterator[SafeContext]:
    """Draw a recording on the page: a message at once, then the plots."""
    if path is None or visit.prediction is None:
        yield escape(headline=texts.NO_CLIP)
        return
    yield escape(headline=texts.DRAWING)
    try:
        *figures, expert = draw_figures(path, visit.prediction, DARK if dark else LIGHT)
        yield escape(headline=texts.EXPLAIN, figures=figures, expert=expert)
    except (AudioError, FileNotFoundError):
        yield escape(headline=texts.GONE)


def draw_figures(path: str | Path, prediction: Prediction, colors: Colors = LIGHT) -> list[dict[str, str]]:
    """Draw a recording, the plot for experts last, each with a title, what is seen, and a few plain words."""
    waveform, (start_s, end_s) = load_audio(path), prediction.speech
    tracks = measure_voice(waveform, prediction.speech)
    pitched = tracks.pitch_hz[np.isfinite(tracks.pitch_hz)]
    low, middle, high = np.percentile(pitched, [10, 50, 90]) if pitched.size else (0.0, 0.0, 0.0)
    figures = [
        ("waveform", _draw_waveform(waveform, prediction.speech, colors)),
        ("mel", _draw_mel(waveform, colors)),
        ("voice" if pitched.size else "unpitched", _draw_voice(tracks, colors)),
        ("classic", _draw_classic(waveform, colors)),
    ]
    if len(prediction.timeline) > 1 and end_s - start_s > MIN_TIMELINE_S:
        figures.insert(0, ("timeline", _draw_timeline(prediction.timeline, colors)))
    facts = {
        "start": start_s, "end": end_s, "length": waveform.size / SAMPLE_RATE, "low": low, "middle": middle,
        "high": high, "course": describe_course(prediction.timeline),
    }  # fmt: skip
    drawn = ((*texts.FIGURES[name], image) for name, image in figures)
    return [
        {"title": title, "image": image, "words": words.format(**facts), "seen": seen.format(**facts)}
        for title, words, seen, image in drawn
    ]


def describe_course(segments: Sequence[Segment]) -> str:
    """Say which emotion leads when, such as "calm until 4.4 s, sad until 9 s"."""
    leaders = ((adjective(max(one.probabilities, key=one.probabilities.__getitem__)), one.end_s) for one in segments)
    runs = ((emotion, list(run)[-1][1]) for emotion, run in groupby(leaders, key=itemgetter(0)))
    return ", ".join(f"{emotion} until {end_s:.1f} s" for emotion, end_s in runs)


def measure_voice(waveform: Waveform, span: tuple[float, float]) -> VoiceTracks:
    """Measure pitch and energy; there is no pitch outside the speech span and where it is quiet."""
    import librosa  # noqa: PLC0415

    energy = librosa.power_to_db(librosa.feature.rms(y=waveform, hop_length=HOP)[0] ** 2, ref=np.max)
    pitch = librosa.yin(waveform, fmin=PITCH_HZ[0], fmax=PITCH_HZ[1], sr=SAMPLE_RATE, hop_length=HOP)
    frames = min(energy.size, pitch.size)
    energy, pitch, time_s = energy[:frames], pitch[:frames], np.arange(frames) * HOP / SAMPLE_RATE
    voiced = (energy > MIN_ENERGY_DB) & (time_s >= span[0]) & (time_s <= span[1]) & (pitch < PITCH_HZ[1])
    median = np.median(pitch[voiced]) if voiced.any() else 1.0
    voiced &= np.abs(np.log2(pitch / median)) < MAX_LEAP
    return VoiceTracks(time_s, np.where(voiced, pitch, np.nan), energy)


def _draw_waveform(waveform: Waveform, span: tuple[float, float], colors: Colors) -> str:
    figure, (axes,) = _make_figure(colors)
    step = max(1, waveform.size // 4000)
    blocks = waveform[: waveform.size // step * step].reshape(-1, step)
    time_s = np.arange(len(blocks)) * step / SAMPLE_RATE
    spoken = (time_s >= span[0]) & (time_s <= span[1])
    for where, color in ((~spoken, colors.line), (spoken, colors.accent)):
        axes.fill_between(time_s, blocks.min(axis=1), blocks.max(axis=1), where=where.tolist(), color=color, lw=0.6)
    axes.axvspan(*span, color=colors.accent, alpha=0.1, lw=0)
    axes.set(xlim=(0, waveform.size / SAMPLE_RATE), yticks=[], xlabel=texts.SECONDS)
    return _save(figure)


def _draw_mel(waveform: Waveform, colors: Colors) -> str:
    """Draw the log-mel spectrogram that the model gets."""
    figure, (axes,) = _make_figure(colors)
    frames = LogMel()(torch.from_numpy(waveform).unsqueeze(0), torch.tensor([waveform.size]))[0].numpy()
    _draw_heat(axes, frames, waveform.size / SAMPLE_RATE, colors)
    axes.set(ylabel=texts.MEL_BAND, xlabel=texts.SECONDS)
    return _save(figure)


def _draw_voice(tracks: VoiceTracks, colors: Colors) -> str:
    figure, (axes,) = _make_figure(colors)
    axes.plot(tracks.time_s, tracks.pitch_hz, color=colors.accent, lw=2)
    axes.set(xlim=(0, tracks.time_s[-1]), xlabel=texts.SECONDS)
    axes.set_ylabel(texts.PITCH, color=colors.accent)
    other = axes.twinx()
    _style(other, colors)
    other.plot(tracks.time_s, tracks.energy_db, color=colors.other, lw=1.2)
    other.set_ylabel(texts.ENERGY, color=colors.other)
    return _save(figure)


def _draw_classic(waveform: Waveform, colors: Colors) -> str:
    import librosa  # noqa: PLC0415

    figure, (upper, lower) = _make_figure(colors, rows=2)
    duration_s = waveform.size / SAMPLE_RATE
    mfcc = librosa.feature.mfcc(y=waveform, sr=SAMPLE_RATE, n_mfcc=20, hop_length=HOP)
    mfcc = (mfcc - mfcc.mean(axis=1, keepdims=True)) / np.maximum(mfcc.std(axis=1, keepdims=True), 1e-6)
    _draw_heat(upper, mfcc, duration_s, colors)
    upper.set(ylabel=texts.MFCC, xticklabels=[])
    chroma = librosa.feature.chroma_stft(y=waveform, sr=SAMPLE_RATE, hop_length=HOP, tuning=0.0)
    _draw_heat(lower, chroma, duration_s, colors)
    lower.set(ylabel=texts.CHROMA, xlabel=texts.SECONDS, yticks=[0.5, 4.5, 7.5, 11.5], yticklabels=texts.NOTES)
    return _save(figure)


def _draw_timeline(segments: Sequence[Segment], colors: Colors) -> str:
    """Draw the emotion in each window; where windows overlap, the later one is seen."""
    figure, (axes,) = _make_figure(colors, height_in=2.6)
    edges = [*(segment.start_s for segment in segments), segments[-1].end_s]
    emotions = list(segments[0].probabilities)
    values = np.array([[segment.probabilities[emotion] for segment in segments] for emotion in emotions])
    axes.pcolormesh(edges, np.arange(len(emotions) + 1), values[::-1], cmap=_color_map(colors), vmin=0, vmax=1)
    names = [adjective(emotion) for emotion in emotions[::-1]]
    axes.set(yticks=np.arange(len(emotions)) + 0.5, yticklabels=names, xlabel=texts.SECONDS)
    return _save(figure)


@functools.cache
def _color_map(colors: Colors) -> LinearSegmentedColormap:
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415

    return LinearSegmentedColormap.from_list("heat", colors.heat)


def _draw_heat(axes: Axes, rows: Track, duration_s: float, colors: Colors) -> None:
    low, high = np.percentile(rows, [5, 99.5])
    extent = (0.0, duration_s, 0.0, float(len(rows)))
    axes.imshow(rows, origin="lower", aspect="auto", cmap=_color_map(colors), vmin=low, vmax=high, extent=extent)


def _make_figure(colors: Colors, rows: int = 1, height_in: float = HEIGHT_IN) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(WIDTH_IN, height_in * (1.3 if rows > 1 else 1)), dpi=DPI, facecolor=colors.panel)
    figure.set_layout_engine("constrained")
    panels = list(np.atleast_1d(figure.subplots(rows, 1)))
    for axes in panels:
        _style(axes, colors)
    return figure, panels


def _style(axes: Axes, colors: Colors) -> None:
    axes.set_frame_on(False)
    axes.tick_params(colors=colors.ink, labelsize=9, length=0)
    axes.locator_params(axis="x", nbins=7)
    axes.xaxis.label.set_color(colors.ink)
    axes.yaxis.label.set_color(colors.ink)


def _save(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
