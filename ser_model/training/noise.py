"""Noise as mel power: coloured hiss, mains hum and the babble of other clips, mixed at a drawn ratio."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ser_model.audio import SAMPLE_RATE
from ser_model.blocks import mask_of

HUM_HARMONICS = 7
HUM_WIDTH_HZ = 40.0
BABBLE_VOICES = 4


@dataclass(frozen=True)
class NoiseConfig:
    """How loud and how often."""

    probability: float = 0.3
    snr_db: tuple[float, float] = (8.0, 40.0)
    hum_p: float = 0.1  # of the noises
    babble_p: float = 0.3  # of the noises


def add_noise(power: Tensor, counts: Tensor, bank: Tensor, config: NoiseConfig, generator: torch.Generator) -> Tensor:
    """Add noise to some clips.

    Args:
        power: (batch, mel, frame) mel power.
        counts: (batch,) frames.
        bank: (bin, mel) the front end's filters.
        config: How loud and how often.
        generator: The source of chance.
    """
    noisy = pick(len(power), config.probability, generator).nonzero()[:, 0]
    if not noisy.numel():
        return power
    noise = _make_noise(power, len(noisy), bank, config, generator) * mask_of(counts[noisy], power.shape[2])
    snr_db = draw_within(config.snr_db, len(noisy), generator)
    level = measure_level(power, counts)[noisy] * 10 ** (-snr_db / 10)
    noise = noise * (level / measure_level(noise, counts[noisy]).clamp(min=1e-9)).view(-1, 1, 1)
    return power.index_put((noisy,), _mix(power[noisy], noise, bank, generator))


def measure_level(power: Tensor, counts: Tensor) -> Tensor:
    """Return the (batch,) mean power of a frame."""
    return power.sum(dim=(1, 2)) / counts


def pick(size: int, probability: float, generator: torch.Generator) -> Tensor:
    """Return (size,) booleans, each true with that probability."""
    return torch.rand(size, generator=generator) < probability


def draw_within(edges: tuple[float, float], size: int, generator: torch.Generator) -> Tensor:
    """Return (size,) numbers spread evenly between two edges."""
    low, high = edges
    return low + (high - low) * torch.rand(size, generator=generator)


def _make_noise(power: Tensor, size: int, bank: Tensor, config: NoiseConfig, generator: torch.Generator) -> Tensor:
    frames = power.shape[2]
    spectrum = _draw_colours(size, bank, generator)  # (noise, mel)
    hums = pick(size, config.hum_p, generator)
    spectrum[hums] = _draw_hums(int(hums.sum()), bank, generator)
    noise = spectrum.unsqueeze(2) * _draw_fluctuation(size, frames, bank, generator)
    for row in pick(size, config.babble_p, generator).nonzero()[:, 0].tolist():
        voices = torch.randint(len(power), (BABBLE_VOICES,), generator=generator)
        noise[row] = power[voices].sum(dim=0) + 1e-6
    return noise


def _draw_colours(size: int, bank: Tensor, generator: torch.Generator) -> Tensor:
    """Return (size, mel) power that falls with frequency^slope: 0 is white, 1 pink, 2 brown."""
    slopes = draw_within((0.0, 2.0), size, generator)
    return torch.arange(1, bank.shape[0] + 1) ** -slopes.unsqueeze(1) @ bank


def _draw_hums(size: int, bank: Tensor, generator: torch.Generator) -> Tensor:
    """Return (size, mel) power at 50 or 60 Hz and its harmonics."""
    mains_hz = 50 + 10 * torch.randint(2, (size, 1, 1), generator=generator)
    lines_hz = mains_hz * torch.arange(1, HUM_HARMONICS + 1)  # (size, 1, harmonic)
    bins_hz = torch.linspace(0, SAMPLE_RATE / 2, bank.shape[0]).view(1, -1, 1)
    strengths = torch.rand(size, 1, HUM_HARMONICS, generator=generator)
    lines = (torch.exp(-(((bins_hz - lines_hz) / HUM_WIDTH_HZ) ** 2)) * strengths).sum(dim=2)  # (size, bin)
    return lines @ bank + 1e-6


def _draw_fluctuation(size: int, frames: int, bank: Tensor, generator: torch.Generator) -> Tensor:
    """Return (size, mel, frame) with mean 1: the fewer bins a band has, the more its noise flickers."""
    shape = _count_freedoms(bank).expand(size, -1, frames)
    return torch._standard_gamma(shape.contiguous(), generator=generator) / shape  # noqa: SLF001 - torch.distributions.Gamma takes no generator


def _mix(power: Tensor, noise: Tensor, bank: Tensor, generator: torch.Generator) -> Tensor:
    """Sum two powers whose phases are strangers: what they add beside the sum has any sign."""
    phase = torch.cos(2 * torch.pi * torch.rand(noise.shape, generator=generator)) / _count_freedoms(bank).sqrt()
    return (power + noise + 2 * phase * (power * noise).sqrt()).clamp(min=0)


def _count_freedoms(bank: Tensor) -> Tensor:
    """Return the (mel, 1) number of independent bins in each band: neighbours share half of a Hann window."""
    return ((bank > 0).sum(dim=0) / 2).clamp(min=1).unsqueeze(1)
