"""The mel power of clips, measured once before training: what augmentation varies each time a clip is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ser_model.features import HANN_NORM, HOP, LogMel
from ser_model.training.clips import Clip

OFFSETS = (0, HOP // 2)  # samples by which the frames are shifted: a span may begin anywhere
FEWEST_FRAMES = 16


@dataclass(frozen=True)
class ClipPower:
    """A clip with its surroundings as mel power, the speech having unit RMS.

    Attributes:
        powers: (mel, frame) half precision, one for each of OFFSETS.
        spans: First and last frame of the speech in each.
    """

    powers: tuple[Tensor, ...]
    spans: tuple[tuple[int, int], ...]


def measure_power(clip: Clip, front_end: LogMel) -> ClipPower:
    """Measure a clip's mel power at each of OFFSETS."""
    level = float(np.sqrt(np.mean(clip.speech**2)))
    waveform = torch.from_numpy(clip.waveform) / (HANN_NORM * max(level, 1e-6))
    with torch.no_grad():
        powers = tuple(front_end.mel(waveform[offset:]).clamp(max=6e4).half() for offset in OFFSETS)
    start, end = clip.span
    spans = tuple((round((start - offset) / HOP), round((end - offset) / HOP)) for offset in OFFSETS)
    return ClipPower(powers, spans)


def cut_spans(clips: list[ClipPower], reach: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut out the speech, each end moved by up to reach frames in or out.

    Returns:
        (batch, mel, frame) power, zeros behind each clip's end, and the (batch,) frame counts.
    """
    moves = torch.randint(-reach, reach + 1, (len(clips), 2), generator=generator).tolist()
    offsets = torch.randint(len(OFFSETS), (len(clips),), generator=generator).tolist()
    cuts = [_cut_span(clip, offset, *move) for clip, offset, move in zip(clips, offsets, moves, strict=True)]
    counts = torch.tensor([cut.shape[1] for cut in cuts])
    batch = torch.zeros(len(cuts), cuts[0].shape[0], int(counts.max()))
    for row, cut in zip(batch, cuts, strict=True):
        row[:, : cut.shape[1]] = cut
    return batch, counts


def _cut_span(clip: ClipPower, offset: int, first_move: int, last_move: int) -> Tensor:
    power, (first, last) = clip.powers[offset], clip.spans[offset]
    start = min(max(first + first_move, 0), max(power.shape[1] - FEWEST_FRAMES, 0))
    end = max(min(last + last_move, power.shape[1]), start + FEWEST_FRAMES)
    return power[:, start:end].float()
