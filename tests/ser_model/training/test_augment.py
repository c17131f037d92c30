from __future__ import annotations

import numpy as np
import torch
from voice import RATE_HZ, speak

from ser_model.training.augment import AugmentConfig, augment_waveform, mask_frames, warp_frames

NOTHING = AugmentConfig(shift_s=0, speed_p=0, noise_p=0, warp_p=0, mel_masks=0, time_masks=0)


def test_with_everything_off_the_span_comes_back(rng: np.random.Generator) -> None:
    voice = speak()
    assert np.array_equal(augment_waveform(voice, (5000, 20_000), NOTHING, rng), voice[5000:20_000])
    frames = torch.randn(3, 80, 50)
    generator = torch.Generator().manual_seed(0)
    assert torch.allclose(warp_frames(frames, NOTHING, generator), frames, atol=1e-4)
    assert torch.equal(mask_frames(frames, NOTHING, rng), frames)


def test_noise_has_the_asked_level(rng: np.random.Generator) -> None:
    voice = speak()
    config = AugmentConfig(shift_s=0, speed_p=0, noise_p=1, noise_snr_db=(20, 20))
    noise = augment_waveform(voice, (0, voice.size), config, rng) - voice
    assert abs(10 * np.log10(np.mean(voice**2) / np.mean(noise**2)) - 20) < 0.1


def test_shift_and_speed_stay_in_their_range(rng: np.random.Generator) -> None:
    voice, config = speak("aeiou" * 4), AugmentConfig(noise_p=0, speed_p=1)
    sizes = {augment_waveform(voice, (8000, 40_000), config, rng).size for _ in range(50)}
    assert len(sizes) > 20
    assert min(sizes) > 0.88 * (32_000 - 2 * config.shift_s * RATE_HZ)
    assert max(sizes) < 1.13 * (32_000 + 2 * config.shift_s * RATE_HZ)


def test_a_span_turned_inside_out_still_gives_sound(rng: np.random.Generator) -> None:
    config = AugmentConfig(shift_s=1.0)
    assert all(augment_waveform(speak("a"), (2000, 2400), config, rng).size > 0 for _ in range(50))


def test_masks_hide_only_so_much(rng: np.random.Generator) -> None:
    frames = torch.randn(8, 80, 60)
    config = AugmentConfig(mel_masks=1, time_masks=1)
    changed = mask_frames(frames, config, rng) != frames
    assert changed.any()
    assert changed.float().mean(dim=(1, 2)).max() <= 10 / 80 + 10 / 60
    assert not torch.equal(frames, mask_frames(frames, config, rng))


def test_pitch_moves_a_band_up_the_mel_axis() -> None:
    frames = torch.zeros(1, 80, 20)
    frames[0, 40] = 1
    config = AugmentConfig(pitch=0.2, tempo=0, warp_p=1)
    peaks = {
        int(warp_frames(frames, config, torch.Generator().manual_seed(seed)).sum(dim=2).argmax()) for seed in range(20)
    }
    assert min(peaks) < 40 < max(peaks)
    assert min(peaks) >= 30
    assert max(peaks) <= 50
