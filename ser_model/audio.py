"""Reads any recording as mono float32 samples at 16 kHz, or raises an error that says what to do about it.

AudioError
├── NotAudio        no decoder can read it
├── Truncated       it ends too early, as if an upload was cut off
├── TooLarge        more bytes than its Limits allow
├── TooLong         more seconds than its Limits allow
├── Silence         nothing but silence            (raised by vad.py)
├── NoSpeech        sound, but no speech           (raised by vad.py)
└── TooLittleSpeech less than MIN_SPEECH_S         (raised by vad.py)
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from ser_model.frontend import SAMPLE_RATE

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 16
BLOCK_FRAMES = 65_536
MIB = 1024**2

MIN_COMPLETE_RATIO = 0.95  # of the length in the header; a recording shorter than that was cut off
RIFF_SLACK = 1024  # bytes by which a RIFF size may be wrong; many writers count the header twice, or not at all
MAX_RIFF_SIZE = 1024**3  # larger sizes are placeholders such as 0x7FFFFFFF, of writers that stream
UNKNOWN_FRAMES = 2**62  # libsndfile gives such lengths when the header has none
OGG_HEADER = 27  # bytes of an Ogg page before its table of segment sizes

CODECS = ("aac", "alac", "flac", "mp3", "mp3float", "opus", "pcm_s16le", "pcm_s16be", "pcm_f32le", "vorbis")
HAS_DURATION = ("matroska", "mp4")  # containers whose header may hold the duration
MAX_PACKETS = 3_000_000  # of an MP4; a minute of PCM has 2.9 million, a minute of AAC 3,000
MAX_BOXES = 10_000  # of one type in an MP4; a fragmented recording has a few each second

Waveform = NDArray[np.float32]  # (time,) at SAMPLE_RATE, full scale 1
AudioSource = str | Path | bytes


@dataclass(frozen=True)
class Limits:
    """The longest and largest recording that is read."""

    max_s: int
    max_bytes: int


CLIP_LIMITS = Limits(max_s=60, max_bytes=20 * MIB)  # from a visitor
RECORDING_LIMITS = Limits(
    max_s=660, max_bytes=260 * MIB
)  # from the command line: ten minutes, even in stereo at 96 kHz


class AudioError(ValueError):
    """The recording cannot be used. The message is one sentence for the person who made it."""


class NotAudio(AudioError):  # noqa: N818 - these names say what the recording is
    """No decoder can read it."""


class Truncated(AudioError):  # noqa: N818
    """It ends too early, as if an upload was cut off."""


class TooLarge(AudioError):  # noqa: N818
    """It has more bytes than its Limits allow."""


class TooLong(AudioError):  # noqa: N818
    """It has more seconds than its Limits allow."""


class Silence(AudioError):  # noqa: N818
    """It is silent."""


class NoSpeech(AudioError):  # noqa: N818
    """It has sound, but no speech."""


class TooLittleSpeech(AudioError):  # noqa: N818
    """It has speech, but too little."""


_NOT_AUDIO = "This is not a recording that can be read. Please use WAV, MP3, FLAC, OGG, WebM or M4A."
_TRUNCATED = "The file ends too early, as if the upload was cut off. Please send it again."


def load_audio(source: AudioSource, limits: Limits = CLIP_LIMITS) -> Waveform:
    """Decode a recording, mix it to mono and resample it.

    libsndfile reads WAV, FLAC, OGG, Opus and most MP3; FFmpeg (in PyAV) reads WebM, M4A, AAC and the rest.

    Args:
        source: A path, or the bytes of a file.
        limits: The longest and largest recording to accept.

    Returns:
        (time,) float32 at SAMPLE_RATE, full scale 1.

    Raises:
        AudioError: The recording cannot be used; see the tree above.
        OSError: The path cannot be read.
    """
    data = _read_bytes(source, limits)
    container = _sniff_container(data)
    samples, rate_hz = _decode_av(data, container, limits) if container else _decode_soundfile(data, limits)
    if not samples.size:
        raise NotAudio("The file has no sound in it. Please record again or choose another file.")
    if not np.isfinite(samples).all():
        raise NotAudio("The file has damaged samples. Please record again or export it as WAV or MP3.")
    if rate_hz == SAMPLE_RATE:
        return samples
    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE), dtype=np.float32)


def _read_bytes(source: AudioSource, limits: Limits) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        with Path(source).open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        megabytes = limits.max_bytes // MIB
        raise TooLarge(f"The file is larger than {megabytes} MB. Please send a shorter clip, or MP3 or FLAC.")
    if not data:
        raise NotAudio("The file is empty. Please record again or choose another file.")
    return data


def _sniff_container(data: bytes) -> str | None:
    """Return FFmpeg's demuxer for what libsndfile cannot read; naming it keeps FFmpeg from opening playlists."""
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "aac"
    if data.startswith(b"fLaC") and data[22:26] == bytes(4):  # a streamed FLAC has no length in its header
        return "flac"
    return None


