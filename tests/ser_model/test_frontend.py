from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from voice import speak

from ser_model.frontend import LogMel, estimate_noise_floor, functionals_weight, rms

VOICE = torch.from_numpy(speak())
PAUSE = round(0.4 * 16_000)  # samples on both sides of the voice
LENGTHS = torch.tensor([VOICE.numel()])


def add_noise(snr_db: float) -> Tensor:
    noise = np.random.default_rng(1).standard_normal(VOICE.numel())
    return VOICE + torch.from_numpy(float(VOICE.square().mean().sqrt()) * 10 ** (-snr_db / 20) * noise).float()


def noise_floor(waveform: Tensor) -> Tensor:
    floor = estimate_noise_floor(LogMel().mel, [waveform[:PAUSE], waveform[-PAUSE:]])
    assert floor is not None
    return floor


def weight(waveform: Tensor) -> float:
    return float(functionals_weight(noise_floor(waveform), rms(waveform[None], LENGTHS)))


def test_the_weight_of_the_functionals_falls_with_noise_at_any_gain() -> None:
    weights = [weight(add_noise(snr_db)) for snr_db in (40, 28, 25, 10)]
    assert weight(VOICE) == weights[0] == 1
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 0
    assert weight(0.01 * add_noise(25)) == pytest.approx(weights[2], abs=0.01)


def test_spectral_subtraction_restores_the_pauses_and_keeps_the_loud_parts() -> None:
    log_mel, noisy = LogMel(), add_noise(25)
    clean, raw = log_mel(VOICE[None], LENGTHS), log_mel(noisy[None], LENGTHS)
    subtracted = log_mel(noisy[None], LENGTHS, noise_floor(noisy))
    loud, quiet = clean > clean.quantile(0.9), clean < clean.quantile(0.5)
    assert (subtracted - clean)[quiet].abs().mean() < 0.9 * (raw - clean)[quiet].abs().mean()
    assert (subtracted - clean)[loud].abs().mean() < 0.2


@pytest.mark.parametrize("piece", [torch.zeros(0), VOICE[16_000:16_160], VOICE[16_000:17_600], torch.zeros(16_000)])
def test_short_or_silent_pieces_have_no_noise_floor(piece: Tensor) -> None:
    assert estimate_noise_floor(LogMel().mel, [piece, piece]) is None


def test_digital_silence_does_not_hide_the_noise() -> None:
    gated = torch.cat([torch.zeros(8_000), add_noise(20)])
    floor = estimate_noise_floor(LogMel().mel, [gated[: 8_000 + PAUSE], gated[-PAUSE:]])
    assert floor is not None
    assert float(functionals_weight(floor, rms(add_noise(20)[None], LENGTHS))) < 0.5
