"""What EmotionCnn is built of: convolution blocks, attentive pooling and the head on functionals, blind to padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser_model.functionals import N_FUNCTIONALS, measure_functionals


class ConvBlock(nn.Module):
    """Conv1d > BatchNorm > ReLU > max pool > dropout, blind to frames behind a clip's end; groups hear nothing else."""

    def __init__(self, wide_in: int, wide_out: int, kernel: int, pool: int, dropout: float, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(wide_in, wide_out, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm1d(wide_out)
        self.pool = pool
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, frames: Tensor, counts: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Map (batch, channel, frame) and the (batch,) frame counts to the next block's."""
        frames = blank(F.relu(self.norm(self.conv(frames))), counts)
        if self.pool > 1:
            frames = F.max_pool1d(frames, self.pool, ceil_mode=True)  # (batch, channel, frame / pool)
            counts = None if counts is None else torch.div(counts + self.pool - 1, self.pool, rounding_mode="floor")
        return self.dropout(frames), counts


class AttentivePooling(nn.Module):
    """Attentive statistics pooling (Okabe et al. 2018, eq. 2-5): weighted mean and deviation over time."""

    def __init__(self, channels: int, hidden: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.score = nn.Sequential(
            nn.Conv1d(channels, hidden, 1, groups=groups), nn.Tanh(), nn.Conv1d(hidden, channels, 1, groups=groups)
        )

    def forward(self, frames: Tensor, counts: Tensor | None) -> Tensor:
        """Pool (batch, channel, frame) with (batch,) counts to (batch, 2 * channel), group by group."""
        scores = self.score(frames)  # (batch, channel, frame)
        if counts is not None:
            scores = scores.masked_fill(mask_of(counts, frames.shape[2]) == 0, -torch.inf)
        weights = scores.softmax(dim=2)
        mean = (weights * frames).sum(dim=2)
        variance = (weights * frames.square()).sum(dim=2) - mean.square()
        both = [one.unflatten(1, (self.groups, -1)) for one in (mean, variance.clamp(min=1e-5).sqrt())]
        return torch.cat(both, dim=2).flatten(1)  # (batch, group * 2 * channel)


class FunctionalsHead(nn.Module):
    """Functionals of the whole clip > standard scores, at most LIMIT > linear: the second opinion on the emotion."""

    LIMIT = 4.0
    mean: Tensor
    deviation: Tensor

    def __init__(self, emotions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_FUNCTIONALS))
        self.register_buffer("deviation", torch.ones(N_FUNCTIONALS))
        self.linear = nn.Linear(N_FUNCTIONALS, emotions)

    def forward(self, frames: Tensor, counts: Tensor | None = None) -> Tensor:
        """Map (batch, mel, frame) log-mel with (batch,) counts to (batch, emotion) logits; all frames when left out."""
        with torch.autocast(frames.device.type, enabled=False):
            scores = (measure_functionals(frames, counts) - self.mean) / self.deviation
            logits: Tensor = self.linear(scores.clamp(-self.LIMIT, self.LIMIT))
        return logits

    def standardise(self, functionals: Tensor) -> None:
        """Take mean and deviation from the (clip, figure) functionals of the training clips."""
        self.mean.copy_(functionals.mean(dim=0))
        self.deviation.copy_(functionals.std(dim=0, correction=0).clamp(min=1e-3))


def mask_of(counts: Tensor, frames: int) -> Tensor:
    """Return (batch, 1, frame) ones where a clip has frames and zeros behind its end."""
    return (torch.arange(frames, device=counts.device) < counts.unsqueeze(1)).unsqueeze(1).float()


def blank(frames: Tensor, counts: Tensor | None) -> Tensor:
    """Zero what lies behind each clip's end in (batch, channel, frame); nothing does without counts."""
    return frames if counts is None else frames * mask_of(counts, frames.shape[2])


def summarise_frames(frames: Tensor, counts: Tensor | None) -> Tensor:
    """Return (batch, 2 * channel) mean and deviation over the real frames of (batch, channel, frame)."""
    sizes = frames.shape[2] if counts is None else counts.unsqueeze(1)
    mean = blank(frames, counts).sum(dim=2) / sizes
    variance = blank((frames - mean.unsqueeze(2)).square(), counts).sum(dim=2) / sizes
    return torch.cat([mean, variance.clamp(min=1e-8).sqrt()], dim=1)
