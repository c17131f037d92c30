from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from ser_model.functionals import (
    MIN_FRAMES,
    N_FUNCTIONALS,
    PERCENTILES,
    compute_functionals,
    contour_statistics,
    deltas,
    low_level_descriptors,
    modulation_spectrum,
)


@pytest.fixture
def frames() -> Tensor:
    return torch.randn(3, 80, 120, generator=torch.Generator().manual_seed(0)) - 2


def test_padding_changes_nothing(frames: Tensor) -> None:
    counts = torch.tensor([120, 90, 60])
    together = compute_functionals(frames, counts)
    assert together.shape == (3, N_FUNCTIONALS)
    for clip, count, padded in zip(frames, counts, together, strict=True):
        alone = compute_functionals(clip[None, :, :count], count[None])[0]
        assert torch.allclose(alone, padded, atol=1e-3, rtol=1e-3)


def test_moments_and_percentiles_are_those_of_scipy(frames: Tensor) -> None:
    contour = frames[0, :1, :100].numpy()
    statistics, values = contour_statistics(contour), contour[0].astype(np.float64)
    moments = [values.mean(), values.std(), stats.skew(values), stats.kurtosis(values, fisher=False)]
    assert np.allclose(statistics[:4], moments, atol=1e-3)
    assert np.allclose(statistics[6:], np.percentile(values, [100 * share for share in PERCENTILES]), atol=1e-3)


def test_the_slope_of_a_ramp_is_found() -> None:
    ramp = np.linspace(-1, 1, 50, dtype=np.float32)[np.newaxis]
    slope, curvature = contour_statistics(ramp)[4:6]
    assert slope == pytest.approx(1, abs=0.05)
    assert curvature == pytest.approx(0, abs=1e-3)
    assert np.allclose(deltas(ramp), 2 / 49, atol=1e-5)


@pytest.mark.parametrize(("rate_hz", "band"), [(2.5, 2), (5.0, 4), (13.0, 7)])
def test_a_rhythm_shows_in_its_modulation_band(rate_hz: float, band: int) -> None:
    frames = np.tile(np.sin(2 * np.pi * rate_hz * np.arange(200) * 0.016).astype(np.float32), (80, 1))
    assert int(modulation_spectrum(frames).reshape(10, -1)[0].argmax()) == band


def test_centroid_and_spread_are_mean_and_deviation_of_the_spectrum(frames: Tensor) -> None:
    contours, power = low_level_descriptors(frames[0].numpy()), frames[0].exp().double().numpy()
    for frame in (0, 50, 119):
        spectrum = stats.rv_discrete(values=(np.arange(80), power[:, frame] / power[:, frame].sum()))
        assert np.allclose(contours[31:33, frame], [spectrum.mean(), spectrum.std()], rtol=1e-4)


@pytest.mark.parametrize("count", [1, 3, MIN_FRAMES])
def test_the_shortest_clips_have_functionals(count: int) -> None:
    assert compute_functionals(torch.zeros(1, 80, count), torch.tensor([count])).isfinite().all()
