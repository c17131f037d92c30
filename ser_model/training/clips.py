"""Recordings with their labels, prepared for training: the speech found, the mel power computed, both cached.

What takes time is computed once and kept in the cache of datasets, as are the features of other models: see cached_map.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import soxr
import torch
from datasets import Dataset, Features, List, Value
from numpy.typing import NDArray

from ser_model import audio, decode, frontend, vad
from ser_model.audio import AudioError, Waveform, load_audio
from ser_model.frontend import HANN_NORM, HOP, N_MELS, SAMPLE_RATE, LogMel
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES, UNKNOWN, Gender, Intensity
from ser_model.vad import SpeechDetector, SpeechSpan

RAVDESS = "ravdess"
OPUS_BIT_RATES = (16_000, 24_000, 32_000)  # of browsers' recorders
CONTEXT_S = 0.25  # kept on both sides of the speech, so that augmentation can move its ends
OFFSETS = (0, HOP // 2)  # samples by which the frames of a mel power are shifted, because speech may start anywhere
BATCH = 150  # clips that a process prepares at a time
PROCESSES = 2


@dataclass(frozen=True)
class ClipPower:
    """The mel power of a clip and its surroundings, scaled so that the speech has unit RMS, for augmentation."""

    # (mel, frame) float16: one for each of OFFSETS, and one of a copy that went through Opus
    powers: tuple[NDArray[np.float16], ...]
    spans: tuple[tuple[int, int], ...]  # first and last frame of the speech in each


@dataclass(frozen=True)
class Clip:
    """One recording with its labels."""

    file: str  # a name that no other clip has
    waveform: Waveform  # (time,) the speech with CONTEXT_S around it, at SAMPLE_RATE
    span: tuple[int, int]  # first and last sample of the speech
    emotion: int  # class index, as are gender and intensity; each may be UNKNOWN
    gender: int  # 0 or 1
    intensity: int  # 0 or 1
    speaker: str  # a name that no speaker of another corpus has; 01 to 24 in RAVDESS
    is_song: bool = False  # whether it is sung; songs are trained on and never scored
    corpus: str = RAVDESS  # a name of SOURCES, of a manifest, or UNLABELED
    power: ClipPower | None = None  # what training needs of it; None for clips that are only scored
    votes: NDArray[np.float32] | None = None  # (emotion,) share of the raters who heard each; None if nobody was asked

    @property
    def speech(self) -> Waveform:
        """The samples of the speech span, (time,)."""
        return self.waveform[slice(*self.span)]


def prepare(table: Dataset, with_power: bool = False) -> Dataset:
    """Decode every clip and find its speech.

    Args:
        table: From a loader.
        with_power: Add the mel power of each clip and of a copy that went through Opus, to train on.

    Returns:
        The table with the columns waveform, span, power and frames in place of audio; without with_power the last two
        are empty.

    Raises:
        AudioError: A clip is damaged. The message names it.
    """
    code = (audio, decode, frontend, vad)
    columns = {"waveform": List(Value("float32")), "span": List(Value("int64"))}
    table = cached_map(table, _find_speech, columns, "Finding speech", code, drop=["audio"])
    columns = {"power": List(Value("float16")), "frames": List(Value("int64"))}
    return cached_map(table, _add_power if with_power else _add_no_power, columns, "Computing mel power", code)


def cached_map(
    table: Dataset,
    function: Callable[..., dict[str, Any]],
    columns: dict[str, Any],
    description: str,
    code: Sequence[ModuleType] = (),
    processes: int = PROCESSES,
    drop: Sequence[str] = (),
    **settings: Any,
) -> Dataset:
    """Add columns to a table, or read them from the cache if the same code did so before.

    Args:
        table: The rows.
        function: Maps a row and the settings to the new columns; defined at the top of a module.
        columns: The types of the new columns.
        description: For the progress bar.
        code: Modules whose change makes the cached values invalid, besides the function's own.
        processes: How many to use for more than BATCH rows.
        drop: Columns to leave out.
        settings: What the result depends on, too.
    """
    files = [function.__code__.co_filename, *(str(module.__file__) for module in code)]
    digest = hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()
    kept = {name: kind for name, kind in table.features.items() if name not in drop}
    return table.map(
        _drop_digest,
        fn_kwargs={"function": function, "digest": digest, "settings": settings},
        features=Features({**kept, **columns}),
        remove_columns=list(drop),
        writer_batch_size=BATCH,
        num_proc=processes if processes > 1 and len(table) > BATCH else None,
        desc=description,
    )


def _drop_digest(
    row: dict[str, Any], function: Callable[..., dict[str, Any]], digest: str, settings: dict[str, Any]
) -> dict[str, Any]:
    del digest  # it only names the cached result
    return function(row, **settings)


def make_clips(table: Dataset, emotions: Sequence[str] = EMOTIONS) -> list[Clip]:
    """Make clips of the rows from prepare. Their arrays are views of the cache on disk, which processes share."""
    labels = table.remove_columns(["waveform", "span", "power", "frames"]).to_list()
    waveforms, spans, powers, frames = (_views(table, name) for name in ("waveform", "span", "power", "frames"))
    return [
        Clip(
            file=row["file"],
            waveform=waveform,
            span=(int(span[0]), int(span[1])),
            emotion=emotions.index(row["emotion"]) if row["emotion"] else UNKNOWN,
            gender=GENDERS.index(Gender(row["gender"])) if row["gender"] else UNKNOWN,
            intensity=INTENSITIES.index(Intensity(row["intensity"])) if row["intensity"] else UNKNOWN,
            speaker=row["speaker"],
            is_song=bool(row["is_song"]),
            corpus=row["corpus"],
            power=_cut_power(power, counts, span.tolist()) if counts.size else None,
            votes=np.asarray(row["votes"], np.float32) if row["votes"] else None,
        )
        for row, waveform, span, power, counts in zip(labels, waveforms, spans, powers, frames, strict=True)
    ]


def list_speech(clips: Sequence[Clip]) -> list[Clip]:
    """Leave out the songs."""
    return [clip for clip in clips if not clip.is_song]


def shuffle_labels(clips: list[Clip], seed: int = 0) -> list[Clip]:
    """Shuffle the emotions among the speech clips, and among the songs.

    A model trained and scored on them is right by chance only, unless a scored clip or a copy of it was trained on.
    """
    rng = np.random.default_rng(seed)
    emotions = np.array([clip.emotion for clip in clips])
    for song in (False, True):
        rows = np.flatnonzero([clip.is_song == song for clip in clips])
        emotions[rows] = emotions[rng.permutation(rows)]
    return [replace(clip, emotion=int(emotion), votes=None) for clip, emotion in zip(clips, emotions, strict=True)]


def fingerprint_clips(clips: Sequence[Clip]) -> str:
    """Return a name for clips and their labels that changes with them."""
    digest = hashlib.sha256()
    for clip in clips:
        opus = "" if clip.power is None else f" coded {OPUS_BIT_RATES}"
        digest.update(f"{clip.file} {clip.span} {clip.emotion} {clip.gender} {clip.intensity}{opus}\n".encode())
    return f"{len(clips)}-{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class Codec:
    """A lossy codec in its container, by FFmpeg's names."""

    encoder: str
    container: str
    bit_rate: int
    rate_hz: int = 48_000

    def __call__(self, waveform: np.ndarray) -> bytes:
        """Encode (time,) samples at SAMPLE_RATE; what exceeds full scale is clipped."""
        samples = soxr.resample(np.clip(waveform, -1, 1).astype(np.float32), SAMPLE_RATE, self.rate_hz)
        file = io.BytesIO()
        with av.open(file, "w", format=self.container) as output:
            stream = output.add_stream(self.encoder, rate=self.rate_hz)
            assert isinstance(stream, av.AudioStream)
            context = stream.codec_context
            context.layout, context.bit_rate = "mono", self.bit_rate
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis]), "fltp", "mono")
            frame.sample_rate = self.rate_hz
            resampler = av.AudioResampler(context.format, "mono", self.rate_hz, context.frame_size)
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                output.mux(stream.encode(part))
        return file.getvalue()


