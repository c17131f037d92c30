"""The recipe this project grew from: descriptors of clips and of their changed copies, scaled, through a 1-D CNN.

One output layer predicts emotion, gender and intensity, each one-hot in training. The scaler is fitted to the training
rows only.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
import pywt
import torch
from datasets import Dataset, List, Value
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from ser_model.audio import Waveform
from ser_model.frontend import HOP, SAMPLE_RATE
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES
from ser_model.training.clips import Clip, cached_map, list_speech
from ser_model.training.ensemble import FoldLogits
from ser_model.training.fit import ClipLogits
from ser_model.training.folds import COPIES, Fold, copy_clips

SIZES = (len(EMOTIONS), len(GENDERS), len(INTENSITIES))  # classes of each label, side by side in the output
DWT_BANDS = 6

Descriptors = dict[str, NDArray[np.float64]]  # (descriptor,) by file name


@dataclass(frozen=True)
class ClassicSettings:
    """The sizes of the network and how it is trained: common values, none of them tuned."""

    epochs: int = 30
    batch: int = 128  # rows
    learning_rate: float = 2e-3  # maximum of the one-cycle schedule
    weight_decay: float = 1e-2
    channels: tuple[int, int, int] = (32, 64, 128)
    kernel: int = 7
    stride: int = 3
    dropout: float = 0.3


class ClassicCnn(nn.Sequential):
    """Three convolutions along the descriptors and one output layer: (batch, 1, descriptor) -> (batch, class)."""

    def __init__(self, num_descriptors: int, settings: ClassicSettings) -> None:
        layers: list[nn.Module] = []
        before = 1
        for channels in settings.channels:
            conv = nn.Conv1d(before, channels, settings.kernel, settings.stride, settings.kernel // 2)
            layers += [conv, nn.BatchNorm1d(channels), nn.ReLU()]
            before, num_descriptors = channels, -(-num_descriptors // settings.stride)
        output = nn.Linear(before * num_descriptors, sum(SIZES))
        super().__init__(*layers, nn.Flatten(), nn.Dropout(settings.dropout), output)


class ClassicModel:
    """Scaler, one-hot labels and network."""

    def __init__(self, descriptors: Descriptors, settings: ClassicSettings) -> None:
        self._descriptors, self._settings = descriptors, settings
        self._scaler = StandardScaler()
        self._network: ClassicCnn

    def fit(self, clips: list[Clip], seed: int) -> ClassicModel:
        """Train on clips and copies; the seed decides the initial weights and the order."""
        torch.manual_seed(seed)
        settings, rng = self._settings, np.random.default_rng(seed)
        rows = _to_tensor(self._scaler.fit_transform(self._gather(clips)))  # (row, 1, descriptor)
        labels = torch.tensor([[clip.emotion, clip.gender, clip.intensity] for clip in clips])  # (row, label)
        target = torch.cat([F.one_hot(own, size).float() for own, size in zip(labels.T, SIZES, strict=True)], dim=1)
        self._network = ClassicCnn(rows.shape[2], settings).train()
        optimizer = torch.optim.AdamW(self._network.parameters(), weight_decay=settings.weight_decay)
        steps = settings.epochs * -(-len(clips) // settings.batch)
        schedule = OneCycleLR(optimizer, settings.learning_rate, total_steps=steps)
        for _ in range(settings.epochs):
            for batch in torch.from_numpy(rng.permutation(len(clips))).split(settings.batch):
                logits = self._network(rows[batch]).split(SIZES, dim=1)
                pairs = zip(logits, target[batch].split(SIZES, dim=1), strict=True)
                loss = torch.stack([F.cross_entropy(own, one_hot) for own, one_hot in pairs]).sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        self._network.eval()
        return self

    def predict(self, clips: list[Clip]) -> ClipLogits:
        """Return the logits for clips, in the order given."""
        with torch.inference_mode():
            logits = self._network(_to_tensor(self._scaler.transform(self._gather(clips)))).double()
        return ClipLogits(*(part.numpy() for part in logits.split(SIZES, dim=1)))

    def _gather(self, clips: list[Clip]) -> NDArray[np.float64]:
        return np.stack([self._descriptors[clip.file] for clip in clips])  # (clip, descriptor)


def train_classic(
    folds: list[Fold], seeds: int, table: Dataset, settings: ClassicSettings, with_copies: bool
) -> list[FoldLogits]:
    """Train the recipe on the speech of each fold and its copies.

    Args:
        folds: Of clips.
        seeds: How many, from 0 on.
        table: Of the corpus, from prepare.
        settings: How to train.
        with_copies: Whether the folds already contain the copies.
    """
    torch.set_num_threads(1)  # a network this small gains nothing from a second one
    descriptors = describe_clips(table)
    found = []
    for seed in range(seeds):
        for fold in folds:
            clips = fold.train if with_copies else copy_clips(list_speech(fold.train))
            model = ClassicModel(descriptors, settings).fit(clips, seed)
            found.append(FoldLogits(fold, seed, model.predict(fold.test)))
    return found


def describe_clips(table: Dataset) -> Descriptors:
    """Compute the descriptors of every speech clip and of its copies, or read them from the cache."""
    speech = table.select([row for row, is_song in enumerate(table["is_song"]) if not is_song])
    columns = {"descriptors": List(List(Value("float64")))}
    speech, audio = speech.select_columns(["file", "waveform", "span"]), ["waveform", "span"]
    described = cached_map(speech, _describe_with_copies, columns, "Computing descriptors", drop=audio)
    rows = described.with_format("numpy")
    names = ("", *(f"~{copy}" for copy in COPIES))
    return {
        f"{row['file']}{name}": np.asarray(values)
        for row in rows
        for name, values in zip(names, row["descriptors"], strict=True)
    }


def change_sound(file: str, speech: Waveform) -> list[Waveform]:
    """Return the changed copies of a clip, in the order of COPIES; chance depends on its name only."""
    rng = np.random.default_rng(zlib.crc32(file.encode()))
    return [np.asarray(change(speech, rng), np.float32) for change in CHANGES.values()]


def classic_descriptors(speech: Waveform) -> NDArray[np.float64]:
    """Compute the classic descriptors of a clip.

    Means over time, then standard deviations, of 20 MFCCs, 12 chroma bands, 64 mel bands (dB), zero-crossing rate,
    energy (dB) and pitch (YIN, 60 to 600 Hz, log2). Then the mean size, standard deviation and energy (dB) of each of
    the DWT_BANDS bands of the discrete wavelet transform (Daubechies 4).

    Args:
        speech: (time,) at SAMPLE_RATE.

    Returns:
        (216,)
    """
    power = np.abs(librosa.stft(speech, n_fft=1024, hop_length=HOP)) ** 2  # (bin, frame)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=64), top_db=None)
    tracks = [
        librosa.feature.mfcc(S=mel, n_mfcc=20),
        librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE, tuning=0.0),
        mel,
        librosa.feature.zero_crossing_rate(speech, hop_length=HOP),
        librosa.power_to_db(librosa.feature.rms(y=speech, hop_length=HOP) ** 2, top_db=None),
        np.log2(librosa.yin(speech, fmin=60, fmax=600, sr=SAMPLE_RATE, hop_length=HOP))[np.newaxis],
    ]
    bands = pywt.wavedec(speech.astype(np.float64), "db4", level=DWT_BANDS - 1)
    wavelets = [np.abs(band).mean() for band in bands] + [band.std() for band in bands]
    wavelets += [10 * np.log10(np.mean(band**2) + 1e-10) for band in bands]
    moments = [moment(track, axis=1) for moment in (np.mean, np.std) for track in tracks]
    return np.concatenate([*moments, wavelets])


def _add_noise(speech: Waveform, rng: np.random.Generator) -> np.ndarray:
    """White noise 10 to 30 dB below the voice."""
    level = np.sqrt(np.mean(speech**2)) * 10 ** (-rng.uniform(10, 30) / 20)
    return np.asarray(speech + level * rng.standard_normal(speech.size))


# time shift by 10 to 50 % of the clip; pitch by up to two semitones; speed by up to a fifth
CHANGES: dict[str, Callable[[Waveform, np.random.Generator], np.ndarray]] = {
    "noise": _add_noise,
    "shift": lambda speech, rng: np.roll(speech, round(speech.size * rng.uniform(0.1, 0.5))),
    "pitch": lambda speech, rng: librosa.effects.pitch_shift(speech, sr=SAMPLE_RATE, n_steps=rng.uniform(-2, 2)),
    "speed": lambda speech, rng: librosa.effects.time_stretch(speech, rate=rng.uniform(0.8, 1.2)),
}


def _describe_with_copies(row: dict[str, Any]) -> dict[str, Any]:
    speech = np.asarray(row["waveform"], np.float32)[slice(*row["span"])]
    return {"descriptors": [classic_descriptors(sound) for sound in (speech, *change_sound(row["file"], speech))]}


def _to_tensor(matrix: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(matrix).float().unsqueeze(1)  # (row, 1, descriptor)
