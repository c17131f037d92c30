from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from voice import speak

from ser_model.features import FLOOR, LogMel
from ser_model.training.clips import Clip
from ser_model.training.power import OFFSETS, ClipPower, cut_spans, measure_power


@pytest.fixture
def clip() -> Clip:
    return Clip("voice", speak("aeiou").astype(np.float32), (4096, 28_672), 0, 0, 0, 1, False)


@pytest.fixture
def power(clip: Clip) -> ClipPower:
    return measure_power(clip, LogMel())


def test_it_is_what_the_front_end_hears(clip: Clip, power: ClipPower) -> None:
    heard = LogMel()(torch.from_numpy(clip.speech)[None], torch.tensor([clip.speech.size]))[0]
    first, last = power.spans[0]
    inner = (power.powers[0][:, first:last].float() + FLOOR).log()[:, 2:-2]
    assert torch.allclose(inner, heard[:, 2 : 2 + inner.shape[1]], atol=0.02)


def test_cuts_stay_in_reach(power: ClipPower) -> None:
    first, last = power.spans[0]
    _, counts = cut_spans([power] * 50, 3, torch.Generator().manual_seed(0))
    assert len(OFFSETS) == len(power.powers)
    assert counts.min() >= last - first - 7
    assert counts.max() <= last - first + 7
    assert len(set(counts.tolist())) > 5


def test_a_coded_copy_is_heard_one_time_in_three(clip: Clip) -> None:
    coded = measure_power(replace(clip, coded=np.zeros_like(clip.waveform)), LogMel())
    assert len(coded.powers) == len(OFFSETS) + 1
    assert coded.spans[-1] == coded.spans[0]
    batch, _ = cut_spans([coded] * 600, 0, torch.Generator().manual_seed(0))
    assert 1 / 4 < (batch.sum(dim=(1, 2)) == 0).float().mean() < 5 / 12


def test_a_span_turned_inside_out_still_gives_sound(power: ClipPower) -> None:
    batch, counts = cut_spans(
        [ClipPower(power.powers, ((40, 41), (40, 41)))] * 50, 40, torch.Generator().manual_seed(0)
    )
    assert counts.min() > 0
    assert batch.sum(dim=(1, 2)).min() > 0