def compute_power(waveform: Waveform, opus: Waveform, span: tuple[int, int]) -> ClipPower:
    """Compute, once before training, what augmentation then changes each time the clip is drawn.

    Args:
        waveform: (time,) the speech with its surroundings.
        opus: The same after an Opus codec.
        span: First and last sample of the speech.
    """
    rms = float(np.sqrt(np.mean(waveform[slice(*span)] ** 2)))
    scale = HANN_NORM * max(rms, 1e-6)
    versions = [*((waveform, offset) for offset in OFFSETS), (opus, 0)]
    mel = _load_mel()
    with torch.no_grad():
        powers = [mel(torch.from_numpy(samples[offset:] / scale)).clamp(max=6e4).half() for samples, offset in versions]
    return ClipPower(tuple(power.numpy() for power in powers), _power_spans(span))


def _power_spans(span: Sequence[int]) -> tuple[tuple[int, int], ...]:
    start, end = span
    return tuple((round((start - offset) / HOP), round((end - offset) / HOP)) for offset in (*OFFSETS, 0))


def _cut_power(values: NDArray[np.float16], frames: NDArray[np.int64], span: Sequence[int]) -> ClipPower:
    """Cut the stored values into a power for each of OFFSETS and one for Opus."""
    ends = np.cumsum(frames) * N_MELS
    parts = [values[end - count * N_MELS : end].reshape(N_MELS, count) for end, count in zip(ends, frames, strict=True)]
    return ClipPower(tuple(parts), _power_spans(span))


