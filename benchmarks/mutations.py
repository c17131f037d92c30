"""Recordings as no recorder writes them: a small corpus in every container, and ways to spoil its files.

Every case has a number and is made from it alone, so that a finding can be made again.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

VOICE = Path("ui/voices/lively.wav")
HEADER = 512  # bytes in which most containers keep their promises
MARKS = (
    b"RIFF", b"fmt ", b"data", b"fact", b"FORM", b"COMM", b"SSND",
    b".snd", b"caff", b"desc", b"kuki", b"pakt", b"riff", b"fLaC", b"OggS", b"vorbis", b"OpusHead", b"OpusTags",
    b"ID3", b"Xing", b"Info",
    b"\xff\xfb", b"ftyp", b"moov", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"stsd", b"mp4a", b"esds", b"stts", b"stsc",
    b"stsz", b"stco", b"moof", b"tfhd", b"trun", b"mdat", b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66",
    b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"A_OPUS", b"\xb5", b"\x9f", b"\xa3", b"\x1c\x53\xbb\x6b",
)  # fmt: skip  # what stands in front of fields that a decoder believes
NUMBERS = (0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 1023, 4000, 65_535, 384_001, 2**24, 2**31 - 1, 2**31, 2**32 - 1)

Corpus = dict[str, bytes]  # container to whole file


def make_corpus(voice: Path = VOICE) -> Corpus:
    """Write one made voice in every container and the widths, channels and layouts that differ most."""
    samples, rate_hz = sf.read(voice, dtype="float32")
    samples = samples[: 2 * rate_hz]
    stereo, dense = np.stack([samples, samples], axis=1), soxr.resample(samples, rate_hz, 48_000)
    return {
        "wav-16": _encode(samples, rate_hz, "WAV", "PCM_16"),
        "wav-24-stereo": _encode(stereo, rate_hz, "WAVEX", "PCM_24"),
        "wav-float": _encode(samples, rate_hz, "WAV", "FLOAT"),
        "wav-adpcm": _encode(samples, rate_hz, "WAV", "MS_ADPCM"),
        "aiff": _encode(samples, rate_hz, "AIFF", "PCM_16"),
        "au": _encode(samples, rate_hz, "AU", "FLOAT"),
        "caf": _encode(stereo, rate_hz, "CAF", "ALAC_16"),
        "w64": _encode(samples, rate_hz, "W64", "PCM_24"),
        "flac": _encode(stereo, rate_hz, "FLAC", "PCM_16"),
        "ogg-vorbis": _encode(samples, rate_hz, "OGG", "VORBIS"),
        "ogg-opus": _encode(samples, rate_hz, "OGG", "OPUS"),
        "mp3": _encode(samples, rate_hz, "MP3", "MPEG_LAYER_III"),
        "m4a": encode_av(dense, "mp4", "aac"),
        "m4a-fragments": encode_av(dense, "mp4", "aac", movflags="frag_keyframe+empty_moov"),
        "m4a-alac": encode_av(dense, "mp4", "alac"),
        "aac": encode_av(dense, "adts", "aac"),
        "webm-opus": encode_av(dense, "webm", "libopus"),
        "webm-live": encode_av(dense, "webm", "libopus", live="1"),
    }


def encode_av(samples: NDArray[np.float32], container: str, codec: str, rate_hz: int = 48_000, **options: str) -> bytes:
    """Write (time,) samples with FFmpeg."""
    file = io.BytesIO()
    with av.open(file, mode="w", format=container, options=options) as out:
        stream = out.add_stream(codec, rate=rate_hz)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        to_codec = av.AudioResampler(stream.format, "mono", rate_hz, frame_size=stream.frame_size or 960)
        for piece in [*to_codec.resample(frame), *to_codec.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def make_case(number: int, corpus: Corpus) -> tuple[str, bytes]:
    """Return the container's name and the spoiled file of a case."""
    dice = random.Random(number)  # noqa: S311 - nothing secret
    name = dice.choice(list(corpus))
    data = corpus[name]
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        data = spoil(dice, data, corpus) or b"\0"
    return name, data


def spoil(dice: random.Random, data: bytes, corpus: Corpus) -> bytes:
    """Spoil a file in one of the ways below."""
    if dice.random() < 0.1:  # noqa: PLR2004 - a tenth
        return _splice(dice, data, dice.choice(list(corpus.values())))
    return dice.choice(WAYS)(dice, data)


def _set_field(dice: random.Random, data: bytes) -> bytes:
    """Put a number that no writer would choose behind one of the container's marks."""
    places = [place for mark in MARKS if (place := data.find(mark)) >= 0]
    return _put_number(dice, data, dice.choice(places) + dice.randrange(48)) if places else _set_header(dice, data)


def _set_header(dice: random.Random, data: bytes) -> bytes:
    return _put_number(dice, data, dice.randrange(min(len(data), HEADER)))


def _put_number(dice: random.Random, data: bytes, place: int) -> bytes:
    size = dice.choice((1, 2, 4, 4, 8))
    number = dice.choice(NUMBERS) & (256**size - 1)
    written = number.to_bytes(size, dice.choice(("big", "little")))
    return data[:place] + written + data[place + size :]


def _flip_bits(dice: random.Random, data: bytes) -> bytes:
    spoiled = bytearray(data)
    for _ in range(dice.choice((1, 4, 32, 512))):
        spoiled[dice.randrange(len(spoiled))] ^= 1 << dice.randrange(8)
    return bytes(spoiled)


def _cut(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randrange(len(data))]


def _drop(dice: random.Random, data: bytes) -> bytes:
    start, stop = _span(dice, data)
    return data[:start] + data[stop:]


def _repeat(dice: random.Random, data: bytes) -> bytes:
    start, stop = _span(dice, data)
    return data[:stop] + data[start:stop] * dice.choice((1, 2, 50)) + data[stop:]


def _swap(dice: random.Random, data: bytes) -> bytes:
    a, b, c = sorted(dice.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _overwrite(dice: random.Random, data: bytes) -> bytes:
    start, stop = _span(dice, data)
    filling = dice.choice((bytes(stop - start), b"\xff" * (stop - start), dice.randbytes(stop - start)))
    return data[:start] + filling + data[stop:]


def _splice(dice: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other)) :]


def _span(dice: random.Random, data: bytes) -> tuple[int, int]:
    start = dice.randrange(len(data))
    return start, min(len(data), start + dice.choice((1, 4, 16, 200, 3000)))


def _encode(samples: NDArray[np.float32], rate_hz: int, form: str, subtype: str) -> bytes:
    file = io.BytesIO()
    sf.write(file, samples, rate_hz, format=form, subtype=subtype)
    return file.getvalue()


WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _set_field, _set_field, _set_field, _set_header, _flip_bits, _cut, _drop, _repeat, _swap, _overwrite,
)  # fmt: skip
