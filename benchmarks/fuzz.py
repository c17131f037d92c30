"""Damaged recordings through the whole recognizer: does every failure have a name?

Each chunk of cases runs in a process with limits on time and memory, so that a decoder that crashes, hangs or takes all
memory is noticed, and the next case runs all the same. A case is made from its number alone. Writes fuzz.json.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from benchmarks.report import read_memory_mb, write_result
from ser_model.audio import AudioError, Music
from ser_model.recognize import EmotionRecognizer

VOICE = Path("ui/voices/cheerful.wav")
CHUNK = 500  # cases per process
HANG_S = 5.0
MEMORY_MB = 2_000  # extra address space; the resident part of it is reported
PACKAGES = ("av", "soundfile", "soxr", "onnxruntime", "torch", "numpy")
EXPECTED = {"predicted", Music.__name__} | {kind.__name__ for kind in AudioError.__subclasses__()}
HEADER_BYTES = 512
DENSE_HZ, LOW_HZ = 48_000, 8_000
ENCODINGS = (
    ("mp4", "aac", DENSE_HZ), ("mp4", "alac", DENSE_HZ), ("mov", "pcm_s16be", DENSE_HZ),
    ("3gp", "libopencore_amrnb", LOW_HZ), ("amr", "libopencore_amrnb", LOW_HZ), ("adts", "aac", DENSE_HZ),
    ("latm", "aac", DENSE_HZ), ("webm", "libopus", DENSE_HZ), ("matroska", "libmp3lame", DENSE_HZ),
    ("avi", "pcm_s16le", LOW_HZ), ("mpegts", "aac", DENSE_HZ), ("mpeg", "mp2", DENSE_HZ), ("flv", "nellymoser", LOW_HZ),
    ("ac3", "ac3", DENSE_HZ), ("eac3", "eac3", DENSE_HZ), ("wv", "wavpack", DENSE_HZ), ("tta", "tta", DENSE_HZ),
    ("nut", "aac", DENSE_HZ), ("rm", "ac3", DENSE_HZ), ("wtv", "mp2", DENSE_HZ), ("sox", "pcm_s32le", LOW_HZ),
    ("wav", "g726", LOW_HZ), ("au", "pcm_mulaw", LOW_HZ),
)  # fmt: skip  # FFmpeg's containers and codecs, and the sampling rate
MARKERS = (
    b"RIFF", b"fmt ", b"data", b"fact", b"FORM", b"COMM", b"SSND", b".snd", b"caff", b"desc", b"kuki", b"pakt",
    b"riff", b"fLaC", b"OggS", b"vorbis", b"OpusHead", b"OpusTags", b"ID3", b"Xing", b"Info", b"\xff\xfb", b"ftyp",
    b"moov", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"stsd", b"mp4a", b"esds", b"stts", b"stsc",
    b"stsz", b"stco", b"moof", b"tfhd", b"trun", b"mdat", b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66",
    b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"A_OPUS", b"\xb5", b"\x9f", b"\xa3", b"\x1c\x53\xbb\x6b",
    b"ds64", b"LIST", b"avih", b"strh", b"strf", b"idx1", b"FLV", b"\x0b\x77", b"wvpk", b"TTA1", b"#!AMR", b"samr",
    b".RMF", b"PROP", b"MDPR", b"DATA", b"INDX", b"nut/", b"\x47\x40", b"\0\0\1\xba", b"\x56\xe0", b"Creative", b".SoX",
)  # fmt: skip  # decoders believe the fields behind them
NUMBERS = (0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 1023, 4000, 65_535, 384_001, 2**24, 2**31 - 1, 2**31, 2**32 - 1)

Corpus = dict[str, bytes]  # container -> an intact file
Case = dict[str, Any]  # number, container, outcome, ms, peak_mb


def run(options: argparse.Namespace) -> int:
    """Run the cases and write the report; the exit code is 1 when a failure has no name."""
    report = fuzz(options.first, 200 if options.small else options.cases)
    write_result(options.out, "fuzz", report, PACKAGES)
    print(json.dumps({name: report[name] for name in ("cases", "outcomes", "findings", "slowest", "peak_memory_mb")}))
    return 1 if report["findings"] else 0


def fuzz(first: int, cases: int, hang_s: float = HANG_S) -> dict[str, Any]:
    """Run cases from a number on and summarize the outcomes."""
    started, done = time.monotonic(), list(run_chunks(first, first + cases, hang_s))
    slowest = max(done, key=lambda case: case["ms"])
    return {
        "command": f"python -m benchmarks fuzz --first {first} --cases {cases}",
        "cases": len(done),
        "outcomes": dict(Counter(case["outcome"] for case in done).most_common()),
        "findings": [case for case in done if case["outcome"] not in EXPECTED],
        "slowest": {name: slowest[name] for name in ("number", "container", "outcome", "ms")},
        "peak_memory_mb": max(case["peak_mb"] for case in done),
        "limits": {"hang_s": hang_s, "extra_address_space_mb": MEMORY_MB},
        "took_s": round(time.monotonic() - started),
    }


def run_chunks(first: int, stop: int, hang_s: float) -> Iterator[Case]:
    """Run chunks of cases, each in its own process; a case that ends its process is reported as a crash or a hang."""
    while first < stop:
        count = min(CHUNK, stop - first)
        code = f"from benchmarks import fuzz; fuzz.run_chunk({first}, {count}, {hang_s})"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - itself
        lines = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
        done = [line for line in lines if "outcome" in line]
        yield from done
        first += len(done)
        if len(done) < count:
            if not lines or "outcome" in lines[-1]:
                raise RuntimeError(f"A process of the fuzzer did not start:\n{child.stderr[-2000:]}")
            hung = "Timeout (" in child.stderr
            yield lines[-1] | {"outcome": "hang" if hung else f"crash {child.returncode}", "ms": 1000 * hang_s * hung}
            first += 1


def run_chunk(first: int, count: int, hang_s: float) -> None:
    """Run cases in this process, under a limit on memory."""
    corpus, recognizer = make_corpus(), EmotionRecognizer.load()
    recognizer.recognize(corpus["wav-16"])
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_MB * 2**20,) * 2)
    for number in range(first, first + count):
        container, data = make_case(number, corpus)
        run_case({"number": number, "container": container}, data, recognizer, hang_s)


def run_case(case: Case, data: bytes, recognizer: EmotionRecognizer, hang_s: float) -> None:
    """Run one case, and print one line of JSON before and one after it."""
    print(json.dumps(case | {"peak_mb": 0}), flush=True)
    faulthandler.dump_traceback_later(hang_s, exit=True)
    begin = time.perf_counter()
    try:
        recognizer.recognize(data)
        outcome = "predicted"
    except AudioError as error:
        outcome = type(error).__name__
    except Exception as error:  # noqa: BLE001 - the search is for errors without a name
        outcome = f"unexpected {type(error).__name__}: {error}"
    faulthandler.cancel_dump_traceback_later()
    ms = round(1000 * (time.perf_counter() - begin), 1)
    print(json.dumps(case | {"outcome": outcome, "ms": ms, "peak_mb": read_memory_mb()}), flush=True)


def make_corpus(voice: Path = VOICE) -> Corpus:
    """Encode one synthetic voice in every container, with the widths, channels and layouts that differ most."""
    samples, rate_hz = sf.read(voice, dtype="float32")
    samples = samples[: 2 * rate_hz]
    stereo, dense = np.stack([samples, samples], axis=1), soxr.resample(samples, rate_hz, DENSE_HZ)
    low = soxr.resample(samples, rate_hz, LOW_HZ)

    def encode(sound: NDArray[np.float32], container: str, subtype: str) -> bytes:
        file = io.BytesIO()
        sf.write(file, sound, rate_hz, format=container, subtype=subtype)
        return file.getvalue()

    corpus = {
        "wav-16": encode(samples, "WAV", "PCM_16"),
        "wav-24-stereo": encode(stereo, "WAVEX", "PCM_24"),
        "wav-float": encode(samples, "WAV", "FLOAT"),
        "wav-adpcm": encode(samples, "WAV", "MS_ADPCM"),
        "wav-gsm": encode(samples, "WAV", "GSM610"),
        "wav-joined": 2 * encode(samples, "WAV", "PCM_16"),
        "wav-opposite": encode(stereo * np.array([1, -1], np.float32), "WAV", "PCM_16"),
        "rf64": encode(samples, "RF64", "PCM_16"),
        "aiff": encode(samples, "AIFF", "PCM_16"),
        "au": encode(samples, "AU", "FLOAT"),
        "caf": encode(stereo, "CAF", "ALAC_16"),
        "w64": encode(samples, "W64", "PCM_24"),
        "voc": encode(samples, "VOC", "PCM_16"),
        "flac": encode(stereo, "FLAC", "PCM_16"),
        "ogg-vorbis": encode(samples, "OGG", "VORBIS"),
        "ogg-opus": encode(samples, "OGG", "OPUS"),
        "ogg-chain": encode(samples, "OGG", "OPUS") + encode(stereo, "OGG", "VORBIS"),
        "mp3": encode(samples, "MP3", "MPEG_LAYER_III"),
        "m4a-fragments": encode_av(dense, "mp4", "aac", movflags="frag_keyframe+empty_moov"),
        "webm-live": encode_av(dense, "webm", "libopus", live="1"),
    }
    return corpus | {
        f"{container}-{codec}": encode_av(dense if rate == DENSE_HZ else low, container, codec, rate)
        for container, codec, rate in ENCODINGS
    }


def encode_av(
    samples: NDArray[np.float32], container: str, codec: str, rate_hz: int = 48_000, start_s: float = 0, **options: str
) -> bytes:
    """Encode (time,) or (channel, time) samples with FFmpeg; the first is heard at start_s."""
    file = io.BytesIO()
    layout = "stereo" if samples.ndim > 1 else "mono"
    with av.open(file, mode="w", format=container, options=options) as out:
        stream: Any = out.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        frame = av.AudioFrame.from_ndarray(np.atleast_2d(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, round(start_s * rate_hz)
        to_codec = av.AudioResampler(stream.format, layout, rate_hz, frame_size=stream.frame_size or 960)
        for piece in [*to_codec.resample(frame), *to_codec.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def make_case(number: int, corpus: Corpus) -> tuple[str, bytes]:
    """Return the container's name and the damaged file of a case."""
    rng = random.Random(number)  # noqa: S311 - nothing secret
    name = rng.choice(list(corpus))
    data = corpus[name]
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        if rng.random() < 0.1:  # noqa: PLR2004 - a tenth
            other = rng.choice(list(corpus.values()))
            data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]
        else:
            data = _damage(rng, data)
        data = data or b"\0"
    return name, data


