"""What is there all the time behind a voice is measured, taken away, and lowers the trust in functionals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from voice import speak

from ser_model.background import measure_background, measure_trust
from ser_model.features import LogMel, measure_rms

VOICE = torch.from_numpy(speak())
PAUSE_S = 0.4  # on both sides of the voice
LENGTHS = torch.tensor([VOICE.numel()])


def hiss(snr_db: float, seed: int = 1) -> Tensor:
    """White noise, (time,), so many decibels under the voice."""
    noise = np.random.default_rng(seed).standard_normal(VOICE.numel())
    level = np.sqrt(np.mean(speak() ** 2)) * 10 ** (-snr_db / 20)
    return torch.from_numpy(level * noise).float()


def measure(waveform: Tensor) -> Tensor:
    """The background beside the voice."""
    side = round(PAUSE_S * 16_000)
    return require(measure_background(LogMel().mel, [waveform[:side], waveform[-side:]]))


def require(background: Tensor | None) -> Tensor:
    assert background is not None
    return background


def trust(waveform: Tensor) -> float:
    return float(measure_trust(measure(waveform), measure_rms(waveform[None], LENGTHS)))


def test_a_voice_alone_has_hardly_any_background_and_is_trusted() -> None:
    assert trust(VOICE) == 1


def test_the_more_noise_the_less_trust_whatever_the_gain() -> None:
    levels = [trust(VOICE + hiss(snr_db)) for snr_db in (40, 28, 25, 10)]
    assert levels == sorted(levels, reverse=True)
    assert (levels[0], levels[-1]) == (1, 0)
    assert trust(0.01 * (VOICE + hiss(25))) == pytest.approx(levels[2], abs=0.01)


def test_taking_it_away_brings_the_pauses_back_and_leaves_the_loud_parts() -> None:
    front_end, noisy = LogMel(), VOICE + hiss(25)
    clean, heard = front_end(VOICE[None], LENGTHS), front_end(noisy[None], LENGTHS)
    mended = front_end(noisy[None], LENGTHS, measure(noisy))
    loud = clean > clean.quantile(0.9)
    quiet = clean < clean.quantile(0.5)
    assert (mended - clean)[quiet].abs().mean() < 0.9 * (heard - clean)[quiet].abs().mean()
    assert (mended - clean)[loud].abs().mean() < 0.2


@pytest.mark.parametrize("side_s", [0.0, 0.01, 0.1])
def test_where_there_is_hardly_anything_beside_the_speech_nothing_is_taken_away(side_s: float) -> None:
    side = round(side_s * 16_000)
    loud = VOICE[16_000 : 16_000 + side]
    background = measure_background(LogMel().mel, [loud, loud])
    assert background is None


def test_digital_silence_hides_no_noise() -> None:
    noisy = VOICE + hiss(20)
    gated = torch.cat([torch.zeros(8_000), noisy])
    side = 8_000 + round(PAUSE_S * 16_000)
    background = measure_background(LogMel().mel, [gated[:side], gated[-side:]])
    assert float(measure_trust(background, measure_rms(noisy[None], LENGTHS))) < 0.5


def test_silence_has_none() -> None:
    assert measure_background(LogMel().mel, [torch.zeros(16_000)]) is None
