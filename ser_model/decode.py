"""Decodes any file with sound, one track at a time, or raises an error that says what to do about it.

libsndfile reads what it can. FFmpeg (in PyAV) reads the file when libsndfile refuses it, finds no length or stops
before its end. What came out decides, never what a header says of its size: many writers do not know it.
"""

from __future__ import annotations

import functools
import io
import math
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import Any

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from ser_model.frontend import SAMPLE_RATE

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 16
MAX_PLANES = 8  # of a frame of FFmpeg; PyAV crashes on more
BLOCK_FRAMES = 65_536
MIB = 1024**2

UNKNOWN_FRAMES = 2**62  # libsndfile gives such lengths when the header has none
LEFT_BYTES = 512  # that libsndfile may leave unread, such as a tag; more may be another recording
LONGER_S = 0.25  # by which FFmpeg must hear more than libsndfile to be believed; codecs pad less
COMPLETE_RATIO = 0.95  # of the length in the header; with less, the file may have been cut off
DC_RATIO = 0.3  # of the mean to the RMS around it; RAVDESS has up to 0.02, synthetic voices 0.2
DRIFT_RATIO = 0.7  # of the highest mean of DRIFT_S to the peak; RAVDESS has up to 0.5
DRIFT_S = 0.05

WAV_START = re.compile(rb"RIFF.{4}WAVE(?=[ -~]{4})", re.DOTALL)
OGG_PAGE = re.compile(rb"OggS\0([\0-\7])")
MAX_PARTS = 256  # that are joined in one file
MAX_RIFF_SIZE = 1024**3  # larger sizes are placeholders such as 0x7FFFFFFF, of writers that stream
WAV_LEFT = 8  # bytes behind the samples that are too few for a chunk
OGG_HEADER = 27  # bytes of an Ogg page before its table of segment sizes

FORMATS = (
    "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "dsf", "dts", "dtshd", "eac3", "flac", "flv", "gsm",
    "hcom", "iff", "ilbc", "ircam", "loas", "matroska", "mlp", "mov", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "mxf",
    "nistsphere", "nut", "ogg", "oma", "qcp", "rm", "shn", "sox", "tak", "truehd", "tta", "voc", "w64", "wav", "webm",
    "wtv", "wv", "xwma", "ast", "gxf", "mmf", "argo_asf", "kvag", "apm", "alp", "roq",
)  # fmt: skip  # FFmpeg's demuxers of sound; others open playlists, devices or pictures
DECLARE_LENGTH = ("flac", "matroska", "mov")  # formats whose header may hold the length
EXACT = ("PCM", "FLOAT", "DOUBLE", "ALAC")  # how libsndfile's names of lossless codings begin
MAX_BAD_PACKETS = 1_000
TINY = 1e-30

MP4_TABLES = re.compile(rb"moov|moof")
MAX_PACKETS = 3_000_000  # of an MP4; a minute of AAC has 3,000
MAX_BOXES = {  # of each type in an MP4; a fragmented recording has a few trun each second
    b"trun": 10_000, b"trak": 100, b"stsz": 100, b"stts": 100, b"ctts": 100, b"stsc": 100,
}  # fmt: skip
CHUNK_SAMPLES = 1024  # of PCM in an MP4 that FFmpeg reads at once

Waveform = NDArray[np.float32]  # (time,) at SAMPLE_RATE, full scale 1


@dataclass(frozen=True)
class Limits:
    """The longest and largest recording that is read."""

    max_s: int
    max_bytes: int


SLACK_S = 0.5  # over max_s: a recorder that stops at the limit writes whole packets
CLIP_LIMITS = Limits(max_s=60, max_bytes=20 * MIB)  # from a visitor
RECORDING_LIMITS = Limits(max_s=660, max_bytes=260 * MIB)  # on the command line: ten minutes in stereo at 96 kHz


class AudioError(ValueError):
    """The recording cannot be used. str() says so to whoever has a file."""

    def __init__(self, message: str, spoken: str | None = None) -> None:
        super().__init__(message)
        self.spoken = spoken or message  # for somebody who just spoke into a microphone


