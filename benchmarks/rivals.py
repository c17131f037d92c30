"""What the compact network is timed against: librosa's features, the original network, a large encoder."""

from __future__ import annotations

import itertools
from typing import Any

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import Wav2Vec2Config, Wav2Vec2Model

from ser_model.labels import EMOTIONS, GENDERS
from ser_model.wav2vec2 import Encoder

Waveform = NDArray[np.float32]


def stack_features(waveform: Waveform, rate_hz: int) -> list[NDArray[Any]]:
    """Compute what recipes of this kind take from librosa, each by its own call with its defaults.

    Returns:
        20 MFCCs, 12 chroma bands, 128 mel bands, zero-crossing rate and energy, each (row, frame): 162 rows.
    """
    return [
        librosa.feature.mfcc(y=waveform, sr=rate_hz),
        librosa.feature.chroma_stft(y=waveform, sr=rate_hz),
        librosa.feature.melspectrogram(y=waveform, sr=rate_hz),
        librosa.feature.zero_crossing_rate(waveform),
        librosa.feature.rms(y=waveform),
    ]


class OriginalNetwork(nn.Module):
    """Conv1d 2048 > 1024 > 512 > LSTM 256 > LSTM 128 > 16 classes: the network that this project grew from.

    It hears a clip as its averaged descriptors in a row. Kernels of five give its 14.1 million parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 2048, 1024, 512)
        layers = [
            nn.Sequential(nn.Conv1d(wide_in, wide_out, 5, padding=2), nn.ReLU())
            for wide_in, wide_out in itertools.pairwise(widths)
        ]
        self.convolutions = nn.Sequential(*layers)
        self.first = nn.LSTM(widths[-1], 256, batch_first=True)
        self.second = nn.LSTM(256, 128, batch_first=True)
        self.output = nn.Linear(128, len(EMOTIONS) * len(GENDERS))

    def forward(self, descriptors: Tensor) -> Tensor:
        """Score (batch, descriptor) averages; (batch, 16) logits."""
        frames = self.convolutions(descriptors.unsqueeze(1)).transpose(1, 2)  # (batch, descriptor, channel)
        return torch.as_tensor(self.output(self.second(self.first(frames)[0])[0][:, -1]))


def make_encoder() -> Encoder:
    """Return an encoder of wav2vec2-base's size; its weights are random, which serves for timing."""
    return Encoder(Wav2Vec2Model(Wav2Vec2Config()), "wav2vec2-base-sized", "random", normalise=True)


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers training sets."""
    return sum(parameter.numel() for parameter in network.parameters())
