"""The towers in 8-bit integers hear what the towers hear."""

from __future__ import annotations

import pytest
import torch

from ser_model import int8
from ser_model.cnn import CnnConfig, EmotionCnn, join_networks, load_network
from ser_model.int8 import Int8Towers, has_fast_int8, hasten
from ser_model.recognize import WEIGHTS

integers = pytest.mark.skipif(not has_fast_int8(), reason="this processor serves float32")
FRAMES = 2 * torch.randn(3, 80, 150, generator=torch.Generator().manual_seed(0)) - 4


@pytest.fixture
def network() -> EmotionCnn:
    """Two towers with weights that a training could have left."""
    torch.manual_seed(0)
    trained = EmotionCnn(CnnConfig(channels=(16, 24, 24)))
    for _ in range(20):
        trained.score_frames(2 * torch.randn(8, 80, 100) - 4)
    return join_networks([trained.eval(), trained])


@integers
def test_integers_hear_what_the_shipped_towers_hear() -> None:
    towers = load_network(WEIGHTS).requires_grad_(False).towers
    for one, other in zip(towers(FRAMES, None), Int8Towers(towers)(FRAMES), strict=True):
        assert torch.allclose(one, other, atol=0.05 * one.std().item())


@integers
def test_a_clip_is_heard_the_same_alone_and_beside_others(network: EmotionCnn) -> None:
    towers = Int8Towers(network.towers)
    together = towers(FRAMES)
    for place in range(3):
        alone = towers(FRAMES[place : place + 1])
        assert all(torch.allclose(one[place], own[0], atol=1e-5) for one, own in zip(together, alone, strict=True))


@integers
def test_what_is_far_out_of_reach_is_cut_off_and_stays_finite(network: EmotionCnn) -> None:
    assert all(head.isfinite().all() for head in Int8Towers(network.towers)(1e6 * FRAMES))


@integers
def test_a_channel_that_died_in_training_stays_dead(network: EmotionCnn) -> None:
    network.towers.blocks[0].conv.weight.data[3] = 0
    for one, other in zip(network.towers(FRAMES, None), Int8Towers(network.towers)(FRAMES), strict=True):
        assert torch.allclose(one, other, atol=0.2 * one.std().item())


@integers
def test_a_block_that_died_in_training_is_heard_without_an_error(network: EmotionCnn) -> None:
    norm = network.towers.blocks[1].norm
    norm.weight.data.zero_()
    norm.bias.data.fill_(-1)
    assert all(head.isfinite().all() for head in Int8Towers(network.towers)(FRAMES))


@integers
def test_a_hastened_network_answers_the_same_and_keeps_its_count(network: EmotionCnn) -> None:
    before, size = network.score_frames(FRAMES), network.count_parameters()
    after = hasten(network).score_frames(FRAMES)
    assert torch.allclose(after.emotion, before.emotion, atol=0.1)
    assert torch.equal(after.emotion.argmax(dim=1), before.emotion.argmax(dim=1))
    assert network.count_parameters() == size
    assert hasten(network) is network


def test_lengths_of_their_own_are_refused_in_a_sentence(network: EmotionCnn) -> None:
    with pytest.raises(ValueError, match="leave the lengths out"):
        Int8Towers(network.towers)(FRAMES, torch.tensor([150, 90, 60]))


def test_a_processor_without_the_instructions_keeps_the_towers(
    network: EmotionCnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "has_fast_int8", lambda: False)
    towers = network.towers
    assert hasten(network).towers is towers


def test_the_processor_is_asked_for_its_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    for capabilities, fast in (({}, False), ({"avx_vnni": True}, False), ({"avx512_vnni": True}, True)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=capabilities: found)
        assert has_fast_int8() is fast