class NotAudio(AudioError):  # noqa: N818 - these names say what the recording is
    """No decoder can read it."""


class Truncated(AudioError):  # noqa: N818
    """A decoder stopped within the sound, as if an upload was cut off."""


class TooLarge(AudioError):  # noqa: N818
    """It has more bytes than its Limits allow."""


class TooLong(AudioError):  # noqa: N818
    """It has more seconds than its Limits allow."""


class Silence(AudioError):  # noqa: N818
    """It is silent."""


class NoSpeech(AudioError):  # noqa: N818
    """It has sound, but no speech."""


class Music(NoSpeech):
    """It has music or tones, but no speech."""


class TooLittleSpeech(AudioError):  # noqa: N818
    """It has speech, but too little."""


@dataclass(frozen=True)
class Sound:
    """One track of a file: the mean of its channels, or one of them."""

    waveform: Waveform  # without a DC offset
    rate_hz: int  # the lowest in the file
    bit_rate: float  # bits per second; infinite if no sound was lost by the codec
    tracks: int  # of the file
    powers: NDArray[np.float64]  # (channel,) mean square without a DC offset
    mix_power: float  # of the mean of the channels
    agreement: float  # lowest correlation of a channel with that mean; 1 if there is one channel
    may_be_cut: bool  # the header promises more sound than there is


@np.errstate(all="ignore")  # damaged samples
def decode(data: bytes, limits: Limits, track: int = 0, channel: int | None = None) -> Sound:
    """Decode one channel of a track or the mean of all; joined files are read to the end. May raise an AudioError."""
    cut_off = Truncated("The file ends too early, as if the upload was cut off. Please send it again.")
    whole = _Pieces(limits, channel)
    for part in _split(data):
        heard = _read_soundfile(part, _Pieces(limits, channel)) if track == 0 else _Pieces(limits, channel)
        if not heard.complete:
            again = _read_av(part, _Pieces(limits, channel), track)
            if again.length_s > heard.length_s + LONGER_S * bool(heard.pieces):
                heard = again
            heard.tracks = again.tracks
        missing = heard.length_s < COMPLETE_RATIO * heard.declared_s
        if missing and heard.broke_off:
            raise cut_off
        heard.may_be_cut = missing or _looks_cut(part)
        whole.join(heard)
    if whole.length_s:
        return whole.finish()
    if whole.may_be_cut:
        raise cut_off
    if whole.opened:
        raise NotAudio("The file has no sound in it. Please record again or choose another file.")
    raise NotAudio("This is not a recording that can be read. Please use WAV, MP3, FLAC, OGG, WebM or M4A.")


