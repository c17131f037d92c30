"""Functionals of the log-mel frames: a fixed number of figures that say how a clip's contours run over its length.

They hear what the convolutions overlook (the whole clip's range, drift and rhythm), and a linear layer on them errs
elsewhere than the network does. The kinds follow openSMILE's (Eyben et al. 2010): tracks, their deltas, functionals.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import create_dct

from ser_model.audio import SAMPLE_RATE
from ser_model.features import FLOOR, HOP, N_MELS, square

N_CEPSTRA = 30
N_TRACKS = N_CEPSTRA + 4  # cepstra, level, centroid, spread, flux
PERCENTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
MOMENTS = 6  # mean, deviation, skewness, kurtosis, slope, curvature
MODULATION_HZ = (0.5, 1, 2, 3, 4, 6, 8, 11, 16, 22, 31)  # edges
MODULATION_GROUPS = 10  # of neighbouring mel bands
MODULATION_FRAMES = 512  # 8 s, longer than any window that is scored at once
N_FUNCTIONALS = 2 * N_TRACKS * (MOMENTS + len(PERCENTILES)) + MODULATION_GROUPS * (len(MODULATION_HZ) - 1) + 1
FEWEST_FRAMES = 8
DELTA_FRAMES = 5  # that a slope is measured over
BEHIND = 1e30  # sorts what lies behind a clip's end behind everything else


def measure_functionals(frames: Tensor, counts: Tensor) -> Tensor:
    """Describe whole clips.

    Args:
        frames: (batch, mel, frame) log-mel.
        counts: (batch,) how many frames are real; at least FEWEST_FRAMES are read.

    Returns:
        (batch, N_FUNCTIONALS) float32.
    """
    frames = F.pad(frames.float(), (0, max(FEWEST_FRAMES - frames.shape[2], 0)), value=math.log(FLOOR))
    counts = counts.clamp(min=FEWEST_FRAMES)
    tracks = make_tracks(frames)
    deltas = measure_deltas(tracks)
    both = torch.cat([tracks, F.pad(deltas, (0, DELTA_FRAMES - 1))])  # (2 * batch, track, frame), in one go
    described = describe_tracks(both, torch.cat([counts, counts - DELTA_FRAMES + 1]))
    modulation = measure_modulation(frames, counts)
    return torch.cat([*described.chunk(2), modulation, counts.unsqueeze(1).float().log()], dim=1)


def make_tracks(frames: Tensor) -> Tensor:
    """Return the cepstra, the level (log), the centroid and spread (mel bands) and the flux, (batch, track, frame)."""
    cepstra = _make_cosines(frames.device) @ frames
    power = frames.exp()  # (batch, mel, frame)
    total = power.sum(dim=1, keepdim=True)
    bands = torch.arange(N_MELS, device=frames.device, dtype=frames.dtype).view(1, -1, 1)
    centroid = (power * bands).sum(dim=1, keepdim=True) / total
    spread = ((power * (bands - centroid).square()).sum(dim=1, keepdim=True) / total).sqrt()
    flux = F.pad(frames.diff(dim=2).square().mean(dim=1, keepdim=True).sqrt(), (1, 0))
    return torch.cat([cepstra, total.log(), centroid, spread, flux], dim=1)


def measure_deltas(tracks: Tensor) -> Tensor:
    """Return the slope over five frames, (batch, track, frame - 4): only where all five are there."""
    return 0.2 * (tracks[:, :, 4:] - tracks[:, :, :-4]) + 0.1 * (tracks[:, :, 3:-1] - tracks[:, :, 1:-3])


def describe_tracks(tracks: Tensor, counts: Tensor) -> Tensor:
    """Return moments, drift and percentiles of each (batch, track, frame) track over its (batch,) first frames."""
    mask = (torch.arange(tracks.shape[2], device=tracks.device) < counts.unsqueeze(1)).unsqueeze(1).float()
    size = counts.view(-1, 1, 1).float()
    mean = (tracks * mask).sum(dim=2, keepdim=True) / size
    centred = (tracks - mean) * mask  # (batch, track, frame)
    squares = centred.square()
    variance = squares.sum(dim=2, keepdim=True) / size
    floored = variance + 1e-6
    time = torch.arange(tracks.shape[2], device=tracks.device) * 2 / (size - 1) - 1  # (batch, 1, frame), -1 to 1
    drifts = torch.cat([3 * time, time.square() - 1 / 3], dim=1).transpose(1, 2)  # (batch, frame, 2)
    moments = [
        mean,
        variance.sqrt(),
        (squares * centred).sum(dim=2, keepdim=True) / (size * floored * floored.sqrt()),
        squares.square().sum(dim=2, keepdim=True) / (size * floored.square()),
        centred @ drifts / size,
    ]
    return torch.cat([*moments, measure_percentiles(tracks, mask, counts)], dim=2).flatten(1)  # (batch, track * figure)


def measure_percentiles(tracks: Tensor, mask: Tensor, counts: Tensor) -> Tensor:
    """Return PERCENTILES of the real frames, interpolated between neighbours, (batch, track, percentile)."""
    ordered = _sort(tracks + BEHIND * (1 - mask))
    places = (counts.unsqueeze(1) - 1) * torch.tensor(PERCENTILES, device=tracks.device)  # (batch, percentile)
    lower = places.floor().long()
    upper = torch.minimum(lower + 1, counts.unsqueeze(1) - 1)
    rest = (places - lower).unsqueeze(1)
    low, high = (ordered.gather(2, place.unsqueeze(1).expand(-1, tracks.shape[1], -1)) for place in (lower, upper))
    return low + rest * (high - low)


def measure_modulation(frames: Tensor, counts: Tensor) -> Tensor:
    """Return the log power of slow changes (0.5 to 31 Hz) in ten groups of bands, (batch, group * modulation band)."""
    envelopes = frames.unflatten(1, (MODULATION_GROUPS, -1)).mean(dim=2)  # (batch, group, frame)
    place = torch.arange(frames.shape[2], device=frames.device) / (counts.unsqueeze(1) - 1)  # (batch, frame), 0 to 1
    window = torch.where(place <= 1, 0.5 - 0.5 * torch.cos(2 * torch.pi * place), 0.0).unsqueeze(1)
    mask = (place <= 1).unsqueeze(1).float()
    mean = (envelopes * mask).sum(dim=2, keepdim=True) / counts.view(-1, 1, 1)
    spectrum = square(torch.fft.rfft((envelopes - mean) * window, MODULATION_FRAMES, dim=2))
    bands: Tensor = spectrum @ _make_rates(frames.device)  # (batch, group, modulation band)
    return bands.div(counts.view(-1, 1, 1)).add(1e-3).log().flatten(1)


def _sort(tracks: Tensor) -> Tensor:
    """Sort over the frames; on a CPU by NumPy, which takes a twentieth of PyTorch's time."""
    if tracks.device.type == "cpu":
        return torch.from_numpy(np.sort(tracks.numpy(), axis=2))
    return tracks.sort(dim=2).values


@lru_cache(maxsize=4)
def _make_cosines(device: torch.device) -> Tensor:
    """Return the (cepstrum, mel) transform."""
    with torch.inference_mode(mode=False):  # what is kept may serve training later
        cosines: Tensor = create_dct(N_CEPSTRA, N_MELS, "ortho").T.contiguous().to(device)
    return cosines


@lru_cache(maxsize=4)
def _make_rates(device: torch.device) -> Tensor:
    """Return what averages the (bin,) rates of change within each band of MODULATION_HZ, (bin, modulation band)."""
    with torch.inference_mode(mode=False):
        rates = torch.fft.rfftfreq(MODULATION_FRAMES, HOP / SAMPLE_RATE)
        within = torch.stack([(rates >= low) & (rates < high) for low, high in pairwise(MODULATION_HZ)], dim=1).float()
        return within.div(within.sum(dim=0)).to(device)
