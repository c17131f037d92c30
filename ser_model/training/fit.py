"""The training loop of EmotionCnn, in one process or in several that torchrun starts, and the logits for clips."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import OneCycleLR

from ser_model.cnn import CnnConfig, EmotionCnn, Logits
from ser_model.frontend import POWER_FLOOR
from ser_model.functionals import compute_functionals
from ser_model.labels import GENDERS, INTENSITIES, UNKNOWN
from ser_model.speaker import SpeakerSpace
from ser_model.training.augment import AugmentConfig, SpecAugment, augment, crop_speech
from ser_model.training.clips import RAVDESS, Clip, ClipPower, list_speech
from ser_model.training.corpora import UNLABELED

SoftLabels = Mapping[str, NDArray[np.float32]]  # (emotion,) probabilities by the file of a clip

EVAL_BATCH = 64
PASSES = {RAVDESS: 3.0, "crema-d": 0.8, "nemo": 0.55, UNLABELED: 0.45}
TEACHER_WEIGHTS = {"crema-d": 0.5, "nemo": 0.5, UNLABELED: 1.0}  # of the teacher in the target of a clip
RANK_SEED = 100_003  # times the rank: each process augments differently


@dataclass(frozen=True)
class FitSettings:
    """Everything that decides what training makes, besides the clips and the seed."""

    epochs: int = 14
    passes: dict[str, float] = field(default_factory=lambda: dict(PASSES))  # over each corpus in an epoch; 1 if missing
    teacher_weights: dict[str, float] = field(default_factory=lambda: dict(TEACHER_WEIGHTS))  # 0 if missing
    votes_weight: float = 0.0  # of what raters heard, in the target of a clip that has votes
    batch: int = 32  # clips
    learning_rate: float = 2e-3  # maximum of the one-cycle schedule
    warm_up: float = 0.15  # share of the steps before the maximum
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    gender_weight: float = 0.2  # of the gender loss; the emotion loss has 1
    intensity_weight: float = 0.2
    functionals_penalty: float = 0.05  # on the squared weights of the functionals' head
    gradient_norm: float = 5.0
    network: CnnConfig = field(default_factory=CnnConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)


@dataclass(frozen=True)
class ClipLogits:
    """The outputs of a network for clips: (clip, emotion), (clip, 2), (clip, 2) and (clip, width)."""

    emotion: NDArray[np.float64]
    gender: NDArray[np.float64]
    intensity: NDArray[np.float64]
    embedding: NDArray[np.float64] | None = None


def fit_network(
    clips: list[Clip],
    settings: FitSettings,
    seed: int,
    teacher: SoftLabels | None = None,
    report: Callable[[int, float], None] | None = None,
) -> EmotionCnn:
    """Train a network from scratch.

    If torchrun started several processes, each of them calls this and trains on its share of every batch.

    Args:
        clips: The training clips.
        settings: How to train.
        seed: Decides the initial weights, the order of the clips and the augmentation.
        teacher: What a teacher that never heard the speakers says of the clips; unlabeled clips need it.
        report: Called after each epoch with its number and mean loss.

    Returns:
        The network in evaluation mode, on the CPU.
    """
    processes = num_processes()
    rank = distributed.get_rank() if processes > 1 else 0
    torch.manual_seed(seed + RANK_SEED * rank)
    generator = torch.Generator().manual_seed(seed + RANK_SEED * rank)
    order = np.random.default_rng(seed)  # the same in all processes, so that their shares make up one batch
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = EmotionCnn(settings.network)
    network.branches.spec_augment = SpecAugment()
    powers = [clip.power for clip in clips if clip.power is not None]
    targets = make_targets(clips, settings, teacher)
    network.functionals_head.fit_standardization(_compute_functionals(powers))
    bank = network.frontend.mel.mel_scale.fb  # (bin, mel)
    network.to(device)
    branches = _Branches(network)
    forward = DistributedDataParallel(branches) if processes > 1 else branches
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    precision = torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device))
    steps = settings.epochs * max(count_draws(clips, settings.passes) // settings.batch, 1)
    schedule = OneCycleLR(optimizer, settings.learning_rate, total_steps=steps, pct_start=settings.warm_up)
    for epoch in range(settings.epochs):
        network.train()
        losses = []
        for batch in _draw_batches(clips, settings, order):
            share = batch[rank::processes]
            crops = crop_speech([powers[index] for index in share], settings.augment.shift_frames, generator)
            frames, num_frames = augment(*crops, bank, settings.augment, generator)
            with precision:
                cnn_logits, functional_logits = forward(frames.to(device), num_frames.to(device))
            share_of_clips = [clips[index] for index in share]
            loss = _compute_loss(cnn_logits, functional_logits, targets[share].to(device), share_of_clips, settings)
            loss = loss + settings.functionals_penalty * network.functionals_head.linear.weight.square().sum()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_norm)
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        if report is not None and rank == 0:
            report(epoch + 1, float(torch.stack(losses).mean()))
    return network.cpu().eval()


def predict_clips(network: EmotionCnn, clips: list[Clip]) -> ClipLogits:
    """Run a network on the speech span of every clip, in the order given."""
    if not clips:  # networks for everybody may have nothing to score
        return ClipLogits(
            np.zeros((0, len(network.emotions))), np.zeros((0, len(GENDERS))), np.zeros((0, len(INTENSITIES)))
        )
    order = sorted(range(len(clips)), key=lambda index: clips[index].speech.size)
    outputs = []
    with torch.inference_mode():
        for first in range(0, len(order), EVAL_BATCH):
            speech = [clips[index].speech for index in order[first : first + EVAL_BATCH]]
            lengths = torch.tensor([waveform.size for waveform in speech])
            batch = np.zeros((len(speech), int(lengths.max())), np.float32)  # (batch, time)
            for row, waveform in zip(batch, speech, strict=True):
                row[: waveform.size] = waveform
            outputs.append(network.eval()(torch.from_numpy(batch), lengths))
    back = np.argsort(order)
    return ClipLogits(*(torch.cat(parts).double().numpy()[back] for parts in zip(*outputs, strict=True)))


def fit_speaker_space(network: EmotionCnn, clips: list[Clip]) -> SpeakerSpace:
    """Fit the space for enrollment to the RAVDESS speech of the training clips: its actors show every emotion."""
    speech = [clip for clip in list_speech(clips) if clip.corpus == RAVDESS]
    embedding = predict_clips(network, speech).embedding
    assert embedding is not None
    labels, speakers = (np.array([getattr(clip, name) for clip in speech]) for name in ("emotion", "speaker"))
    return SpeakerSpace.fit(embedding, labels, speakers, network.emotions)


def known_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy summed over the clips whose label is known, divided by the number of all clips."""
    return F.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum") / len(labels)


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy to (clip, class) target probabilities, summed over the classes, mean over the clips."""
    return -(targets * logits.log_softmax(dim=1)).sum(dim=1).mean()


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes in bfloat16 instead of emulating it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def limit_threads(jobs: int) -> None:
    """Divide the cores between parallel jobs, whatever an imported library set before."""
    torch.set_num_threads(max((os.cpu_count() or 1) // jobs, 1))


@contextmanager
def distributed_training() -> Iterator[None]:
    """Join the processes that torchrun started, if it did, until the block ends."""
    if "LOCAL_RANK" not in os.environ:
        yield
        return
    own_gpu = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
    if own_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if own_gpu else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def num_processes() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def is_main_process() -> bool:
    """Return whether this is the one process that writes the results."""
    return num_processes() == 1 or distributed.get_rank() == 0


@contextmanager
def main_process_first() -> Iterator[None]:
    """Run a block in the main process before the others, which then find its results in the cache."""
    if not is_main_process():
        distributed.barrier()
    yield
    if is_main_process() and num_processes() > 1:
        distributed.barrier()


class _Branches(nn.Module):
    """EmotionCnn.branch_logits as a forward pass, which DistributedDataParallel needs."""

    def __init__(self, network: EmotionCnn) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor, num_frames: Tensor) -> tuple[Logits, Tensor]:
        return self.network.branch_logits(frames, num_frames)


def make_targets(clips: Sequence[Clip], settings: FitSettings, teacher: SoftLabels | None) -> Tensor:
    """Mix the labels of the clips, smoothed, with what raters and a teacher say of them.

    Returns:
        (clip, emotion) probabilities; zeros for a clip of which nothing is known, which then adds nothing to the loss.
    """
    num_emotions = len(settings.network.emotions)
    targets = np.zeros((len(clips), num_emotions), np.float32)
    for row, clip in enumerate(clips):
        if clip.emotion != UNKNOWN:
            targets[row] = settings.label_smoothing / num_emotions
            targets[row, clip.emotion] += 1 - settings.label_smoothing
        if clip.votes is not None:
            votes = np.pad(clip.votes, (0, num_emotions - clip.votes.size))
            targets[row] += settings.votes_weight * (votes - targets[row])
        taught = teacher.get(clip.file) if teacher is not None else None
        if taught is not None:
            targets[row] += settings.teacher_weights.get(clip.corpus, 0.0) * (taught - targets[row])
    return torch.from_numpy(targets)


def count_draws(clips: Sequence[Clip], passes: Mapping[str, float]) -> int:
    """Return how many clips an epoch draws."""
    counts = Counter(clip.corpus for clip in clips)
    return sum(round(count * passes.get(corpus, 1.0)) for corpus, count in counts.items())


def _draw_batches(clips: list[Clip], settings: FitSettings, rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield the indices of clips of similar length, drawn from pools of eight batches; the rest is left out."""
    drawn = []
    for corpus, count in sorted(Counter(clip.corpus for clip in clips).items()):
        own = np.flatnonzero([clip.corpus == corpus for clip in clips])
        size = round(count * settings.passes.get(corpus, 1.0))
        drawn += [rng.permutation(own) for _ in range(size // count)] + [rng.permutation(own)[: size % count]]
    order = rng.permutation(np.concatenate(drawn))
    size = min(settings.batch, len(order))
    pools = [
        sorted(order[i : i + 8 * size], key=lambda j: clips[j].speech.size) for i in range(0, len(order), 8 * size)
    ]
    shuffled = [int(index) for pool in pools for index in pool]
    for first in rng.permutation(len(order) // size) * size:
        yield shuffled[first : first + size]


def _compute_functionals(powers: list[ClipPower]) -> Tensor:
    """Return the (clip, functional) values of one version of each clip, without augmentation."""
    generator = torch.Generator().manual_seed(0)
    parts = []
    for first in range(0, len(powers), EVAL_BATCH):
        power, num_frames = crop_speech(powers[first : first + EVAL_BATCH], 0, generator)
        parts.append(compute_functionals((power + POWER_FLOOR).log(), num_frames))
    return torch.cat(parts)


def _compute_loss(
    cnn_logits: Logits, functional_logits: Tensor, targets: Tensor, clips: list[Clip], settings: FitSettings
) -> Tensor:
    """Add up the losses of the convolutions' heads and of the functionals' head, each computed on its own."""
    device, members = functional_logits.device, cnn_logits.emotion.shape[1]
    gender, intensity = (
        torch.tensor([getattr(clip, label) for clip in clips], device=device).repeat_interleave(members)
        for label in ("gender", "intensity")
    )
    heads = [head.float().flatten(0, 1) for head in cnn_logits[:3]]  # (batch * member, class)
    return (
        soft_cross_entropy(functional_logits, targets)
        + soft_cross_entropy(heads[0], targets.repeat_interleave(members, dim=0))
        + settings.gender_weight * known_cross_entropy(heads[1], gender)
        + settings.intensity_weight * known_cross_entropy(heads[2], intensity)
    )