class _Pieces:
    """What a decoder heard."""

    def __init__(self, limits: Limits, channel: int | None) -> None:
        self.limits, self.channel = limits, channel
        self.pieces: list[tuple[int, list[Waveform]]] = []  # sampling rate, mono blocks
        self.length_s = self.declared_s = self.bits = 0.0
        self.sums = np.zeros((4, 0))  # count, sum, sums of squares and of products with mix of (each channel, mix)
        self.tracks = 1
        self.opened = self.complete = self.broke_off = self.may_be_cut = False

    def add(self, block: NDArray[np.float32], rate_hz: int) -> None:
        """Add a (time, channel) block; stop as soon as there is too much, whatever the header says."""
        _check_format(rate_hz, block.shape[1])
        mix = block.mean(axis=1)
        if block.shape[1] > 1:
            columns = np.concatenate([block, mix[:, np.newaxis]], axis=1)
            counts = np.full(columns.shape[1], len(block))
            moments = [columns.sum(0, float), np.square(columns).sum(0, float), (columns.T * mix).sum(1, float)]
            self._add_sums(np.stack([counts, *moments]))
        if not self.pieces or self.pieces[-1][0] != rate_hz:
            self.pieces.append((rate_hz, []))
        mono = mix if self.channel is None else block[:, min(self.channel, block.shape[1] - 1)].copy()
        self.pieces[-1][1].append(mono)
        self._lengthen(mono.size / rate_hz)

    def join(self, other: _Pieces) -> None:
        """Add what was heard of the next part of the file."""
        self.pieces += other.pieces
        self._add_sums(other.sums)
        self.bits += other.bits
        self.tracks = max(self.tracks, other.tracks)
        self.opened |= other.opened
        self.may_be_cut |= other.may_be_cut
        self._lengthen(other.length_s)

    def finish(self) -> Sound:
        """Join the pieces at SAMPLE_RATE."""
        waveform = np.concatenate([_resample(np.concatenate(blocks), rate) for rate, blocks in self.pieces])
        if not np.isfinite(waveform).all():
            raise NotAudio("The file has damaged samples. Please record again or export it as WAV or MP3.")
        counts, sums, squares, products = self.sums
        powers = np.maximum(squares / counts - np.square(sums / counts), 0)
        mix_power = float(powers[-1]) if powers.size else 0.0
        shared = products / counts - sums / counts * (sums[-1:] / counts[-1:])
        agreements = shared / np.sqrt(np.maximum(powers * mix_power, TINY))
        return Sound(
            waveform=_remove_drift(waveform),
            rate_hz=min(rate_hz for rate_hz, _ in self.pieces),
            bit_rate=self.bits / self.length_s,
            tracks=self.tracks,
            powers=powers[:-1],
            mix_power=mix_power,
            agreement=float(agreements.min(initial=1.0)),
            may_be_cut=self.may_be_cut,
        )

    def _add_sums(self, sums: NDArray[np.float64]) -> None:
        self.sums = self.sums + sums if self.sums.shape == sums.shape else sums

    def _lengthen(self, length_s: float) -> None:
        self.length_s += length_s
        if self.length_s > self.limits.max_s + SLACK_S:
            raise TooLong(f"The clip is longer than {self.limits.max_s} seconds. Please send a shorter part of it.")


def _check_format(rate_hz: int, channels: int, most: int = MAX_CHANNELS) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ or not 1 <= channels <= most:
        raise NotAudio(
            f"A sampling rate of {rate_hz} Hz with {channels} channels is not speech. "
            "Please export the clip as an ordinary WAV or MP3."
        )


def _read_soundfile(data: bytes, heard: _Pieces) -> _Pieces:
    """Read a file with libsndfile; complete if it was read to its end."""
    source = io.BytesIO(data)
    try:
        with sf.SoundFile(source) as file:
            heard.opened = True
            _check_format(file.samplerate, file.channels)
            is_guess = file.format == "MP3" and b"Xing" not in data and b"Info" not in data  # from the first frame
            if file.frames >= UNKNOWN_FRAMES or is_guess:
                return heard
            heard.declared_s = file.frames / file.samplerate
            heard.bits = math.inf if file.subtype.startswith(EXACT) else 8.0 * len(data)
            while (block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)).size:
                heard.add(block, file.samplerate)
    except sf.LibsndfileError:
        heard.broke_off = heard.opened
        return heard
    heard.complete = bool(heard.pieces) and len(data) - source.tell() <= LEFT_BYTES
    return heard


def _read_av(data: bytes, heard: _Pieces, track: int) -> _Pieces:
    """Read a track with FFmpeg."""
    import av  # noqa: PLC0415 - needs memory and time, and few recordings need it

    if exceeds_packet_limit(data):
        return heard
    limit_us = 1_000_000 * heard.limits.max_s
    options = {
        "format_whitelist": ",".join(FORMATS),
        "codec_whitelist": _audio_codecs(),  # no pictures
        "protocol_whitelist": "none",  # no other files
        "probesize": str(len(data)),  # sound may begin late
        "analyzeduration": str(limit_us),
    }
    try:
        with av.open(io.BytesIO(data), "r", metadata_errors="ignore", container_options=options) as file:
            streams = [stream for stream in file.streams.audio if stream.codec_context is not None]
            heard.tracks = len(streams)
            if track < len(streams):
                heard.opened = True
                if file.duration and not file.streams.video and file.format.name.startswith(DECLARE_LENGTH):
                    heard.declared_s = file.duration / 1e6
                _read_packets(file, streams[track], heard)
    except (av.error.FFmpegError, ValueError, IndexError, MemoryError) as error:  # IndexError: a stream that began late
        if isinstance(error, AudioError):
            raise
        heard.broke_off = True
    return heard


