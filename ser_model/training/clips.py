"""Clips ready for training: decoded, their speech span found once and kept by the datasets cache."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset, Features, List, Value
from torch import Tensor

from ser_model import audio, speech
from ser_model.audio import SAMPLE_RATE, AudioError, Waveform, load_audio
from ser_model.speech import SpeechDetector, SpeechSpan
from ser_model.training import formats
from ser_model.training.formats import Codec

BATCH = 150  # clips that one process takes at a time
CODED_BIT_RATES = (16_000, 24_000, 32_000)  # of Opus: from what a browser hardly goes below to what many record at
SURROUNDINGS_S = 0.25  # kept on both sides of the span, so that augmentation can move its ends


@dataclass(frozen=True)
class Clip:
    """One recording with its labels as class indices; span gives the first and last sample of speech.

    The intensity of a clip from another corpus is UNKNOWN. A clip to train on has a copy of its waveform, as long, that
    went through a codec.
    """

    file: str
    waveform: Waveform
    span: tuple[int, int]
    emotion: int
    gender: int
    intensity: int
    actor: int
    is_song: bool
    coded: Waveform | None = None

    @property
    def speech(self) -> Waveform:
        """The samples of the speech span, (time,)."""
        return self.waveform[slice(*self.span)]


def prepare_clips(corpus: Dataset, with_coded: bool = False) -> list[Clip]:
    """Decode every clip and find its speech; the result is kept, so that the next run begins at once.

    Args:
        corpus: From load_ravdess or load_manifest.
        with_coded: Give each a copy as a browser's recorder sends it, to train on.

    Raises:
        AudioError: A clip is damaged; the message names it.
    """
    labels = {name: kind for name, kind in corpus.features.items() if name != "audio"}
    features = Features({**labels, "waveform": List(Value("float32")), "span": List(Value("int64"))})
    settings = {"fn_kwargs": {"sources": _digest_sources()}, "num_proc": 2 if len(corpus) > BATCH else None}
    heard = corpus.map(
        _listen,
        batched=True,
        batch_size=BATCH,
        features=features,
        remove_columns=["audio"],
        desc="Finding speech",
        **settings,
    )
    if with_coded:
        features = Features({**features, "coded": List(Value("float32"))})
        heard = heard.map(_code, features=features, desc="Coding copies", **settings)
    return [_make_clip(row) for row in heard.with_format("numpy")]


def stack_clips(waveforms: list[Waveform]) -> tuple[Tensor, Tensor]:
    """Pad waveforms with zeros to (batch, time) and return their (batch,) lengths."""
    lengths = torch.tensor([waveform.size for waveform in waveforms])
    batch = torch.zeros(len(waveforms), int(lengths.max()))
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: waveform.size] = torch.from_numpy(waveform)
    return batch, lengths


def _digest_sources() -> str:
    """Return a name for the code that makes clips; datasets would take up what an older one made."""
    modules = (__file__, audio.__file__, speech.__file__, formats.__file__)
    return hashlib.sha256(b"".join(Path(module).read_bytes() for module in modules)).hexdigest()


def _listen(rows: dict[str, list[Any]], sources: str) -> dict[str, list[Any]]:  # noqa: ARG001 - names what is kept
    torch.set_num_threads(1)
    detector = SpeechDetector()
    heard: dict[str, list[Any]] = {"waveform": [], "span": []}
    for file, sound in zip(rows["file"], rows["audio"], strict=True):
        try:
            waveform = load_audio(sound["bytes"] or sound["path"])
        except AudioError as error:
            raise type(error)(f"{file}: {error}") from error
        try:
            span = detector.find(waveform)
        except AudioError:  # a clip the detector refuses still has a label: it is heard whole
            span = SpeechSpan(0.0, waveform.size / SAMPLE_RATE, 0.0)
        first = max(round((span.start_s - SURROUNDINGS_S) * SAMPLE_RATE), 0)
        heard["waveform"].append(waveform[first : round((span.end_s + SURROUNDINGS_S) * SAMPLE_RATE)])
        heard["span"].append([round(edge * SAMPLE_RATE) - first for edge in (span.start_s, span.end_s)])
    return heard


def _code(row: dict[str, Any], sources: str) -> dict[str, Any]:  # noqa: ARG001
    """Send a clip through Opus at one of CODED_BIT_RATES, which its name decides, and give it its length back."""
    waveform = np.asarray(row["waveform"], np.float32)
    bit_rate = CODED_BIT_RATES[zlib.crc32(row["file"].encode()) % len(CODED_BIT_RATES)]
    try:
        coded = load_audio(Codec("libopus", "webm", bit_rate)(waveform))[: waveform.size]
    except AudioError as error:
        raise type(error)(f"{row['file']}: {error}") from error
    return {"coded": np.pad(coded, (0, waveform.size - coded.size))}


def _make_clip(row: dict[str, Any]) -> Clip:
    return Clip(
        file=str(row["file"]),
        waveform=np.asarray(row["waveform"], np.float32),
        span=(int(row["span"][0]), int(row["span"][1])),
        emotion=int(row["emotion"]),
        gender=int(row["gender"]),
        intensity=int(row["intensity"]),
        actor=int(row["actor"]),
        is_song=bool(row["channel"]),
        coded=np.asarray(row["coded"], np.float32) if "coded" in row else None,
    )
