from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from ser_model.functionals import (
    FEWEST_FRAMES,
    MODULATION_FRAMES,
    N_FUNCTIONALS,
    PERCENTILES,
    describe_tracks,
    make_tracks,
    measure_deltas,
    measure_functionals,
    measure_modulation,
)


@pytest.fixture
def frames() -> Tensor:
    return torch.randn(3, 80, 120, generator=torch.Generator().manual_seed(0)) - 2


def test_padding_changes_nothing(frames: Tensor) -> None:
    counts = torch.tensor([120, 90, 60])
    together = measure_functionals(frames, counts)
    assert together.shape == (3, N_FUNCTIONALS)
    for clip, count, described in zip(frames, counts, together, strict=True):
        alone = measure_functionals(clip[None, :, :count], count[None])[0]
        assert torch.allclose(alone, described, atol=1e-3, rtol=1e-3)


def test_moments_and_percentiles_are_those_of_scipy(frames: Tensor) -> None:
    track = frames[0, :1, :100].numpy()
    described = describe_tracks(track)
    values = track[0].astype(np.float64)
    expected = [values.mean(), values.std(), stats.skew(values), stats.kurtosis(values, fisher=False)]
    assert np.allclose(described[:4], expected, atol=1e-3)
    assert np.allclose(described[6:], np.percentile(values, [100 * share for share in PERCENTILES]), atol=1e-3)


def test_the_slope_of_a_ramp_is_found() -> None:
    ramp = np.linspace(-1, 1, 50, dtype=np.float32)[np.newaxis]
    slope, curvature = describe_tracks(ramp)[4:6]
    assert abs(slope - 1) < 0.05
    assert abs(curvature) < 1e-3
    assert np.allclose(measure_deltas(ramp), 2 / 49, atol=1e-5)


def test_the_rhythm_shows_in_its_own_band() -> None:
    time_s = np.arange(200) * 0.016
    for rate_hz, band in ((2.5, 2), (5.0, 4), (13.0, 7)):
        frames = np.tile(np.sin(2 * np.pi * rate_hz * time_s).astype(np.float32), (80, 1))
        modulation = measure_modulation(frames).reshape(10, -1)
        assert int(modulation[0].argmax()) == band


def test_the_level_is_one_track_and_the_centroid_another(frames: Tensor) -> None:
    soft, loud = make_tracks(frames[0].numpy()), make_tracks(frames[0].numpy() + 1)
    assert np.allclose(loud[30] - soft[30], 1, atol=1e-4)
    assert np.allclose(loud[31:], soft[31:], atol=1e-3)


def test_centroid_and_spread_are_those_of_a_distribution(frames: Tensor) -> None:
    tracks, power = make_tracks(frames[0].numpy()), frames[0].exp().double().numpy()
    for frame in (0, 50, 119):
        shares = stats.rv_discrete(values=(np.arange(80), power[:, frame] / power[:, frame].sum()))
        assert np.allclose(tracks[31:33, frame], [shares.mean(), shares.std()], rtol=1e-4)


@pytest.mark.parametrize("count", [1, 3, FEWEST_FRAMES])
def test_the_shortest_clip_has_figures_too(count: int) -> None:
    assert measure_functionals(torch.zeros(1, 80, count), torch.tensor([count])).isfinite().all()


def test_of_a_long_sound_the_first_eight_seconds_are_modulation() -> None:
    frames = np.random.default_rng(0).normal(size=(80, 700)).astype(np.float32)
    assert np.array_equal(measure_modulation(frames), measure_modulation(frames[:, :MODULATION_FRAMES]))
