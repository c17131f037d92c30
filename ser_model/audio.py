"""One way in for sound: any recording becomes mono float32 samples at 16 kHz, or a named error that says what to do.

AudioError
├── NotAudio        no decoder reads it
├── Truncated       it ends before its own header says
├── TooLarge        more megabytes than its Limits
├── TooLong         more seconds than its Limits
├── Silence         nothing but silence        (raised by speech.py)
├── NoSpeech        sound, but no voice        (raised by speech.py)
└── TooLittleSpeech less than MIN_SPEECH_S     (raised by speech.py)
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from ser_model.mp4 import promises_too_much

SAMPLE_RATE = 16_000  # Hz, the rate of every waveform behind load_audio
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 16
BLOCK_FRAMES = 65_536
WHOLE = 0.95  # share of what its header promises from which a recording counts as whole
CODECS = ("aac", "alac", "flac", "mp3", "mp3float", "opus", "pcm_s16le", "pcm_s16be", "pcm_f32le", "vorbis")
TIMED = ("matroska", "mp4")  # containers that may know how long they last; a browser's recorder does not say
XING_WITHIN = 64  # bytes of an MP3's first frame in which its Xing header is looked for
OGG_HEADER = 27  # bytes of a page in front of the sizes of its segments
UNKNOWN_SIZE = 0xFFFF_FF00  # RIFF sizes from here on are written by recorders that do not know theirs

Waveform = NDArray[np.float32]  # (time,) in about [-1, 1] at SAMPLE_RATE
AudioSource = str | Path | bytes


@dataclass(frozen=True)
class Limits:
    """How much of a recording is read at most."""

    seconds: int
    megabytes: int


CLIP = Limits(seconds=60, megabytes=20)  # from a visitor
RECORDING = Limits(seconds=660, megabytes=260)  # from the command line: ten minutes, as stereo WAV at 96 kHz too


class AudioError(ValueError):
    """A recording that cannot be used; the message is one sentence for the person who made it."""


class NotAudio(AudioError):  # noqa: N818 - the names say what the recording is
    """No decoder reads it."""


class Truncated(AudioError):  # noqa: N818
    """It ends before its own header says."""


class TooLarge(AudioError):  # noqa: N818
    """It has more bytes than are read."""


class TooLong(AudioError):  # noqa: N818
    """It lasts longer than is listened to."""


class Silence(AudioError):  # noqa: N818
    """There is nothing to hear."""


class NoSpeech(AudioError):  # noqa: N818
    """There is sound, but no voice."""


class TooLittleSpeech(AudioError):  # noqa: N818
    """There is a voice, but too briefly."""


def load_audio(source: AudioSource, limits: Limits = CLIP) -> Waveform:
    """Decode a recording, mix it to mono and resample it.

    WAV of every width, FLAC, OGG, Opus and MP3 are read by libsndfile, WebM and M4A by FFmpeg inside PyAV.

    Args:
        source: A path, or the bytes of a file.
        limits: What is refused as too much.

    Returns:
        Samples, (time,) float32 at SAMPLE_RATE, full scale 1.

    Raises:
        AudioError: The recording cannot be used; see the tree above.
        OSError: The path cannot be read.
    """
    data = _read_bytes(source, limits.megabytes)
    container = _sniff_container(data)
    samples, rate_hz = _decode_av(data, container, limits) if container else _decode_soundfile(data, limits)
    if not samples.size:
        raise NotAudio("The file has no sound in it. Please record again or choose another file.")
    if not np.isfinite(samples).all():
        raise NotAudio("The file has damaged samples. Please record again or export it as WAV or MP3.")
    if rate_hz == SAMPLE_RATE:
        return samples
    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE), dtype=np.float32)


def _read_bytes(source: AudioSource, megabytes: int) -> bytes:
    limit = megabytes * 1_000_000
    if isinstance(source, bytes):
        data = source
    else:
        with Path(source).open("rb") as file:
            data = file.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"The file is larger than {megabytes} MB. Please send a shorter clip, or MP3 or FLAC.")
    if not data:
        raise NotAudio("The file is empty. Please record again or choose another file.")
    return data


def _sniff_container(data: bytes) -> str | None:
    """Name the FFmpeg demuxer for WebM, M4A and AAC; naming it keeps playlists and the like from being opened."""
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "aac"
    return None


def _decode_soundfile(data: bytes, limits: Limits) -> tuple[Waveform, int]:
    try:
        with sf.SoundFile(io.BytesIO(data)) as file:
            _check_format(file.samplerate, file.channels)
            promised = file.frames
            blocks = (block.mean(axis=1) for block in file.blocks(BLOCK_FRAMES, dtype="float32", always_2d=True))
            samples = _join_blocks(blocks, file.samplerate, limits.seconds)
            rate_hz = file.samplerate
    except (sf.LibsndfileError, ValueError) as error:  # ValueError: a header that promises no end
        if isinstance(error, AudioError):
            raise
        cut = data.startswith(b"fLaC") or _wav_is_cut(data) or _ogg_is_cut(data)
        raise (Truncated(_TRUNCATED) if cut else NotAudio(_NOT_AUDIO)) from error
    if samples.size < WHOLE * promised or _wav_is_cut(data) or _ogg_is_cut(data) or _mp3_is_cut(data):
        raise Truncated(_TRUNCATED)
    return samples, rate_hz


def _decode_av(data: bytes, container: str, limits: Limits) -> tuple[Waveform, int]:
    import av  # noqa: PLC0415 - takes memory and time at start, and only WebM, M4A and AAC need it

    if container == "mp4" and promises_too_much(data):
        raise NotAudio(_NOT_AUDIO)
    only = {"codec_whitelist": ",".join(CODECS)}  # of FFmpeg's hundreds, also where it only looks
    try:
        with av.open(io.BytesIO(data), "r", container, metadata_errors="ignore", container_options=only) as file:
            stream = next(iter(file.streams.audio), None)
            if stream is None or stream.codec_context is None or stream.codec_context.name not in CODECS:
                raise NotAudio(_NOT_AUDIO)
            rate_hz = stream.codec_context.sample_rate
            _check_format(rate_hz, stream.codec_context.channels)
            to_mono = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
            frames = (mono for frame in file.decode(stream) for mono in to_mono.resample(frame))
            samples = _join_blocks((frame.to_ndarray()[0] for frame in frames), rate_hz, limits.seconds)
            promised_s = (file.duration or 0) / 1e6 if container in TIMED and not file.streams.video else 0.0
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        cut = container == "mp4" and b"moov" not in data
        raise (Truncated(_TRUNCATED) if cut else NotAudio(_NOT_AUDIO)) from error
    if samples.size < WHOLE * promised_s * rate_hz:
        raise Truncated(_TRUNCATED)
    return samples, rate_hz


def _check_format(rate_hz: int, channels: int) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ or not 1 <= channels <= MAX_CHANNELS:
        raise NotAudio(
            f"A sampling rate of {rate_hz} Hz with {channels} channels is not speech. "
            "Please export the clip as an ordinary WAV or MP3."
        )


def _join_blocks(blocks: Iterator[Waveform], rate_hz: int, seconds: int) -> Waveform:
    """Collect mono blocks and stop as soon as they pass the limit, whatever the header promised."""
    kept, total = [np.zeros(0, np.float32)], 0
    for block in blocks:
        kept.append(block)
        total += block.size
        if total > seconds * rate_hz:
            raise TooLong(f"The clip is longer than {seconds} seconds. Please send a shorter part of it.")
    return np.concatenate(kept)


def _wav_is_cut(data: bytes) -> bool:
    """Tell whether a WAV file is shorter than its header says; 0 and UNKNOWN_SIZE promise nothing."""
    if not data.startswith(b"RIFF") or not b"WAVE".startswith(data[8:12]):
        return False
    promised = int.from_bytes(data[4:8], "little")
    return promised < UNKNOWN_SIZE and promised + 8 > len(data) + 1  # one byte of padding may be left out


def _ogg_is_cut(data: bytes) -> bool:
    """Tell whether the last page of an Ogg file is not whole or lacks the end-of-stream flag (RFC 3533, section 6)."""
    if not data.startswith(b"OggS"):
        return False
    page = data[data.rfind(b"OggS") :]
    if len(page) < OGG_HEADER:
        return True
    body = OGG_HEADER + page[OGG_HEADER - 1]  # the header ends with the count of segments, then their sizes come
    return len(page) < body + sum(page[OGG_HEADER:body]) or not page[5] & 0x04


def _mp3_is_cut(data: bytes) -> bool:
    """Tell whether an MP3 is shorter than the size in its Xing or Info header; without one nobody can tell."""
    tag = int.from_bytes(data[6:10], "big")  # size of the ID3 tag in front, seven bits a byte
    first = 10 + sum((tag >> 8 * i & 0x7F) << 7 * i for i in range(4)) if data.startswith(b"ID3") else 0
    place = max(data.find(name, first, first + XING_WITHIN) for name in (b"Xing", b"Info"))
    if place < 0 or data.startswith((b"RIFF", b"fLaC", b"OggS")):
        return False
    flags = int.from_bytes(data[place + 4 : place + 8], "big")
    field = place + 8 + 4 * (flags & 1)  # the count of frames stands before the size, when it is there
    promised = int.from_bytes(data[field : field + 4], "big") if flags & 2 else 0
    return len(data) - first < WHOLE * promised


_NOT_AUDIO = "This is not a recording that can be read. Please use WAV, MP3, FLAC, OGG, WebM or M4A."
_TRUNCATED = "The file ends too early, as if the upload was cut off. Please send it again."