def _damage(rng: random.Random, data: bytes) -> bytes:
    kind = rng.choice(("field", "field", "field", "header", "flip", "cut", "drop", "repeat", "swap", "overwrite"))
    if kind in {"field", "header"}:
        return _write_number(rng, data, after_marker=kind == "field")
    if kind == "flip":
        flipped = bytearray(data)
        for _ in range(rng.choice((1, 4, 32, 512))):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        return bytes(flipped)
    if kind == "cut":
        return data[: rng.randrange(len(data))]
    if kind == "swap":
        a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
        return data[:a] + data[b:c] + data[a:b] + data[c:]
    start = rng.randrange(len(data))
    stop = min(len(data), start + rng.choice((1, 4, 16, 200, 3000)))
    size, filling = stop - start, b""
    if kind == "repeat":
        filling = data[start:stop] * (1 + rng.choice((1, 2, 50)))
    elif kind == "overwrite":
        filling = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
    return data[:start] + filling + data[stop:]  # "drop" leaves it empty


def _write_number(rng: random.Random, data: bytes, after_marker: bool) -> bytes:
    """Write a number that no encoder would choose after one of the container's markers, or anywhere in the header."""
    places = [place for marker in MARKERS if (place := data.find(marker)) >= 0] if after_marker else []
    place = rng.choice(places) + rng.randrange(48) if places else rng.randrange(min(len(data), HEADER_BYTES))
    size = rng.choice((1, 2, 4, 4, 8))
    number = rng.choice(NUMBERS) % (1 << 8 * size)
    return data[:place] + number.to_bytes(size, rng.choice(("big", "little"))) + data[place + size :]