def _decode_soundfile(data: bytes, limits: Limits) -> tuple[Waveform, int]:
    cut = _riff_is_cut(data) or _ogg_is_cut(data)
    try:
        with sf.SoundFile(io.BytesIO(data)) as file:
            _check_format(file.samplerate, file.channels)
            if file.format == "MP3" and b"Xing" not in data and b"Info" not in data:
                return _decode_av(data, "mp3", limits)  # libsndfile guesses its length from the first frame
            samples, rate_hz = _collect(_read_blocks(file), file.samplerate, limits), file.samplerate
            declared = file.frames if file.frames < UNKNOWN_FRAMES else 0
            cut = cut or samples.size < MIN_COMPLETE_RATIO * declared
    except sf.LibsndfileError as error:
        raise (Truncated(_TRUNCATED) if cut or data.startswith(b"fLaC") else NotAudio(_NOT_AUDIO)) from error
    if cut:
        raise Truncated(_TRUNCATED)
    return samples, rate_hz


def _read_blocks(file: sf.SoundFile) -> Iterator[Waveform]:
    """Yield mono blocks; file.blocks() would fill up a short one with old samples."""
    while (block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)).size:
        yield block.mean(axis=1)


def _decode_av(data: bytes, container: str, limits: Limits) -> tuple[Waveform, int]:
    import av  # noqa: PLC0415 - needs memory and time, and few recordings need it

    if container == "mp4" and exceeds_packet_limit(data):
        raise NotAudio(_NOT_AUDIO)
    only = {"codec_whitelist": ",".join(CODECS)}  # keeps FFmpeg from trying its hundreds of other codecs
    try:
        with av.open(io.BytesIO(data), "r", container, metadata_errors="ignore", container_options=only) as file:
            stream = next(iter(file.streams.audio), None)
            if stream is None or stream.codec_context is None or stream.codec_context.name not in CODECS:
                raise NotAudio(_NOT_AUDIO)
            rate_hz = stream.codec_context.sample_rate
            _check_format(rate_hz, stream.codec_context.channels)
            to_mono = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
            frames = (mono for frame in file.decode(stream) for mono in to_mono.resample(frame))
            samples = _collect((frame.to_ndarray()[0] for frame in frames), rate_hz, limits)
            declared_s = (file.duration or 0) / 1e6 if container in HAS_DURATION and not file.streams.video else 0.0
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        cut = container == "mp4" and b"moov" not in data
        raise (Truncated(_TRUNCATED) if cut else NotAudio(_NOT_AUDIO)) from error
    if samples.size < MIN_COMPLETE_RATIO * declared_s * rate_hz:
        raise Truncated(_TRUNCATED)
    return samples, rate_hz


def _check_format(rate_hz: int, channels: int) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ or not 1 <= channels <= MAX_CHANNELS:
        raise NotAudio(
            f"A sampling rate of {rate_hz} Hz with {channels} channels is not speech. "
            "Please export the clip as an ordinary WAV or MP3."
        )


def _collect(blocks: Iterable[Waveform], rate_hz: int, limits: Limits) -> Waveform:
    """Join mono blocks; stop as soon as they exceed the limit, whatever the header says."""
    collected, total = [np.zeros(0, np.float32)], 0
    for block in blocks:
        collected.append(block)
        total += block.size
        if total > limits.max_s * rate_hz:
            raise TooLong(f"The clip is longer than {limits.max_s} seconds. Please send a shorter part of it.")
    return np.concatenate(collected)


def _riff_is_cut(data: bytes) -> bool:
    """Return whether a WAV file is clearly shorter than the size in its header, if that size is plausible."""
    if not data.startswith(b"RIFF") or not b"WAVE".startswith(data[8:12]):
        return False
    declared = int.from_bytes(data[4:8], "little")
    return len(data) + RIFF_SLACK < declared < MAX_RIFF_SIZE


def _ogg_is_cut(data: bytes) -> bool:
    """Return whether an Ogg file ends within a page (RFC 3533, section 6)."""
    if not data.startswith(b"OggS"):
        return False
    page = data[data.rfind(b"OggS") :]
    if len(page) < OGG_HEADER:
        return True
    body = OGG_HEADER + page[OGG_HEADER - 1]  # behind the header and the sizes of the segments
    return len(page) < body + sum(page[OGG_HEADER:body])


def exceeds_packet_limit(data: bytes) -> bool:
    """Return whether the tables of an MP4 declare more than MAX_PACKETS packets, or are compressed.

    FFmpeg allocates an entry of 24 bytes for each declared packet, so a few bytes could ask for gigabytes.
    """
    tables = b"".join(_boxes_without_media(data))
    if b"cmov" in tables:  # compressed
        return True
    total = 0
    for name in (b"stsz", b"trun", b"stts", b"ctts"):
        places = [match.end() for match in re.finditer(name, tables)]
        if len(places) > MAX_BOXES:
            return True
        for place in places:
            if name in (b"stsz", b"trun"):  # hold a count
                start = place + (8 if name == b"stsz" else 4)
                total += int.from_bytes(tables[start : start + 4], "big")
            else:  # hold runs of (count, length); an empty run takes time, too
                size = 8 * int.from_bytes(tables[place + 4 : place + 8], "big")
                runs = tables[place + 8 : place + 8 + size]
                counts = np.frombuffer(runs[: len(runs) // 8 * 8], ">u4")[::2]
                total += int(counts.sum(dtype=np.uint64)) + len(counts)
            if total > MAX_PACKETS:
                return True
    return False


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
