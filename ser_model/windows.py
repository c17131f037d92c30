"""The pieces of a recording that a network hears: the whole of a short one's speech, windows of a long one's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ser_model.audio import SAMPLE_RATE, Waveform
from ser_model.background import AROUND_S
from ser_model.cnn import Logits
from ser_model.speech import SpeechSpan

WHOLE_S = 5.5  # spans up to this are heard in one piece, as in training (its longest has 5.2 s)
WINDOW_S, STEP_S = 4.0, 2.0  # longer ones in windows
AT_ONCE = 8  # windows scored together: more only take memory

Array = NDArray[np.float64]


class WindowScores(NamedTuple):
    """The logits of a recording's windows, and what the voice is told by."""

    emotion: Array  # (window, emotion)
    gender: Array  # (window, 2)
    intensity: Array  # (window, 2)
    embedding: Array  # (window, width)


class Network(Protocol):
    """What is needed of a network: EmotionCnn, or the comparison's encoder with its head."""

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names of the emotions it scores, in their order."""

    def __call__(self, waveforms: Tensor, *, background: Any) -> Logits:
        """Score (batch, time) waveforms with a background from measure_background."""

    def measure_background(self, pieces: Sequence[Tensor]) -> Any:
        """Measure what is there all the time in (time,) pieces beside the speech, for networks that mind it."""

    def eval(self) -> Any:
        """Turn everything off that only training needs."""

    def count_parameters(self) -> int:
        """Return how many numbers it has."""


def score_windows(network: Network, waveform: Waveform, span: SpeechSpan) -> tuple[list[float], WindowScores]:
    """Return each window's start in seconds, and the scores of all windows."""
    starts, size = place_windows(span), round(measure_window(span) * SAMPLE_RATE)
    firsts = [min(round(start * SAMPLE_RATE), waveform.size - size) for start in starts]
    heard = []
    with torch.inference_mode():
        background = network.measure_background(_take_sides(waveform, span))
        for place in range(0, len(firsts), AT_ONCE):
            windows = np.stack([waveform[first : first + size] for first in firsts[place : place + AT_ONCE]])
            heard.append(network(torch.from_numpy(windows), background=background))  # (window, time)
    return starts, WindowScores(*(torch.cat(head).double().numpy() for head in zip(*heard, strict=True)))


def place_windows(span: SpeechSpan) -> list[float]:
    """Return the starts, in seconds, of the windows that cover a span; the last one ends where the span ends."""
    if span.end_s - span.start_s <= WHOLE_S:
        return [span.start_s]
    last = span.end_s - WINDOW_S
    return [*np.arange(span.start_s, last, STEP_S).tolist(), last]


def measure_window(span: SpeechSpan) -> float:
    """Return how long each of a span's windows is, in seconds."""
    seconds = span.end_s - span.start_s
    return seconds if seconds <= WHOLE_S else WINDOW_S


def _take_sides(waveform: Waveform, span: SpeechSpan) -> list[Tensor]:
    """Return what lies before and behind the speech, up to AROUND_S of each."""
    first, last, around = (round(seconds * SAMPLE_RATE) for seconds in (span.start_s, span.end_s, AROUND_S))
    return [
        torch.from_numpy(waveform[max(first - around, 0) : first]),
        torch.from_numpy(waveform[last : last + around]),
    ]
