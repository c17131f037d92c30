"""What is computed from a voice: the log-mel front end of the network, and the classic descriptors beside it."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchaudio.transforms import MelScale, Spectrogram

from ser_model.audio import SAMPLE_RATE, Waveform

N_MELS = 80
HOP = 256  # samples, 16 ms a frame
WINDOW = 512  # samples, 32 ms
HANN_NORM = math.sqrt(0.375 * WINDOW)  # root of a Hann window's summed squares, which its spectrum is divided by
LOWEST_HZ, HIGHEST_HZ = 50, 7_800
DWT_BANDS = 6  # 0-250, 250-500, ... 4000-8000 Hz
FLOOR = 1e-4  # added to the power of a waveform with unit RMS: 40 dB under it, so that faint noise is not heard


def count_frames(samples: Tensor) -> Tensor:
    """Return how many frames LogMel makes of that many samples."""
    return torch.div(samples, HOP, rounding_mode="floor") + 1


def square(spectrum: Tensor) -> Tensor:
    """Return the power of complex numbers, in a quarter of the time of abs() ** 2."""
    return spectrum.real.square() + spectrum.imag.square()


def measure_rms(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Return the (batch,) root mean square of (batch, time) waveforms over their (batch,) first samples."""
    return (waveforms.square().sum(dim=1) / lengths.clamp(min=1)).clamp(min=1e-12).sqrt()


class MelPower(nn.Module):
    """Waveform > power in mel bands: torchaudio's MelSpectrogram, faster by square()."""

    def __init__(self) -> None:
        super().__init__()
        # zeros on both ends, as in a batch
        self.spectrogram = Spectrogram(WINDOW, hop_length=HOP, power=None, pad_mode="constant")
        self.mel_scale = MelScale(N_MELS, SAMPLE_RATE, LOWEST_HZ, HIGHEST_HZ, WINDOW // 2 + 1)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, time) to (batch, mel, frame)."""
        power: Tensor = self.mel_scale.fb.T @ square(
            self.spectrogram(waveforms)
        )  # MelScale's, a band's frames together
        return power


class LogMel(nn.Module):
    """Waveform > unit RMS over its own length > mel power > logarithm.

    The level is removed because a microphone's is arbitrary; loud and soft parts of one clip keep their proportion.
    """

    def __init__(self) -> None:
        super().__init__()
        # transformers builds models on the meta device, where filter banks cannot be computed
        with torch.device("cpu"):
            self.mel = MelPower()

    def forward(self, waveforms: Tensor, lengths: Tensor, background: Tensor | None = None) -> Tensor:
        """Compute log-mel frames.

        Args:
            waveforms: (batch, time) float32 at SAMPLE_RATE, zeros behind each clip's end.
            lengths: (batch,) samples in each clip.
            background: (1, mel) power to take away from every frame, as MelPower gives it.

        Returns:
            (batch, mel, frame) natural logarithms; frames behind count_frames(length) are to be masked.
        """
        level = HANN_NORM * measure_rms(waveforms, lengths).unsqueeze(1)  # (batch, 1)
        power = self.mel(waveforms / level)
        if background is not None:  # spectral subtraction (Boll 1979)
            power = (power - (background / level.square()).unsqueeze(2)).clamp(min=0)
        return torch.log(power + FLOOR)


def describe_voice(waveform: Waveform) -> NDArray[np.float64]:
    """Describe a clip by the classic descriptors, one number after the other.

    Means over time, then standard deviations, of 20 MFCCs, 12 chroma bands, 64 mel bands (dB), zero-crossing rate,
    energy (dB) and pitch (YIN, 60 to 600 Hz, log2); last the DWT_BANDS bands of the discrete wavelet transform
    (Daubechies 4): mean size, standard deviation and energy (dB) of each.

    Args:
        waveform: (time,) the speech span, at SAMPLE_RATE.

    Returns:
        (216,)
    """
    import librosa  # noqa: PLC0415 - 1 s to import, and serving never calls this

    power = np.abs(librosa.stft(waveform, n_fft=1024, hop_length=HOP)) ** 2  # (bin, frame)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=64), top_db=None)
    tracks = [
        librosa.feature.mfcc(S=mel, n_mfcc=20),
        librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE, tuning=0.0),
        mel,
        librosa.feature.zero_crossing_rate(waveform, hop_length=HOP),
        librosa.power_to_db(librosa.feature.rms(y=waveform, hop_length=HOP) ** 2, top_db=None),
        np.log2(librosa.yin(waveform, fmin=60, fmax=600, sr=SAMPLE_RATE, hop_length=HOP))[np.newaxis],
    ]
    means, deviations = ([measure(track, axis=1) for track in tracks] for measure in (np.mean, np.std))
    return np.concatenate([*means, *deviations, _describe_wavelets(waveform)])


def _describe_wavelets(waveform: Waveform) -> NDArray[np.float64]:
    import pywt  # noqa: PLC0415 - serving never calls this

    bands = pywt.wavedec(waveform.astype(np.float64), "db4", level=DWT_BANDS - 1)
    energies_db = [10 * np.log10(np.mean(band**2) + 1e-10) for band in bands]
    return np.array([*(np.abs(band).mean() for band in bands), *(band.std() for band in bands), *energies_db])
