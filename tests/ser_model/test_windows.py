"""Which pieces of a recording are heard, with what background, and what is said of each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from voice import speak

from ser_model.cnn import EmotionCnn, load_network
from ser_model.recognize import WEIGHTS
from ser_model.speech import SpeechSpan
from ser_model.windows import (
    AT_ONCE,
    STEP_S,
    WHOLE_S,
    WINDOW_S,
    measure_window,
    place_windows,
    score_windows,
)


@pytest.fixture(scope="module")
def network() -> EmotionCnn:
    return load_network(WEIGHTS)


def test_a_short_span_is_heard_alone_its_background_from_both_sides(network: EmotionCnn) -> None:
    waveform = torch.from_numpy(speak())
    _, scores = score_windows(network, speak(), SpeechSpan(0.5, 1.7, 1.0))
    with torch.inference_mode():
        background = network.measure_background([waveform[:8_000], waveform[27_200:]])
        alone = network(waveform[8_000:27_200][None], background=background)
    assert background.any()
    assert scores.emotion == pytest.approx(alone.emotion.numpy(), abs=1e-4)


def test_speech_without_a_pause_is_heard_as_it_is(network: EmotionCnn) -> None:
    waveform = speak()[8_000:27_200]
    _, scores = score_windows(network, waveform, SpeechSpan(0.05, 1.15, 1.1))
    with torch.inference_mode():
        alone = network(torch.from_numpy(waveform[800:18_400])[None])
    assert scores.emotion == pytest.approx(alone.emotion.numpy(), abs=1e-4)


def test_a_span_from_end_to_end_has_nothing_around_it(network: EmotionCnn) -> None:
    waveform = speak()
    span = SpeechSpan(0.0, waveform.size / 16_000, 1.0)
    starts, scores = score_windows(network, waveform, span)
    assert starts == [0.0]
    assert np.isfinite(scores.emotion).all()
    assert scores.emotion.shape == (1, len(network.emotions))


def test_windows_cover_a_long_span_and_each_is_scored(network: EmotionCnn) -> None:
    waveform = np.tile(speak(), 16)
    span = SpeechSpan(0.3, waveform.size / 16_000 - 0.2, 30.0)
    starts, scores = score_windows(network, waveform, span)
    assert len(starts) > AT_ONCE
    assert len(scores.emotion) == len(starts)
    assert (starts[0], starts[-1] + WINDOW_S) == pytest.approx((span.start_s, span.end_s))
    assert max(np.diff(starts)) <= STEP_S + 1e-9


@pytest.mark.parametrize(("seconds", "count"), [(WHOLE_S, 1), (WHOLE_S + 0.1, 2)])
def test_a_span_is_heard_whole_up_to_a_length(seconds: float, count: int) -> None:
    span = SpeechSpan(1.0, 1.0 + seconds, seconds)
    assert len(place_windows(span)) == count
    assert measure_window(span) == pytest.approx(seconds if count == 1 else WINDOW_S)
