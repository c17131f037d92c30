"""Fresh variations of clips each time they are seen, made on mel power: speed, room, telephone line and noise.

On mel power a change of speed is a stretch, a room a tail, a line a gain and noise a sum, for a whole batch at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from ser_model.audio import SAMPLE_RATE
from ser_model.blocks import mask_of
from ser_model.features import FLOOR, HIGHEST_HZ, HOP, LOWEST_HZ
from ser_model.training.noise import NoiseConfig, add_noise, draw_within, measure_level, pick

ROOM_FRAMES = 24  # length of a room's tail
FAINT = 1e-7  # power under which nothing is told apart


@dataclass(frozen=True)
class AugmentConfig:
    """How far and how often."""

    shift_frames: int = 9  # each end of the span moves by up to this, in or out
    warp_p: float = 0.35
    speed: float = 0.1  # played faster or slower by up to this share: pitch and tempo together
    tempo: float = 0.05  # tempo alone, on top of it
    pitch: float = 0.02  # pitch and formants alone, on top of it
    room_p: float = 0.1
    room_rt60_s: tuple[float, float] = (0.1, 0.8)
    room_tail_db: tuple[float, float] = (-10.0, 2.0)  # the tail beside the direct sound
    line_p: float = 0.05
    line_low_hz: tuple[float, float] = (100.0, 400.0)
    line_high_hz: tuple[float, float] = (3_000.0, 4_500.0)
    noise: NoiseConfig = field(default_factory=NoiseConfig)


def vary_power(
    power: Tensor, counts: Tensor, bank: Tensor, config: AugmentConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Vary clips and take the logarithm, as the front end does.

    Args:
        power: (batch, mel, frame) mel power of clips with unit RMS, zeros behind each clip's end.
        counts: (batch,) frames.
        bank: (bin, mel) the front end's filters.
        config: How far and how often.
        generator: The source of chance.

    Returns:
        (batch, mel, frame) log-mel at the level of the input, and the (batch,) counts, which a change of speed changes.
    """
    power, counts = warp_power(power, counts, config, generator)
    level = measure_level(power, counts)
    power = add_room(power, config, generator) * mask_of(counts, power.shape[2])
    power = narrow_line(power, find_centres(bank), config, generator)
    power = add_noise(power, counts, bank, config.noise, generator)
    scale = level / measure_level(power, counts).clamp(min=1e-9)
    return torch.log(power * scale.view(-1, 1, 1) + FLOOR), counts


def warp_power(
    power: Tensor, counts: Tensor, config: AugmentConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Play clips faster or slower, as a tape would, and move tempo and pitch a little apart."""
    batch, mels, frames = power.shape
    chance = 2 * torch.rand(3, batch, generator=generator) - 1
    on = pick(batch, config.warp_p, generator).float()
    speed = on * config.speed * chance[0]
    tempo = 1 + speed + on * config.tempo * chance[1]
    pitch = 1 + speed + on * config.pitch * chance[2]
    counts = torch.minimum((counts / tempo).round().long(), torch.tensor(2 * frames)).clamp(min=1)
    columns = torch.arange(int(counts.max())) * tempo.unsqueeze(1) * 2 / max(frames - 1, 1) - 1  # (batch, frame)
    rows = _find_source_bands(pitch, mels)  # (batch, mel)
    shape = (batch, mels, columns.shape[1])
    grid = torch.stack([columns.unsqueeze(1).expand(shape), rows.unsqueeze(2).expand(shape)], dim=3)
    log_power = (power + FAINT).log().unsqueeze(1)  # (batch, 1, mel, frame)
    warped = F.grid_sample(log_power, grid, padding_mode="border", align_corners=True).squeeze(1).exp()
    return warped * mask_of(counts, warped.shape[2]), counts


def add_room(power: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Let some clips ring: the power of each frame dies away by 60 dB in the room's RT60 (Schroeder 1965)."""
    batch = len(power)
    rt60_s = draw_within(config.room_rt60_s, batch, generator)
    tail = 10 ** (-6 * HOP / SAMPLE_RATE / rt60_s.unsqueeze(1) * torch.arange(ROOM_FRAMES))  # (batch, frame)
    tail[:, 0] = 0
    share = 10 ** (draw_within(config.room_tail_db, batch, generator) / 10) * pick(batch, config.room_p, generator)
    tail = tail / tail.sum(dim=1, keepdim=True) * share.unsqueeze(1)
    tail[:, 0] = 1
    if not (share > 0).any():
        return power
    padded = F.pad(power, (ROOM_FRAMES - 1, 0)).transpose(0, 1)  # (mel, batch, frame)
    return F.conv1d(padded, tail.flip(1).unsqueeze(1), groups=batch).transpose(0, 1)  # (batch, mel, frame)


def narrow_line(power: Tensor, centres_hz: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Send some clips over a telephone line: little under a few hundred hertz, almost nothing over four kilohertz."""
    batch = power.shape[0]
    low_hz = draw_within(config.line_low_hz, batch, generator).unsqueeze(1)
    high_hz = draw_within(config.line_high_hz, batch, generator).unsqueeze(1)
    octaves_under = torch.log2(low_hz / centres_hz).clamp(min=0, max=3)  # (batch, mel)
    octaves_over = torch.log2(centres_hz / high_hz).clamp(min=0)
    gain_db = (-24 * octaves_under - 60 * octaves_over).clamp(min=-60)
    gain_db = gain_db * pick(batch, config.line_p, generator).unsqueeze(1)
    return power * (10 ** (gain_db / 10)).unsqueeze(2)


def find_centres(bank: Tensor) -> Tensor:
    """Return the (mel,) centre frequencies in Hz of the (bin, mel) filters."""
    return torch.linspace(0, SAMPLE_RATE / 2, bank.shape[0]) @ bank / bank.sum(dim=0)


def _find_source_bands(pitch: Tensor, mels: int) -> Tensor:
    """Return where each band's sound was before its frequency was multiplied by pitch, (batch, mel) from -1 to 1."""
    low, high = _to_mel(torch.tensor(float(LOWEST_HZ))), _to_mel(torch.tensor(float(HIGHEST_HZ)))
    centres = low + (high - low) * torch.arange(1, mels + 1) / (mels + 1)
    source_hz = 700 * (10 ** (centres / 2595) - 1) / pitch.unsqueeze(1)
    return ((_to_mel(source_hz) - low) / (high - low) * (mels + 1) - 1) * 2 / (mels - 1) - 1


def _to_mel(hz: Tensor) -> Tensor:
    return 2595 * torch.log10(1 + hz / 700)
