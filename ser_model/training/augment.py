"""Augmentation on mel power: speed, pitch, microphones, rooms, telephone lines and noise, for a whole batch at once.

On mel power a change of speed is a resampling, reverberation a convolution over time, a telephone line a gain for each
band, and noise a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.transforms import FrequencyMasking, TimeMasking

from ser_model.cnn import padding_mask
from ser_model.frontend import F_MAX_HZ, F_MIN_HZ, HOP, POWER_FLOOR, SAMPLE_RATE
from ser_model.training.clips import ClipPower

MIN_FRAMES, MAX_FRAMES = 16, 344  # 0.25 s to 5.5 s, the longest window that is scored
ROOM_FRAMES = 24  # length of a room's tail
EPS = 1e-7  # added to the power before the logarithm of a warp
HUM_HARMONICS, HUM_WIDTH_HZ = 7, 40.0
BABBLE_VOICES = 4
EQUALIZER_POINTS = 6  # random gains, between which the bands are interpolated
MASKED_BANDS, MASKED_FRAMES = 10, 10  # of SpecAugment, at most


@dataclass(frozen=True)
class NoiseConfig:
    """How often noise is added, and how much."""

    probability: float = 0.3
    snr_db: tuple[float, float] = (8.0, 40.0)
    hum_p: float = 0.1  # of the noises
    babble_p: float = 0.3  # of the noises


@dataclass(frozen=True)
class AugmentConfig:
    """How often each change is made, and how far it goes."""

    shift_frames: int = 9  # each end of the span moves by up to this, in or out
    warp_p: float = 0.35
    speed: float = 0.1  # up to this much faster or slower: pitch and tempo together
    tempo: float = 0.05  # tempo alone, on top of it
    pitch: float = 0.02  # pitch and formants alone, on top of it
    equalizer_p: float = 0.5
    equalizer_sd: float = 0.8  # nepers of power, of each of EQUALIZER_POINTS
    room_p: float = 0.1
    room_rt60_s: tuple[float, float] = (0.1, 0.8)
    room_tail_db: tuple[float, float] = (-10.0, 2.0)  # relative to the direct sound
    line_p: float = 0.05
    line_low_hz: tuple[float, float] = (100.0, 400.0)
    line_high_hz: tuple[float, float] = (3_000.0, 4_500.0)
    noise: NoiseConfig = field(default_factory=NoiseConfig)


def crop_speech(clips: Sequence[ClipPower], max_shift: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Crop the speech out of one of each clip's powers; each end moves by up to max_shift frames in or out.

    Returns:
        (batch, mel, frame) power, zero-padded, and the (batch,) numbers of frames.
    """
    shifts = torch.randint(-max_shift, max_shift + 1, (len(clips), 2), generator=generator).tolist()
    chosen = torch.randint(len(clips[0].powers), (len(clips),), generator=generator).tolist()
    crops = []
    for clip, version, (first_shift, last_shift) in zip(clips, chosen, shifts, strict=True):
        power, (first, last) = clip.powers[version], clip.spans[version]
        start = min(max(first + first_shift, 0), max(power.shape[1] - MIN_FRAMES, 0))
        end = max(min(last + last_shift, power.shape[1]), start + MIN_FRAMES)
        if end - start > MAX_FRAMES:
            start += int(torch.randint(end - start - MAX_FRAMES, (1,), generator=generator))
            end = start + MAX_FRAMES
        crops.append(torch.from_numpy(power[:, start:end].astype(np.float32)))  # a copy: the power is shared
    num_frames = torch.tensor([crop.shape[1] for crop in crops])
    batch = torch.zeros(len(crops), crops[0].shape[0], int(num_frames.max()))
    for row, crop in zip(batch, crops, strict=True):
        row[:, : crop.shape[1]] = crop
    return batch, num_frames


class SpecAugment(nn.Module):
    """Mask some bands and some frames of each normalized clip in training (Park et al. 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.masks = nn.Sequential(
            FrequencyMasking(MASKED_BANDS, iid_masks=True), TimeMasking(MASKED_FRAMES, iid_masks=True)
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, mel, frame) to the same with zeros in the masks; in evaluation mode nothing changes."""
        if not self.training:
            return frames
        masked: Tensor = self.masks(frames.unsqueeze(1)).squeeze(1)  # on (batch, 1, mel, frame)
        return masked


