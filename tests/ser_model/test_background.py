"""What is there all the time behind a voice is measured, taken away, and lowers the trust in functionals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from voice import speak

from ser_model.background import measure_background, measure_trust
from ser_model.features import LogMel, measure_rms

LENGTHS = torch.tensor([speak().size])


def hiss(snr_db: float, seed: int = 1) -> Tensor:
    """White noise, (1, time), so many decibels under the voice."""
    noise = np.random.default_rng(seed).standard_normal(speak().size)
    level = np.sqrt(np.mean(speak() ** 2)) * 10 ** (-snr_db / 20)
    return torch.from_numpy(level * noise).float()[None]


def trust(waveforms: Tensor) -> float:
    background = measure_background(LogMel().mel, waveforms)
    return float(measure_trust(background, measure_rms(waveforms, LENGTHS)))


def test_a_voice_alone_has_hardly_any_background_and_is_trusted() -> None:
    voice = torch.from_numpy(speak())[None]
    assert trust(voice) == pytest.approx(1)


def test_the_more_noise_the_less_trust_whatever_the_gain() -> None:
    voice = torch.from_numpy(speak())[None]
    levels = [trust(voice + hiss(snr_db)) for snr_db in (40, 30, 20, 10)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 0.9
    assert levels[-1] < 0.2
    assert trust(0.01 * (voice + hiss(20))) == pytest.approx(levels[2], abs=0.01)


def test_taking_it_away_brings_the_pauses_back_and_leaves_the_loud_parts() -> None:
    front_end, voice = LogMel(), torch.from_numpy(speak())[None]
    noisy = voice + hiss(25)
    clean, heard = front_end(voice, LENGTHS), front_end(noisy, LENGTHS)
    mended = front_end(noisy, LENGTHS, measure_background(front_end.mel, noisy))
    loud = clean > clean.quantile(0.9)
    quiet = clean < clean.quantile(0.5)
    assert (mended - clean)[quiet].abs().mean() < 0.8 * (heard - clean)[quiet].abs().mean()
    assert (mended - clean)[loud].abs().mean() < 0.2


def test_silence_has_none() -> None:
    background = measure_background(LogMel().mel, torch.zeros(1, 8_000))
    assert not background.any()
    assert float(measure_trust(background, torch.zeros(1) + 1e-6)) == 1
