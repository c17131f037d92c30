from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ser_model.features import FLOOR, LogMel
from ser_model.training.augment import AugmentConfig, add_room, find_centres, narrow_line, vary_power, warp_power
from ser_model.training.noise import NoiseConfig, add_noise, measure_level

SILENT = NoiseConfig(probability=0)
STILL = AugmentConfig(shift_frames=0, warp_p=0, room_p=0, line_p=0, noise=SILENT)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def bank() -> Tensor:
    return LogMel().mel.mel_scale.fb


@pytest.fixture
def power(generator: torch.Generator) -> Tensor:
    return torch.rand(4, 80, 60, generator=generator) + 0.1


FULL = torch.full((4,), 60)


def test_with_everything_off_the_logarithm_comes_back(power: Tensor, bank: Tensor, generator: torch.Generator) -> None:
    frames, counts = vary_power(power, FULL, bank, STILL, generator)
    assert torch.allclose(frames, (power + FLOOR).log(), atol=1e-3)
    assert torch.equal(counts, FULL)


def test_everything_on_keeps_the_level_and_the_padding(power: Tensor, bank: Tensor, generator: torch.Generator) -> None:
    config = AugmentConfig(warp_p=1, room_p=1, line_p=1, noise=NoiseConfig(probability=1))
    counts = torch.tensor([60, 50, 40, 30])
    frames, after = vary_power(power, counts, bank, config, generator)
    assert frames.isfinite().all()
    assert frames.shape[2] == after.max()
    for clip, size, before, old in zip(frames, after, power, counts, strict=True):
        assert 0.8 * old < size < 1.25 * old
        assert torch.allclose(clip[:, size:], torch.tensor(FLOOR).log(), atol=1e-3)
        level = (clip[:, :size].exp() - FLOOR).sum() / size
        assert 0.7 < level / (before[:, :old].sum() / old) < 1.4


def test_speed_moves_pitch_and_length_together(generator: torch.Generator) -> None:
    power = torch.full((40, 80, 60), 1e-6)
    power[:, 40] = 1.0
    config = replace(STILL, warp_p=1, speed=0.2, tempo=0, pitch=0)
    warped, counts = warp_power(power, torch.full((40,), 60), config, generator)
    bands = torch.stack([clip[:, :10].sum(dim=1).argmax() for clip in warped])
    assert ((bands > 40) == (counts < 60))[bands != 40].all()
    assert counts.min() < 55
    assert counts.max() > 65


def test_a_room_rings_on(generator: torch.Generator) -> None:
    power = torch.zeros(4, 80, 60)
    power[:, :, 10] = 1.0
    ringing = add_room(power, replace(STILL, room_p=1), generator)
    assert torch.equal(ringing[:, :, :10], power[:, :, :10])
    assert torch.allclose(ringing[:, :, 10], power[:, :, 10])
    tail = ringing[:, 0, 11:34]
    assert (tail > 0).all()
    assert (tail.diff(dim=1) < 0).all()


def test_a_line_passes_the_middle_alone(power: Tensor, bank: Tensor, generator: torch.Generator) -> None:
    centres_hz = find_centres(bank)
    gain = narrow_line(power, centres_hz, replace(STILL, line_p=1), generator) / power
    middle = (centres_hz > 500) & (centres_hz < 2_500)
    assert torch.allclose(gain[:, middle], torch.ones(()), atol=1e-4)
    assert gain[:, -1].max() < 1e-2
    assert gain[:, 0].max() < 1.0


@pytest.mark.parametrize("kind", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], ids=["hiss", "hum", "babble"])
def test_noise_has_the_asked_level(
    power: Tensor, bank: Tensor, generator: torch.Generator, kind: tuple[float, float]
) -> None:
    config = NoiseConfig(probability=1, snr_db=(10, 10), hum_p=kind[0], babble_p=kind[1])
    added = measure_level(add_noise(power, FULL, bank, config, generator), FULL) - measure_level(power, FULL)
    assert torch.allclose(added / measure_level(power, FULL), torch.tensor(0.1), atol=0.03)
