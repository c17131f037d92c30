"""Fresh variations of a clip each time it is seen: shift, speed, noise; on its frames pitch, tempo and masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ser_model.audio import SAMPLE_RATE, Waveform

SHORTEST = SAMPLE_RATE // 4  # samples that a shifted span keeps


@dataclass(frozen=True)
class AugmentConfig:
    """How far and how often; chosen on validation actors."""

    shift_s: float = 0.15  # each end of the span moves by up to this, in or out
    speed: float = 0.1  # resampled by up to this share: pitch and tempo together
    speed_p: float = 0.3
    noise_snr_db: tuple[float, float] = (8.0, 40.0)
    noise_p: float = 0.3
    pitch: float = 0.03  # mel bands stretched by up to this share
    tempo: float = 0.06  # frames stretched by up to this share
    warp_p: float = 0.2  # both together
    mel_masks: int = 1
    mel_mask_bands: int = 10
    time_masks: int = 1
    time_mask_frames: int = 10


def augment_waveform(
    waveform: Waveform, span: tuple[int, int], config: AugmentConfig, rng: np.random.Generator
) -> Waveform:
    """Move the span's ends, change the speed and add noise.

    Args:
        waveform: (time,) a clip with some surroundings, at SAMPLE_RATE.
        span: First and last sample of speech in it.
        config: How far and how often.
        rng: The source of chance.

    Returns:
        (time,) float32, at least SHORTEST samples where the clip has them.
    """
    reach = round(config.shift_s * SAMPLE_RATE)
    start, end = (int(edge) for edge in np.clip(np.array(span) + rng.integers(-reach, reach + 1, 2), 0, waveform.size))
    start = min(start, max(waveform.size - SHORTEST, 0))
    clip = waveform[start : max(end, start + SHORTEST)]
    if rng.random() < config.speed_p:
        factor = 1 + rng.uniform(-config.speed, config.speed)
        clip = soxr.resample(clip, SAMPLE_RATE, SAMPLE_RATE / factor, quality="LQ")
    if rng.random() < config.noise_p:
        clip = (clip + _make_noise(clip, rng.uniform(*config.noise_snr_db), rng)).astype(np.float32)
    return np.asarray(clip, dtype=np.float32)


def _make_noise(clip: Waveform, snr_db: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose power falls with frequency^slope: 0 is white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(clip.size))
    slope = rng.uniform(0, 2)
    spectrum *= np.arange(1, spectrum.size + 1) ** (-slope / 2)
    noise = np.fft.irfft(spectrum, clip.size)
    level = np.sqrt(np.mean(clip**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return np.asarray(noise * level)


def warp_frames(frames: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Stretch the mel axis (pitch) and the time axis (tempo) a little, clip by clip.

    Args:
        frames: (batch, mel, frame) log-mel.
        config: How far and how often.
        generator: The source of chance.
    """
    batch = frames.shape[0]
    chance = torch.rand(3, batch, generator=generator)
    on = (chance[0] < config.warp_p).float()
    pitch = 1 + on * config.pitch * (2 * chance[1] - 1)
    tempo = 1 + on * config.tempo * (2 * chance[2] - 1)
    theta = torch.zeros(batch, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = tempo, pitch
    theta[:, 0, 2], theta[:, 1, 2] = tempo - 1, pitch - 1  # anchored at the first frame and the lowest band
    grid = F.affine_grid(theta, [batch, 1, *frames.shape[1:]], align_corners=True)
    warped = F.grid_sample(frames.unsqueeze(1), grid, padding_mode="border", align_corners=True)
    return warped.squeeze(1)  # (batch, mel, frame)


def mask_frames(frames: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
    """Hide random bands and moments (SpecAugment, Park et al. 2019) behind each clip's own mean."""
    frames = frames.clone()
    _, mels, length = frames.shape  # (batch, mel, frame)
    for clip in frames:
        mean = clip.mean()
        for _ in range(config.mel_masks):
            width = int(rng.integers(0, config.mel_mask_bands + 1))
            start = int(rng.integers(0, mels - width + 1))
            clip[start : start + width] = mean
        for _ in range(config.time_masks):
            width = int(rng.integers(0, min(config.time_mask_frames, length) + 1))
            start = int(rng.integers(0, length - width + 1))
            clip[:, start : start + width] = mean
    return frames
