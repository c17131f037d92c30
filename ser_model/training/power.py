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
        powers: (mel, frame) half precision, one for each of OFFSETS and one of the coded copy, if there is one.
        spans: First and last frame of the speech in each.
    """

    powers: tuple[Tensor, ...]
    spans: tuple[tuple[int, int], ...]


def measure_power(clip: Clip, front_end: LogMel) -> ClipPower:
    """Measure a clip's mel power at each of OFFSETS, and that of its coded copy."""
    level = float(np.sqrt(np.mean(clip.speech**2)))
    heard = [(clip.waveform, offset) for offset in OFFSETS]
    if clip.coded is not None:
        heard.append((clip.coded, 0))
    with torch.no_grad():
        powers = [
            front_end.mel(torch.from_numpy(waveform[offset:]) / (HANN_NORM * max(level, 1e-6)))
            for waveform, offset in heard
        ]
    start, end = clip.span
    spans = [(round((start - offset) / HOP), round((end - offset) / HOP)) for _, offset in heard]
    return ClipPower(tuple(power.clamp(max=6e4).half() for power in powers), tuple(spans))


def cut_spans(clips: list[ClipPower], reach: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut the speech out of one of each clip's powers, each end moved by up to reach frames in or out.

    Returns:
        (batch, mel, frame) power, zeros behind each clip's end, and the (batch,) frame counts.
    """
    moves = torch.randint(-reach, reach + 1, (len(clips), 2), generator=generator).tolist()
    chosen = torch.randint(len(clips[0].powers), (len(clips),), generator=generator).tolist()
    cuts = [_cut_span(clip, which, *move) for clip, which, move in zip(clips, chosen, moves, strict=True)]
    counts = torch.tensor([cut.shape[1] for cut in cuts])
    batch = torch.zeros(len(cuts), cuts[0].shape[0], int(counts.max()))
    for row, cut in zip(batch, cuts, strict=True):
        row[:, : cut.shape[1]] = cut
    return batch, counts


def _cut_span(clip: ClipPower, which: int, first_move: int, last_move: int) -> Tensor:
    power, (first, last) = clip.powers[which], clip.spans[which]
    start = min(max(first + first_move, 0), max(power.shape[1] - FEWEST_FRAMES, 0))
    end = max(min(last + last_move, power.shape[1]), start + FEWEST_FRAMES)
    return power[:, start:end].float()