def _read_packets(file: Any, stream: Any, heard: _Pieces) -> None:
    """Read the packets of a stream, and pass over those that cannot be decoded."""
    import av  # noqa: PLC0415

    codec, bad, end_s = stream.codec_context.codec, 0, 0.0
    for packet in file.demux(stream):
        heard.bits += math.inf if codec.lossless and not codec.lossy else 8 * packet.size
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError):
            heard.broke_off, bad = True, bad + 1
            if bad > MAX_BAD_PACKETS:
                break
            continue
        for frame in frames:
            most = MAX_PLANES if frame.format.is_planar else MAX_CHANNELS
            _check_format(frame.sample_rate, frame.layout.nb_channels, most)
            heard.broke_off = False
            heard.add(_to_block(frame), frame.sample_rate)
            end_s = (frame.time or 0.0) + frame.samples / frame.sample_rate
    if heard.length_s < end_s:  # there were pauses without packets
        heard.declared_s *= heard.length_s / end_s


@functools.cache
def _audio_codecs() -> str:
    import av  # noqa: PLC0415

    names = []
    for name in sorted(av.codecs_available):
        with suppress(ValueError):  # it only encodes
            names += [name] if av.Codec(name, "r").type == "audio" else []
    return ",".join(names)


def _to_block(frame: Any) -> NDArray[np.float32]:
    """Return (time, channel) samples, full scale 1."""
    samples: NDArray[Any] = frame.to_ndarray()
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)
    if samples.dtype.kind == "f":
        return np.asarray(samples, np.float32)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    return np.asarray((samples - (half if samples.dtype.kind == "u" else 0.0)) / half, np.float32)


def _resample(samples: Waveform, rate_hz: int) -> Waveform:
    """Remove a DC offset, and resample."""
    mean = samples.mean(dtype=float)
    power = float(np.dot(samples, samples)) / samples.size - mean**2
    if abs(mean) > DC_RATIO * math.sqrt(max(power, 0.0)):
        samples = samples - np.float32(mean)
    if rate_hz == SAMPLE_RATE:
        return samples
    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE), dtype=np.float32)


