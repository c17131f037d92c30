"""Pictures of a recording, all in one style: amber on a dark panel, which suits a light and a dark page alike.

Imported only when pictures are asked for: matplotlib and librosa take seconds to load.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ser_model.audio import SAMPLE_RATE, Waveform
from ser_model.features import HOP, LogMel
from ser_model.recognize import Moment
from ui import texts

PANEL, INK, LINE, AMBER, BLUE = "#1f1b18", "#e6ded1", "#635a4d", "#f5ad33", "#8fb8d8"
HEAT = LinearSegmentedColormap.from_list("heat", [PANEL, "#4a2d05", "#b86f00", "#ffc55c", "#fff7e8"])
WIDTH_IN, HEIGHT_IN, DPI = 5.6, 2.0, 150  # narrow, so that its words can be read on a phone
PITCH_HZ = (60.0, 600.0)
QUIET_DB = -30.0  # below the loudest frame; the pitch of what is quieter means nothing
LEAP = 1.2  # octaves from the median; further off, the estimate has jumped

Track = NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """Pitch (Hz, nan where there is none) and energy (dB below the loudest), one value a frame."""

    time_s: Track
    pitch_hz: Track
    energy_db: Track


def measure_voice(waveform: Waveform, span: tuple[float, float]) -> Voice:
    """Measure pitch and energy; outside the speech span and where it is quiet there is no pitch."""
    energy = librosa.power_to_db(librosa.feature.rms(y=waveform, hop_length=HOP)[0] ** 2, ref=np.max)
    pitch = librosa.yin(waveform, fmin=PITCH_HZ[0], fmax=PITCH_HZ[1], sr=SAMPLE_RATE, hop_length=HOP)
    frames = min(energy.size, pitch.size)
    time_s = np.arange(frames) * HOP / SAMPLE_RATE
    heard = (energy[:frames] > QUIET_DB) & (time_s >= span[0]) & (time_s <= span[1]) & (pitch[:frames] < PITCH_HZ[1])
    usual = np.median(pitch[:frames][heard]) if heard.any() else 1.0
    heard &= np.abs(np.log2(pitch[:frames] / usual)) < LEAP
    return Voice(time_s, np.where(heard, pitch[:frames], np.nan), energy[:frames])


def draw_waveform(waveform: Waveform, span: tuple[float, float]) -> str:
    """Draw the sound and mark the speech span."""
    figure, (axes,) = _panel()
    step = max(1, waveform.size // 4000)
    blocks = waveform[: waveform.size // step * step].reshape(-1, step)
    time_s = np.arange(len(blocks)) * step / SAMPLE_RATE
    spoken = (time_s >= span[0]) & (time_s <= span[1])
    for where, colour in ((~spoken, LINE), (spoken, AMBER)):
        axes.fill_between(time_s, blocks.min(axis=1), blocks.max(axis=1), where=where.tolist(), color=colour, lw=0.6)
    axes.axvspan(*span, color=AMBER, alpha=0.1, lw=0)
    axes.set(xlim=(0, waveform.size / SAMPLE_RATE), yticks=[], xlabel=texts.SECONDS)
    return _save(figure)


def draw_mel(waveform: Waveform) -> str:
    """Draw the log-mel spectrogram, computed as for the model."""
    figure, (axes,) = _panel()
    frames = LogMel()(torch.from_numpy(waveform).unsqueeze(0), torch.tensor([waveform.size]))[0].numpy()
    _heat(axes, frames, waveform.size / SAMPLE_RATE)
    axes.set(ylabel=texts.MEL_BAND, xlabel=texts.SECONDS)
    return _save(figure)


def draw_voice(voice: Voice) -> str:
    """Draw pitch and energy, each with its own scale."""
    figure, (axes,) = _panel()
    axes.plot(voice.time_s, voice.pitch_hz, color=AMBER, lw=2)
    axes.set(xlim=(0, voice.time_s[-1]), xlabel=texts.SECONDS)
    axes.set_ylabel(texts.PITCH, color=AMBER)
    other = axes.twinx()
    _style(other)
    other.plot(voice.time_s, voice.energy_db, color=BLUE, lw=1.2)
    other.set_ylabel(texts.ENERGY, color=BLUE)
    return _save(figure)


def draw_classic(waveform: Waveform) -> str:
    """Draw MFCC and chroma, one above the other."""
    figure, (upper, lower) = _panel(rows=2)
    seconds = waveform.size / SAMPLE_RATE
    mfcc = librosa.feature.mfcc(y=waveform, sr=SAMPLE_RATE, n_mfcc=20, hop_length=HOP)
    deviation = np.maximum(mfcc.std(axis=1, keepdims=True), 1e-6)
    _heat(upper, (mfcc - mfcc.mean(axis=1, keepdims=True)) / deviation, seconds)
    upper.set(ylabel=texts.MFCC, xticklabels=[])
    chroma = librosa.feature.chroma_stft(y=waveform, sr=SAMPLE_RATE, hop_length=HOP, tuning=0.0)
    _heat(lower, chroma, seconds)
    lower.set(
        ylabel=texts.CHROMA, xlabel=texts.SECONDS, yticks=[0.5, 2.5, 4.5, 5.5, 7.5, 9.5, 11.5], yticklabels=texts.NOTES
    )
    return _save(figure)


def draw_timeline(moments: Sequence[Moment]) -> str:
    """Draw the emotions over the windows of a long clip; overlapping windows share their middle."""
    figure, (axes,) = _panel(height_in=2.6)
    starts = [moment.start_s for moment in moments]
    edges = [*starts, moments[-1].end_s]
    emotions = list(moments[0].probabilities)
    values = np.array([[moment.probabilities[emotion] for moment in moments] for emotion in emotions])
    axes.pcolormesh(edges, np.arange(len(emotions) + 1), values[::-1], cmap=HEAT, vmin=0, vmax=1)
    axes.set(yticks=np.arange(len(emotions)) + 0.5, yticklabels=emotions[::-1], xlabel=texts.SECONDS)
    return _save(figure)


def _heat(axes: Axes, rows: Track, seconds: float) -> None:
    low, high = np.percentile(rows, [5, 99.5])
    extent = (0.0, seconds, 0.0, float(len(rows)))
    axes.imshow(rows, origin="lower", aspect="auto", cmap=HEAT, vmin=low, vmax=high, extent=extent)


def _panel(rows: int = 1, height_in: float = HEIGHT_IN) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH_IN, height_in * (1.3 if rows > 1 else 1)), dpi=DPI, facecolor=PANEL)
    figure.set_layout_engine("constrained")
    panels = list(np.atleast_1d(figure.subplots(rows, 1)))
    for axes in panels:
        _style(axes)
    return figure, panels


def _style(axes: Axes) -> None:
    axes.set_facecolor(PANEL)
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _save(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
