"""The log-mel front end: what the network hears of a voice, at whatever level it was recorded."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from ser_model.audio import SAMPLE_RATE

N_MELS = 80
HOP = 256  # samples, 16 ms a frame
WINDOW = 512  # samples, 32 ms
LOWEST_HZ, HIGHEST_HZ = 50, 7_800
FLOOR = (
    1e-4  # added to the power of a waveform with unit RMS: 40 dB under it, so that faint noise is not heard
)


def count_frames(samples: Tensor) -> Tensor:
    """Return how many frames LogMel makes of that many samples."""
    return torch.div(samples, HOP, rounding_mode="floor") + 1


class LogMel(nn.Module):
    """Waveform > unit RMS over its own length > mel power > logarithm.

    The level is removed because a microphone's is arbitrary; loud and soft parts of one clip keep their proportion.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mel = MelSpectrogram(
            SAMPLE_RATE,
            n_fft=WINDOW,
            hop_length=HOP,
            f_min=LOWEST_HZ,
            f_max=HIGHEST_HZ,
            n_mels=N_MELS,
            window_fn=torch.hann_window,
            normalized="window",
            pad_mode="constant",  # zeros on both ends, as in a batch
        )

    def forward(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Compute log-mel frames.

        Args:
            waveforms: (batch, time) float32 at SAMPLE_RATE, zeros behind each clip's end.
            lengths: (batch,) samples in each clip.

        Returns:
            (batch, mel, frame) natural logarithms; frames behind count_frames(length) are to be masked.
        """
        power = waveforms.square().sum(dim=1) / lengths.clamp(min=1)  # (batch,)
        level = waveforms / power.clamp(min=1e-12).sqrt().unsqueeze(1)  # (batch, time)
        return torch.log(self.mel(level) + FLOOR)
