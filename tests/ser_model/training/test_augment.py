from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from voice import speak

from ser_model.frontend import POWER_FLOOR, LogMel
from ser_model.training.augment import (
    AugmentConfig,
    NoiseConfig,
    SpecAugment,
    add_noise,
    add_room,
    augment,
    center_frequencies,
    crop_speech,
    equalize,
    mean_power,
    telephone_band,
    warp,
)
from ser_model.training.clips import OFFSETS, ClipPower, compute_power

VOICE, SPAN = speak("aeiou"), (4096, 28_672)
OFF = AugmentConfig(shift_frames=0, warp_p=0, equalizer_p=0, room_p=0, line_p=0, noise=NoiseConfig(probability=0))
FULL = torch.full((4,), 60)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def bank() -> Tensor:
    return LogMel().mel.mel_scale.fb


@pytest.fixture
def power(generator: torch.Generator) -> Tensor:
    return torch.rand(4, 80, 60, generator=generator) + 0.1


@pytest.fixture
def clip_power() -> ClipPower:
    return compute_power(VOICE, np.zeros_like(VOICE), SPAN)


def test_everything_on_keeps_the_level_and_the_padding(power: Tensor, bank: Tensor, generator: torch.Generator) -> None:
    config = AugmentConfig(warp_p=1, equalizer_p=1, room_p=1, line_p=1, noise=NoiseConfig(probability=1))
    num_frames = torch.tensor([60, 50, 40, 30])
    frames, after = augment(power, num_frames, bank, config, generator)
    assert frames.isfinite().all()
    assert frames.shape[2] == after.max()
    for clip, size, before, old in zip(frames, after, power, num_frames, strict=True):
        assert 0.8 * old < size < 1.25 * old
        assert torch.allclose(clip[:, size:], torch.tensor(POWER_FLOOR).log(), atol=1e-3)
        level = (clip[:, :size].exp() - POWER_FLOOR).sum() / size
        assert 0.7 < level / (before[:, :old].sum() / old) < 1.4


def test_speed_changes_pitch_and_length_together(generator: torch.Generator) -> None:
    power = torch.full((40, 80, 60), 1e-6)
    power[:, 40] = 1.0
    config = replace(OFF, warp_p=1, speed=0.2, tempo=0, pitch=0)
    warped, num_frames = warp(power, torch.full((40,), 60), config, generator)
    bands = torch.stack([clip[:, :10].sum(dim=1).argmax() for clip in warped])
    assert ((bands > 40) == (num_frames < 60))[bands != 40].all()
    assert num_frames.min() < 55
    assert num_frames.max() > 65


def test_another_microphone_is_a_smooth_gain_for_each_clip(power: Tensor, generator: torch.Generator) -> None:
    gain = (equalize(power, replace(OFF, equalizer_p=1), generator) / power).log()  # (clip, mel, frame)
    assert torch.allclose(gain, gain[:, :, :1].expand_as(gain), atol=1e-4)
    assert 0.4 < gain.std() < 1.2
    assert gain.diff(dim=1).abs().max() < 0.3
    assert not torch.allclose(gain[0], gain[1], atol=0.1)
    assert torch.equal(equalize(power, OFF, generator), power)


def test_a_room_adds_a_decaying_tail(generator: torch.Generator) -> None:
    power = torch.zeros(4, 80, 60)
    power[:, :, 10] = 1.0
    room = add_room(power, replace(OFF, room_p=1), generator)
    assert torch.equal(room[:, :, :10], power[:, :, :10])
    assert torch.allclose(room[:, :, 10], power[:, :, 10])
    tail = room[:, 0, 11:34]
    assert (tail > 0).all()
    assert (tail.diff(dim=1) < 0).all()


def test_a_telephone_passes_the_middle_only(power: Tensor, bank: Tensor, generator: torch.Generator) -> None:
    centers_hz = center_frequencies(bank)
    gain = telephone_band(power, centers_hz, replace(OFF, line_p=1), generator) / power
    middle = (centers_hz > 500) & (centers_hz < 2_500)
    assert torch.allclose(gain[:, middle], torch.ones(()), atol=1e-4)
    assert gain[:, -1].max() < 1e-2
    assert gain[:, 0].max() < 1.0


@pytest.mark.parametrize("kind", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], ids=["colored", "hum", "babble"])
def test_noise_has_the_given_ratio(
    power: Tensor, bank: Tensor, generator: torch.Generator, kind: tuple[float, float]
) -> None:
    config = NoiseConfig(probability=1, snr_db=(10, 10), hum_p=kind[0], babble_p=kind[1])
    added = mean_power(add_noise(power, FULL, bank, config, generator), FULL) - mean_power(power, FULL)
    assert torch.allclose(added / mean_power(power, FULL), torch.tensor(0.1), atol=0.03)


def test_the_power_is_that_of_the_frontend(clip_power: ClipPower) -> None:
    speech = VOICE[slice(*SPAN)]
    frames = LogMel()(torch.from_numpy(speech)[None], torch.tensor([speech.size]))[0]
    first, last = clip_power.spans[0]
    inner = (torch.from_numpy(clip_power.powers[0][:, first:last]).float() + POWER_FLOOR).log()[:, 2:-2]
    assert torch.allclose(inner, frames[:, 2 : 2 + inner.shape[1]], atol=0.02)


def test_crops_stay_within_the_shift(clip_power: ClipPower, generator: torch.Generator) -> None:
    first, last = clip_power.spans[0]
    _, num_frames = crop_speech([clip_power] * 50, 3, generator)
    assert len(OFFSETS) + 1 == len(clip_power.powers)
    assert num_frames.min() >= last - first - 7
    assert num_frames.max() <= last - first + 7
    assert len(set(num_frames.tolist())) > 5


def test_an_opus_copy_is_drawn_one_time_in_three(clip_power: ClipPower, generator: torch.Generator) -> None:
    assert clip_power.spans[-1] == clip_power.spans[0]
    batch, _ = crop_speech([clip_power] * 600, 0, generator)
    assert 1 / 4 < (batch.sum(dim=(1, 2)) == 0).float().mean() < 5 / 12


def test_spec_augment_masks_bands_and_frames_of_each_clip_in_training_only() -> None:
    torch.manual_seed(0)
    frames = torch.ones(8, 80, 200)
    masked = SpecAugment()(frames)
    assert torch.equal(SpecAugment().eval()(frames), frames)
    bands, times = (masked == 0).all(dim=2), (masked == 0).all(dim=1)  # (clip, band), (clip, frame)
    assert bands.sum(dim=1).max() <= 10
    assert times.sum(dim=1).max() <= 10
    assert len({tuple(clip) for clip in bands.tolist()}) > 1
    assert bool((masked == 0).any())
