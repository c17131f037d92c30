"""Log-mel frames of a waveform, and the noise floor behind a voice, which is subtracted from them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torchaudio.transforms import MelScale, Spectrogram

SAMPLE_RATE = 16_000  # Hz
N_MELS = 80
HOP = 256  # samples, 16 ms a frame
WINDOW = 512  # samples, 32 ms
HANN_NORM = math.sqrt(0.375 * WINDOW)  # root of the summed squares of a Hann window
F_MIN_HZ, F_MAX_HZ = 50, 7_800
POWER_FLOOR = 1e-4  # added to the mel power of a waveform with unit RMS: 40 dB below it, so faint noise is masked

NOISE_CONTEXT_S = 4.0  # on each side of the speech
MIN_NOISE_FRAMES = 19  # 0.3 s: fewer are too few for an estimate
NOISE_QUANTILE = 0.1  # of the frames, in each band
DIGITAL_SILENCE = 1e-10  # of the loudest frame's power; quieter frames were muted by a noise gate
SNR_LOW_DB, SNR_HIGH_DB = 22.0, 32.0  # the weight of the functionals rises from 0 to 1 between them; RAVDESS has 55


def num_frames(samples: Tensor) -> Tensor:
    """Return how many frames LogMel makes of so many samples."""
    return torch.div(samples, HOP, rounding_mode="floor") + 1


def squared_magnitude(spectrum: Tensor) -> Tensor:
    """Return |z|^2 of a complex tensor, in a quarter of the time of abs() ** 2."""
    return spectrum.real.square() + spectrum.imag.square()


def rms(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Return the (batch,) root mean square of zero-padded (batch, time) waveforms with (batch,) lengths in samples."""
    return (waveforms.square().sum(dim=1) / lengths.clamp(min=1)).clamp(min=1e-12).sqrt()


class MelPower(nn.Module):
    """Waveform > mel power spectrogram, as torchaudio's MelSpectrogram but faster."""

    def __init__(self) -> None:
        super().__init__()
        # zeros at both ends, as behind a shorter clip in a batch
        self.spectrogram = Spectrogram(WINDOW, hop_length=HOP, power=None, pad_mode="constant")
        self.mel_scale = MelScale(N_MELS, SAMPLE_RATE, F_MIN_HZ, F_MAX_HZ, WINDOW // 2 + 1)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, time) to (batch, mel, frame)."""
        # MelScale's own forward transposes the result, so its filter bank is applied directly
        power: Tensor = self.mel_scale.fb.T @ squared_magnitude(self.spectrogram(waveforms))
        return power


class LogMel(nn.Module):
    """Waveform > unit RMS > mel power > minus the noise floor > logarithm.

    Each clip is scaled to unit RMS because the level of a microphone is arbitrary; the contrast within it stays.
    """

    def __init__(self) -> None:
        super().__init__()
        with torch.device("cpu"):  # transformers builds models on the meta device, which has no values
            self.mel = MelPower()

    def forward(self, waveforms: Tensor, lengths: Tensor, noise_floor: Tensor | None = None) -> Tensor:
        """Map zero-padded (batch, time) waveforms of (batch,) lengths to (batch, mel, frame) natural logarithms.

        The (1, mel) power of estimate_noise_floor is subtracted. Frames from num_frames(length) on are padding.
        """
        scale = HANN_NORM * rms(waveforms, lengths).unsqueeze(1)  # (batch, 1)
        power = self.mel(waveforms / scale)
        if noise_floor is not None:  # spectral subtraction (Boll 1979)
            power = (power - (noise_floor / scale.square()).unsqueeze(2)).clamp(min=0)
        return torch.log(power + POWER_FLOOR)


def estimate_noise_floor(mel: MelPower, pieces: Sequence[Tensor]) -> Tensor | None:
    """Return the (1, mel) power of stationary noise, given (time,) pieces without speech and the network's mel.

    It is the NOISE_QUANTILE of each band; None if the pieces are too short or silent.
    """
    power = [mel(piece.unsqueeze(0))[0].cpu().numpy() for piece in pieces if piece.numel() >= HOP]  # (mel, frame)
    frames = np.concatenate([np.zeros((N_MELS, 0), np.float32), *power], axis=1)
    frame_power = frames.sum(axis=0)
    frames = frames[:, frame_power > DIGITAL_SILENCE * frame_power.max(initial=0.0)]
    if frames.shape[1] < MIN_NOISE_FRAMES:
        return None
    rank = int(NOISE_QUANTILE * (frames.shape[1] - 1))
    return torch.from_numpy(np.partition(frames, rank, axis=1)[:, rank]).unsqueeze(0)  # ten times as fast as torch's


def functionals_weight(noise_floor: Tensor, rms: Tensor) -> Tensor:
    """Return the weight of the functionals at this signal-to-noise ratio, (batch,) from 0 to 1.

    Functionals describe pauses as well as words, so noise hurts them more than the convolutions. On validation
    actors in white noise at 20 dB the unweighted product of both lost 11 points of UAR, the weighted one 4.
    """
    ratio = noise_floor.sum(dim=1) / (WINDOW / 2 * (HANN_NORM * rms).square())  # noise power over signal power
    snr_db = -10 * ratio.clamp(min=1e-12).log10()
    return ((snr_db - SNR_LOW_DB) / (SNR_HIGH_DB - SNR_LOW_DB)).clamp(0, 1)