def _remove_drift(waveform: Waveform) -> Waveform:
    """Remove an offset that changes and outweighs the sound, as while a microphone is charged."""
    size = round(DRIFT_S * SAMPLE_RATE)
    means = waveform[: waveform.size // size * size].reshape(-1, size).mean(axis=1)
    if np.abs(means).max(initial=0.0) <= DRIFT_RATIO * np.abs(waveform).max(initial=0.0):
        return waveform
    slow = waveform.astype(float)
    for _ in range(2):  # moving averages
        sums = np.cumsum(np.pad(slow, size // 2, mode="edge"))
        slow = (sums[size:] - sums[:-size]) / size
    return np.asarray(waveform - slow, np.float32)


def _split(data: bytes) -> list[bytes]:
    """Return the WAV files or Ogg streams that are joined in one; other files as they are."""
    if WAV_START.match(data):
        starts = [match.start() for match in islice(WAV_START.finditer(data), MAX_PARTS)]
        return [_mend_wav(part) for part in _cut(data, starts)]
    if data.startswith(b"OggS"):
        pages = [(match.start(), bool(match[1][0] & 2)) for match in OGG_PAGE.finditer(data)]  # 2: first of a stream
        starts = [place for (_, before), (place, first) in pairwise([(0, False), *pages]) if first > before]
        return _cut(data, starts[:MAX_PARTS])
    return [data]


def _cut(data: bytes, starts: list[int]) -> list[bytes]:
    return [data[start:end] for start, end in pairwise([0, *starts[1:], len(data)])]


def _mend_wav(data: bytes) -> bytes:
    """Let the samples of a WAV file reach to its end if the chunk that should follow them is none."""
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        after = place + 8 + size + size % 2
        if name == b"data":
            rest = data[after:]
            if not size or not (len(rest) < WAV_LEFT or _is_chunk(rest)):
                return data[: place + 4] + b"\xff\xff\xff\xff" + data[place + 8 :]
            break
        place = after
    return data


def _is_chunk(data: bytes) -> bool:
    name, size = struct.unpack_from("<4sI", data)
    return not name.strip(b"\0") or (name.isascii() and name.decode().isprintable() and size <= len(data))


def _looks_cut(data: bytes) -> bool:
    """Return whether a file ends within a WAV file or an Ogg page, or before the index of an MP4."""
    if data.startswith(b"RIFF"):
        size = int.from_bytes(data[4:8], "little")
        return len(data) < COMPLETE_RATIO * size < MAX_RIFF_SIZE
    if data.startswith(b"OggS"):  # RFC 3533, section 6
        page = data[data.rfind(b"OggS") :]
        if len(page) < OGG_HEADER:
            return True
        body = OGG_HEADER + page[OGG_HEADER - 1]  # behind the header and the sizes of the segments
        return len(page) < body + sum(page[OGG_HEADER:body])
    return data[4:8] == b"ftyp" and b"moov" not in data


def exceeds_packet_limit(data: bytes) -> bool:
    """Return whether the tables of an MP4 make FFmpeg list more than MAX_PACKETS packets, or are compressed.

    FFmpeg allocates an entry of 24 bytes for each packet, so a few bytes could ask for gigabytes.
    """
    if not MP4_TABLES.search(data):
        return False
    tables = b"".join(_boxes_without_media(data))
    if b"cmov" in tables or any(tables.count(name) > most for name, most in MAX_BOXES.items()):
        return True
    counts = (count for track in tables.split(b"trak") for count in _count_packets(track, len(data)))
    return any(total > MAX_PACKETS for total in accumulate(counts))


def _count_packets(track: bytes, file_size: int) -> Iterator[int]:
    """Yield how many packets each table of a track declares."""
    sizes = [struct.unpack_from(">2I", track, start + 4) for start in _find(track, b"stsz", 12)]  # of all, count
    runs = [_read_rows(track, start, 2) for start in _find(track, b"stts", 8)]  # count, length
    chunks = sum(_read_rows(track, start, 1).size for name in (b"stco", b"co64") for start in _find(track, name, 8))
    longest = max((int(_read_rows(track, at, 3)[:, 1].max(initial=0)) for at in _find(track, b"stsc", 8)), default=0)
    yield chunks * longest // CHUNK_SAMPLES
    yield from (struct.unpack_from(">I", track, start + 4)[0] for start in _find(track, b"trun", 8))
    is_pcm = len(sizes) == len(runs) == 1 and len(runs[0]) == 1 and runs[0][0, 1] == 1  # read by chunks
    if not is_pcm or not 0 < sizes[0][0] * sizes[0][1] <= 2 * file_size:
        yield from (count for _, count in sizes)
        for table in (*runs, *(_read_rows(track, start, 2) for start in _find(track, b"ctts", 8))):
            yield int(table[:, 0].sum(dtype=np.uint64)) + len(table)  # an empty run takes time, too


def _find(track: bytes, name: bytes, size: int) -> list[int]:
    """Return where boxes of a type begin behind their names, if so many bytes follow."""
    return [match.end() for match in re.finditer(name, track) if match.end() + size <= len(track)]


def _read_rows(track: bytes, start: int, columns: int) -> NDArray[np.uint32]:
    """Return the rows of a table behind its version and their number, without copying them."""
    count = min(int.from_bytes(track[start + 4 : start + 8], "big"), (len(track) - start - 8) // (4 * columns))
    return np.frombuffer(track, ">u4", count * columns, start + 8).reshape(-1, columns)


def _boxes_without_media(data: bytes) -> Iterator[bytes]:
    """Yield the top-level boxes except for the media, which may hold any bytes (ISO 14496-12, section 4.2)."""
    start = 0
    while start + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, start)
        if size == 1 and start + 16 <= len(data):
            size = struct.unpack_from(">Q", data, start + 8)[0]
        size = size or len(data) - start  # 0: up to the end
        if size < 8:  # noqa: PLR2004 - less than the header of a box
            break
        if name != b"mdat":
            yield data[start : start + size]
        start += size
    yield data[start:]
