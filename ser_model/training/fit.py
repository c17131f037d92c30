"""The training loop of EmotionCnn, and scoring clips with what it made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from ser_model.cnn import CnnConfig, EmotionCnn, Logits
from ser_model.features import FLOOR
from ser_model.functionals import measure_functionals
from ser_model.labels import UNKNOWN
from ser_model.training.augment import AugmentConfig, vary_power
from ser_model.training.clips import Clip, stack_clips
from ser_model.training.power import ClipPower, cut_spans, measure_power
from ser_model.training.processes import ALONE, Team

SCORING_BATCH = 64
OTHER_SEED = 100_003  # times its rank sets the chance of a team's process apart from the first one's


@dataclass(frozen=True)
class FitSettings:
    """Everything that decides what training makes, beside the clips and the seed."""

    epochs: int = 40
    batch: int = 32  # clips
    learning_rate: float = 2e-3  # highest of the one-cycle schedule
    warm_up: float = 0.15  # share of the steps until it is reached
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    gender_weight: float = 0.2  # of the gender loss beside the emotion loss
    intensity_weight: float = 0.2
    functionals_penalty: float = 0.05  # on the squared weights of the functionals' head
    gradient_norm: float = 5.0
    network: CnnConfig = field(default_factory=CnnConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)


@dataclass(frozen=True)
class Scores:
    """What a network says of clips, before softmax: (clip, emotion), (clip, 2) and (clip, 2)."""

    emotion: NDArray[np.float64]
    gender: NDArray[np.float64]
    intensity: NDArray[np.float64]
    embedding: NDArray[np.float64] | None = None  # (clip, width) what SpeakerSpace compares voices by


def fit_network(
    clips: list[Clip],
    settings: FitSettings,
    seed: int,
    report: Callable[[int, float], None] | None = None,
    team: Team = ALONE,
) -> EmotionCnn:
    """Train a network from scratch.

    Args:
        clips: What it may hear.
        settings: How it learns.
        seed: Decides the first weights, the order and the augmentation.
        report: Called after each epoch with its number and mean loss.
        team: The processes that train it together; each of them calls this, and the first one's network counts.

    Returns:
        The network in evaluation mode, on the CPU.
    """
    torch.manual_seed(seed + OTHER_SEED * team.rank)
    generator = torch.Generator().manual_seed(seed + OTHER_SEED * team.rank)
    order = np.random.default_rng(seed)  # the same in all of the team, so that its shares make up one batch
    device = team.device
    network = EmotionCnn(settings.network)
    powers = [measure_power(clip, network.front_end) for clip in clips]
    network.functionals.standardise(_describe_powers(powers))
    bank = network.front_end.mel.mel_scale.fb  # (bin, mel)
    network.to(device)
    score = team.share(network, network.score_apart)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    precision = torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device))
    steps = settings.epochs * max(len(clips) // settings.batch, 1)
    schedule = OneCycleLR(optimiser, settings.learning_rate, total_steps=steps, pct_start=settings.warm_up)
    for epoch in range(settings.epochs):
        network.train()
        losses = []
        for whole in _draw_batches(clips, settings.batch, order):
            chosen = team.take_share(whole)
            cuts = cut_spans([powers[index] for index in chosen], settings.augment.shift_frames, generator)
            frames, counts = vary_power(*cuts, bank, settings.augment, generator)
            with precision:
                heard, described = score(frames.to(device), counts.to(device))
            loss = _measure_loss(heard, described, [clips[index] for index in chosen], settings)
            loss = loss + settings.functionals_penalty * network.functionals.linear.weight.square().sum()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_norm)
            optimiser.step()
            schedule.step()
            losses.append(loss.detach())
        if report is not None and team.is_first:
            report(epoch + 1, float(torch.stack(losses).mean()))
    return network.cpu().eval()


def score_clips(network: EmotionCnn, clips: list[Clip]) -> Scores:
    """Score the speech span of every clip, in the order given."""
    order = sorted(range(len(clips)), key=lambda index: clips[index].speech.size)
    batches = [order[first : first + SCORING_BATCH] for first in range(0, len(order), SCORING_BATCH)]
    with torch.inference_mode():
        said = [network.eval()(*stack_clips([clips[index].speech for index in batch])) for batch in batches]
    back = np.argsort(order)
    return Scores(*(torch.cat(parts).double().numpy()[back] for parts in zip(*said, strict=True)))


def measure_known(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy summed over the clips whose label is known, divided by the number of all."""
    return F.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum") / len(labels)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether bfloat16 halves the time of the convolutions there instead of being emulated."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def limit_threads(jobs: int) -> None:
    """Share the cores between parallel jobs: a network this small gains nothing from a second thread."""
    torch.set_num_threads(max((os.cpu_count() or 1) // jobs, 1))


def _draw_batches(clips: list[Clip], size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield batches of indices of clips of similar length, drawn from pools of eight batches; a rest is left out."""
    order = rng.permutation(len(clips))
    pools = [
        sorted(order[i : i + 8 * size], key=lambda j: clips[j].speech.size) for i in range(0, len(order), 8 * size)
    ]
    shuffled = [index for pool in pools for index in pool]
    size = min(size, len(clips))
    firsts = rng.permutation(len(clips) // size) * size
    for first in firsts:
        yield shuffled[first : first + size]


def _describe_powers(powers: list[ClipPower]) -> Tensor:
    """Return the (clip, figure) functionals of clips in one of their powers each, not varied any further."""
    generator = torch.Generator().manual_seed(0)
    parts = [
        measure_functionals((power + FLOOR).log(), counts)
        for power, counts in (
            cut_spans(powers[first : first + SCORING_BATCH], 0, generator)
            for first in range(0, len(powers), SCORING_BATCH)
        )
    ]
    return torch.cat(parts)


def _measure_loss(heard: Logits, described: Tensor, batch: list[Clip], settings: FitSettings) -> Tensor:
    """Sum the losses of the towers' heads and of the functionals' head, each for itself."""
    device, towers = described.device, heard.emotion.shape[1]
    emotion, gender, intensity = (
        torch.tensor([getattr(clip, label) for clip in batch], device=device)
        for label in ("emotion", "gender", "intensity")
    )
    scores = [head.float().flatten(0, 1) for head in heard[:3]]  # (batch * tower, class)
    emotions, genders, intensities = (labels.repeat_interleave(towers) for labels in (emotion, gender, intensity))
    return (
        F.cross_entropy(described, emotion)
        + F.cross_entropy(scores[0], emotions, label_smoothing=settings.label_smoothing)
        + settings.gender_weight * F.cross_entropy(scores[1], genders)
        + settings.intensity_weight * measure_known(scores[2], intensities)
    )