def augment(
    power: Tensor, num_frames: Tensor, bank: Tensor, config: AugmentConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Change clips at random and take the logarithm, as the frontend does.

    Args:
        power: (batch, mel, frame) mel power of clips with unit RMS, zero-padded.
        num_frames: (batch,) frames without padding.
        bank: (bin, mel) filters of the frontend.
        config: How often and how far.
        generator: The random number generator.

    Returns:
        (batch, mel, frame) log-mel with the level of the input, and the new (batch,) num_frames.
    """
    power, num_frames = warp(power, num_frames, config, generator)
    level = mean_power(power, num_frames)
    power = equalize(power, config, generator)
    power = add_room(power, config, generator) * padding_mask(num_frames, power.shape[2])
    power = telephone_band(power, center_frequencies(bank), config, generator)
    power = add_noise(power, num_frames, bank, config.noise, generator)
    scale = level / mean_power(power, num_frames).clamp(min=1e-9)
    return torch.log(power * scale.view(-1, 1, 1) + POWER_FLOOR), num_frames


def warp(power: Tensor, num_frames: Tensor, config: AugmentConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Speed some clips up or down, as a tape does, and change tempo and pitch a little on top."""
    batch, mels, frames = power.shape
    draws = 2 * torch.rand(3, batch, generator=generator) - 1
    on = bernoulli(batch, config.warp_p, generator).float()
    speed = on * config.speed * draws[0]
    tempo = 1 + speed + on * config.tempo * draws[1]
    pitch = 1 + speed + on * config.pitch * draws[2]
    num_frames = torch.minimum((num_frames / tempo).round().long(), torch.tensor(2 * frames)).clamp(min=1)
    columns = torch.arange(int(num_frames.max())) * tempo.unsqueeze(1) * 2 / max(frames - 1, 1) - 1  # (batch, frame)
    rows = _source_bands(pitch, mels)  # (batch, mel)
    shape = (batch, mels, columns.shape[1])
    grid = torch.stack([columns.unsqueeze(1).expand(shape), rows.unsqueeze(2).expand(shape)], dim=3)
    log_power = (power + EPS).log().unsqueeze(1)  # (batch, 1, mel, frame)
    warped = F.grid_sample(log_power, grid, padding_mode="border", align_corners=True).squeeze(1).exp()
    return warped * padding_mask(num_frames, warped.shape[2]), num_frames


def equalize(power: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Change the frequency response of some clips at random, because microphones and rooms differ more than voices."""
    on = bernoulli(len(power), config.equalizer_p, generator).float().view(-1, 1, 1)
    points = config.equalizer_sd * torch.randn(len(power), 1, EQUALIZER_POINTS, generator=generator)
    gain = F.interpolate(points, size=power.shape[1], mode="linear", align_corners=True) * on  # (batch, 1, mel)
    return power * gain.exp().transpose(1, 2)


def add_room(power: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Add reverberation to some clips: a tail that decays by 60 dB within the RT60 (Schroeder 1965)."""
    batch = len(power)
    rt60_s = uniform(config.room_rt60_s, batch, generator)
    tail = 10 ** (-6 * HOP / SAMPLE_RATE / rt60_s.unsqueeze(1) * torch.arange(ROOM_FRAMES))  # (batch, frame)
    tail[:, 0] = 0
    share = 10 ** (uniform(config.room_tail_db, batch, generator) / 10) * bernoulli(batch, config.room_p, generator)
    tail = tail / tail.sum(dim=1, keepdim=True) * share.unsqueeze(1)
    tail[:, 0] = 1
    if not (share > 0).any():
        return power
    padded = F.pad(power, (ROOM_FRAMES - 1, 0)).transpose(0, 1)  # (mel, batch, frame)
    return F.conv1d(padded, tail.flip(1).unsqueeze(1), groups=batch).transpose(0, 1)  # (batch, mel, frame)


def telephone_band(power: Tensor, centers_hz: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Limit some clips to the band of a telephone; centers_hz is (mel,)."""
    batch = power.shape[0]
    low_hz = uniform(config.line_low_hz, batch, generator).unsqueeze(1)
    high_hz = uniform(config.line_high_hz, batch, generator).unsqueeze(1)
    octaves_below = torch.log2(low_hz / centers_hz).clamp(min=0, max=3)  # (batch, mel)
    octaves_above = torch.log2(centers_hz / high_hz).clamp(min=0)
    gain_db = (-24 * octaves_below - 60 * octaves_above).clamp(min=-60)
    gain_db = gain_db * bernoulli(batch, config.line_p, generator).unsqueeze(1)
    return power * (10 ** (gain_db / 10)).unsqueeze(2)


def add_noise(
    power: Tensor, num_frames: Tensor, bank: Tensor, config: NoiseConfig, generator: torch.Generator
) -> Tensor:
    """Add colored noise, mains hum or the babble of other clips of the batch to some clips; see augment."""
    noisy = bernoulli(len(power), config.probability, generator).nonzero()[:, 0]
    if not noisy.numel():
        return power
    noise = _make_noise(power, len(noisy), bank, config, generator) * padding_mask(num_frames[noisy], power.shape[2])
    snr_db = uniform(config.snr_db, len(noisy), generator)
    level = mean_power(power, num_frames)[noisy] * 10 ** (-snr_db / 10)
    noise = noise * (level / mean_power(noise, num_frames[noisy]).clamp(min=1e-9)).view(-1, 1, 1)
    # the phases of voice and noise are independent, so the cross term of their sum has any sign
    phase = torch.cos(2 * torch.pi * torch.rand(noise.shape, generator=generator)) / _degrees_of_freedom(bank).sqrt()
    mixed = (power[noisy] + noise + 2 * phase * (power[noisy] * noise).sqrt()).clamp(min=0)
    return power.index_put((noisy,), mixed)


def mean_power(power: Tensor, num_frames: Tensor) -> Tensor:
    """Return the (batch,) mean power of a frame."""
    return power.sum(dim=(1, 2)) / num_frames


def bernoulli(size: int, probability: float, generator: torch.Generator) -> Tensor:
    """Return (size,) booleans, each true with this probability."""
    return torch.rand(size, generator=generator) < probability


def uniform(limits: tuple[float, float], size: int, generator: torch.Generator) -> Tensor:
    """Return (size,) uniform random numbers between two limits."""
    low, high = limits
    return low + (high - low) * torch.rand(size, generator=generator)


def center_frequencies(bank: Tensor) -> Tensor:
    """Return the (mel,) center frequencies in Hz of (bin, mel) filters."""
    return torch.linspace(0, SAMPLE_RATE / 2, bank.shape[0]) @ bank / bank.sum(dim=0)


def _make_noise(power: Tensor, size: int, bank: Tensor, config: NoiseConfig, generator: torch.Generator) -> Tensor:
    """Return (size, mel, frame) power of any level."""
    slopes = uniform((0.0, 2.0), size, generator)  # power falls with frequency^slope: 0 is white, 1 pink, 2 brown
    spectrum = torch.arange(1, bank.shape[0] + 1) ** -slopes.unsqueeze(1) @ bank  # (size, mel)
    hums = bernoulli(size, config.hum_p, generator)
    spectrum[hums] = _hum_spectrum(int(hums.sum()), bank, generator)
    # the fewer bins a band has, the more its noise fluctuates
    shape = _degrees_of_freedom(bank).expand(size, -1, power.shape[2])
    fluctuation = torch._standard_gamma(shape.contiguous(), generator=generator) / shape  # noqa: SLF001 - torch.distributions.Gamma takes no generator
    noise = spectrum.unsqueeze(2) * fluctuation
    for row in bernoulli(size, config.babble_p, generator).nonzero()[:, 0].tolist():
        voices = torch.randint(len(power), (BABBLE_VOICES,), generator=generator)
        noise[row] = power[voices].sum(dim=0) + 1e-6
    return noise


def _hum_spectrum(size: int, bank: Tensor, generator: torch.Generator) -> Tensor:
    """Return (size, mel) power at 50 or 60 Hz and its harmonics."""
    mains_hz = 50 + 10 * torch.randint(2, (size, 1, 1), generator=generator)
    lines_hz = mains_hz * torch.arange(1, HUM_HARMONICS + 1)  # (size, 1, harmonic)
    bins_hz = torch.linspace(0, SAMPLE_RATE / 2, bank.shape[0]).view(1, -1, 1)
    amplitudes = torch.rand(size, 1, HUM_HARMONICS, generator=generator)
    lines = (torch.exp(-(((bins_hz - lines_hz) / HUM_WIDTH_HZ) ** 2)) * amplitudes).sum(dim=2)  # (size, bin)
    return lines @ bank + 1e-6


def _degrees_of_freedom(bank: Tensor) -> Tensor:
    """Return the (mel, 1) number of independent bins in each band; neighbors share half of a Hann window."""
    return ((bank > 0).sum(dim=0) / 2).clamp(min=1).unsqueeze(1)


def _source_bands(pitch: Tensor, mels: int) -> Tensor:
    """Return which band each band takes its sound from at this pitch factor, (batch, mel) from -1 to 1."""
    low, high = _to_mel(torch.tensor(float(F_MIN_HZ))), _to_mel(torch.tensor(float(F_MAX_HZ)))
    centers = low + (high - low) * torch.arange(1, mels + 1) / (mels + 1)
    source_hz = 700 * (10 ** (centers / 2595) - 1) / pitch.unsqueeze(1)
    return ((_to_mel(source_hz) - low) / (high - low) * (mels + 1) - 1) * 2 / (mels - 1) - 1


def _to_mel(hz: Tensor) -> Tensor:
    return 2595 * torch.log10(1 + hz / 700)
