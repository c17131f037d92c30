"""The pieces of a recording that a network hears: the whole of a short one's speech, windows of a long one's."""

from __future__ import annotations

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


class Scores(NamedTuple):
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

    @property
    def margins_s(self) -> tuple[float, ...]:
        """By how much each cut of a span that it hears is wider on both sides."""

    def __call__(self, waveforms: Tensor, lengths: Tensor, background: Any) -> Logits:
        """Score (batch, time) waveforms of (batch,) lengths with a background from measure_background."""

    def measure_background(self, waveforms: Tensor) -> Any:
        """Measure what is there all the time in (batch, time) waveforms, for networks that mind it."""

    def eval(self) -> Any:
        """Turn everything off that only training needs."""

    def count_parameters(self) -> int:
        """Return how many numbers it has."""


def score_windows(network: Network, waveform: Waveform, span: SpeechSpan) -> tuple[list[float], Scores]:
    """Return each window's start in seconds, and the scores of all windows."""
    starts = place_windows(span)
    if len(starts) == 1:
        return starts, to_scores([hear_whole(network, waveform, span, _measure_background(network, waveform, span))])
    size = round(WINDOW_S * SAMPLE_RATE)
    firsts = [min(round(start * SAMPLE_RATE), waveform.size - size) for start in starts]
    groups = [firsts[place : place + AT_ONCE] for place in range(0, len(firsts), AT_ONCE)]
    return starts, to_scores([_hear_group(network, waveform, group, size) for group in groups])


def hear_whole(network: Network, waveform: Waveform, span: SpeechSpan, background: Any) -> Logits:
    """Hear a span in each of the network's cuts, and return the mean of what it says, (1, class).

    Where speech ends is uncertain by some hundredths of a second, and the answer to one cut hangs on it: two gave half
    a point of UAR on validation actors, and 1.0 to 1.7 points more answers that a codec leaves as they were.
    """
    cuts = [_widen(span, margin_s).cut(waveform) for margin_s in network.margins_s]
    with torch.inference_mode():
        heard = network(*pad_waveforms(cuts), background)
        return Logits(*(head.mean(dim=0, keepdim=True) for head in heard))


def pad_waveforms(waveforms: list[Waveform]) -> tuple[Tensor, Tensor]:
    """Pad waveforms with zeros to (batch, time) and return their (batch,) lengths."""
    lengths = torch.tensor([waveform.size for waveform in waveforms])
    batch = torch.zeros(len(waveforms), int(lengths.max()))
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: waveform.size] = torch.from_numpy(waveform)
    return batch, lengths


def to_scores(heard: list[Logits]) -> Scores:
    """Put together what was said of several groups of windows."""
    return Scores(*(torch.cat(head).double().numpy() for head in zip(*heard, strict=True)))


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


def _hear_group(network: Network, waveform: Waveform, firsts: list[int], size: int) -> Logits:
    covered = SpeechSpan(firsts[0] / SAMPLE_RATE, (firsts[-1] + size) / SAMPLE_RATE, 0.0)
    background = _measure_background(network, waveform, covered)
    with torch.inference_mode():
        return network(*pad_waveforms([waveform[first : first + size] for first in firsts]), background)


def _measure_background(network: Network, waveform: Waveform, span: SpeechSpan) -> Any:
    around = torch.from_numpy(_widen(span, AROUND_S).cut(waveform))
    with torch.inference_mode():
        return network.measure_background(around.unsqueeze(0))  # (1, time)


def _widen(span: SpeechSpan, margin_s: float) -> SpeechSpan:
    return SpeechSpan(max(span.start_s - margin_s, 0.0), span.end_s + margin_s, span.voiced_s)