def _views(table: Dataset, name: str) -> Iterator[NDArray[Any]]:
    """Yield the lists of a column as arrays, which are not copied if the rows are in their order on disk."""
    column = table.data.column(name) if table._indices is None else table.flatten_indices().data.column(name)  # noqa: SLF001 - there is no public view
    for chunk in column.chunks:
        values, offsets = chunk.values.to_numpy(zero_copy_only=False), chunk.offsets.to_numpy()
        for start, end in pairwise(offsets.tolist()):
            yield values[start:end]


@lru_cache(maxsize=1)
def _load_detector() -> SpeechDetector:
    return SpeechDetector()


@lru_cache(maxsize=1)
def _load_mel() -> torch.nn.Module:
    return LogMel().mel


def _find_speech(row: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(1)
    try:
        waveform = load_audio(row["audio"]["bytes"] or row["audio"]["path"])
    except AudioError as error:
        raise type(error)(f"{row['file']}: {error}") from error
    try:
        span = _load_detector().detect(waveform)
    except AudioError:  # a clip without detected speech has a label, too: all of it is used
        span = SpeechSpan(0.0, waveform.size / SAMPLE_RATE, 0.0)
    first = max(round((span.start_s - CONTEXT_S) * SAMPLE_RATE), 0)
    return {
        "waveform": waveform[first : round((span.end_s + CONTEXT_S) * SAMPLE_RATE)],
        "span": [round(edge * SAMPLE_RATE) - first for edge in (span.start_s, span.end_s)],
    }


def _add_power(row: dict[str, Any]) -> dict[str, Any]:
    """Encode a clip at one of OPUS_BIT_RATES, which its name decides, and compute the mel power of both."""
    torch.set_num_threads(1)
    waveform = np.asarray(row["waveform"], np.float32)
    bit_rate = OPUS_BIT_RATES[zlib.crc32(row["file"].encode()) % len(OPUS_BIT_RATES)]
    opus = load_audio(Codec("libopus", "webm", bit_rate)(waveform))[: waveform.size]
    opus = np.pad(opus, (0, waveform.size - opus.size))
    powers = compute_power(waveform, opus, row["span"]).powers
    return {
        "power": np.concatenate([power.ravel() for power in powers]),
        "frames": [power.shape[1] for power in powers],
    }


def _add_no_power(row: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - the interface of cached_map
    return {"power": np.zeros(0, np.float16), "frames": np.zeros(0, np.int64)}
