"""Files as other people's programs write them: what can be heard is heard, whatever the header says."""

from __future__ import annotations

import io
import itertools
import struct

import av
import numpy as np
import pytest
import soxr
from encoded import encode, similarity
from voice import RATE_HZ, speak

from benchmarks.fuzz import encode_av
from ser_model.audio import CLIP_LIMITS, MAY_BE_CUT, NotAudio, Truncated, load_audio, read_recording
from ser_model.decode import FORMATS, decode

VOICE = speak()
LENGTH_S = VOICE.size / RATE_HZ
UNKNOWN = 0xFFFF_FFFF


def ogg(subtype: str, voice: np.ndarray = VOICE) -> bytes:
    return encode(voice, form="OGG", subtype=subtype)


def mp3(voice: np.ndarray = VOICE, with_length: bool = True) -> bytes:
    data = encode(voice, form="MP3", subtype=None)
    return data if with_length else data[data.index(data[:2], 4) :]  # without the first frame, which has the length


def adts(voice: np.ndarray = VOICE) -> bytes:
    return encode_av(voice, "adts", "aac", RATE_HZ)


def wav(riff: int | None = None, data: int | None = None) -> bytes:
    file = bytearray(encode(VOICE))
    for place, size in ((4, riff), (40, data)):
        if size is not None:
            struct.pack_into("<I", file, place, size)
    return bytes(file)


def hears(data: bytes, times: float = 1.0) -> bool:
    """Whether the voice is heard so many times, and nothing seems to be missing."""
    heard = read_recording(data)
    assert heard.waveform.size / RATE_HZ == pytest.approx(times * LENGTH_S, abs=0.15 * max(times, 1))
    assert similarity(heard.waveform, VOICE) > 0.7 / np.sqrt(max(times, 1))
    assert heard.notice == ""
    return True


# WAV headers

SIZES = (None, 0, 8, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000, 0x8000_0024, UNKNOWN, len(wav()), len(wav()) + 44)


@pytest.mark.parametrize(("riff", "data"), [*itertools.product(SIZES, (None, 0, UNKNOWN)), *((None, s) for s in SIZES)])
def test_a_complete_wav_is_read_whatever_its_header_says_of_its_size(riff: int | None, data: int | None) -> None:
    """Many writers count the header wrong, and those that stream cannot know the size."""
    assert np.allclose(load_audio(wav(riff, data)), VOICE, atol=1e-3)
    assert hears(wav(riff, data))


@pytest.mark.parametrize("size", [2, 20_000, len(wav()) // 2])
def test_a_wav_whose_size_was_never_brought_up_to_date_is_read_to_its_end(size: int) -> None:
    assert hears(wav(size + 36, size))


@pytest.mark.parametrize("chunk", [b"LIST" + struct.pack("<I", 4000) + b"INFO" + bytes(3996), bytes(4000), b"\0"])
def test_what_follows_the_samples_is_not_heard(chunk: bytes) -> None:
    assert load_audio(wav() + chunk).size == VOICE.size


@pytest.mark.parametrize("size", [None, 0, 0x7FFF_FFFF, UNKNOWN])
def test_joined_wavs_are_heard_whole(size: int | None) -> None:
    assert hears(3 * wav(size, size), 3)
    other = encode(soxr.resample(VOICE, RATE_HZ, 44_100), 44_100, subtype="PCM_24")
    assert hears(wav(size, size) + other, 2)


@pytest.mark.parametrize(
    ("form", "place", "sizes"),
    [("AU", 8, (UNKNOWN,)), ("AIFF", 4, (0, 0x7FFF_FFFF)), ("CAF", 0, ()), ("W64", 0, ()), ("RF64", 0, ())],
)
def test_other_uncompressed_files_are_read_without_a_size(form: str, place: int, sizes: tuple[int, ...]) -> None:
    assert hears(encode(VOICE, form=form))
    for size in sizes:
        data = bytearray(encode(VOICE, form=form))
        struct.pack_into(">I", data, place, size)
        assert hears(bytes(data))


# streams


def crc(page: bytes) -> int:
    """RFC 3533's checksum."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x04C1_1DB7 if register & 0x8000_0000 else 0)
    return register & 0xFFFF_FFFF


def without_end_mark(data: bytes) -> bytes:
    start = data.rfind(b"OggS")
    page = bytearray(data[start:])
    assert page[5] & 4
    page[5] &= ~4
    page[22:26] = bytes(4)
    page[22:26] = struct.pack("<I", crc(page))
    return data[:start] + bytes(page)


@pytest.mark.parametrize("subtype", ["OPUS", "VORBIS"])
def test_an_ogg_without_an_end_mark_is_complete(subtype: str) -> None:
    assert hears(without_end_mark(ogg(subtype)))
    assert hears(2 * without_end_mark(ogg(subtype)), 2)


@pytest.mark.parametrize(
    "data",
    [mp3(), mp3(with_length=False), ogg("OPUS"), ogg("VORBIS"), encode(VOICE, form="FLAC"), adts()],
    ids=["mp3", "mp3 without length", "opus", "vorbis", "flac", "aac"],
)
@pytest.mark.parametrize("count", [2, 4])
def test_joined_files_are_heard_whole(data: bytes, count: int) -> None:
    assert hears(count * data, count)


def test_links_of_a_chain_may_differ() -> None:
    low = encode(soxr.resample(VOICE, RATE_HZ, 8_000), 8_000, "OGG", "VORBIS")
    stereo = encode(np.stack([VOICE, VOICE], axis=1), form="OGG", subtype="VORBIS")
    assert hears(ogg("VORBIS") + low + stereo, 3)


def with_crc(data: bytes) -> bytes:
    """ADTS frames with the optional checksum, which decoders ignore."""
    frames, place = [], 0
    while place < len(data):
        head = int.from_bytes(data[place : place + 7], "big")
        size = (head >> 13) & 0x1FFF
        head = (head & ~(0x1FFF << 13) & ~(1 << 40)) | (size + 2) << 13
        frames.append(head.to_bytes(7, "big") + b"\x12\x34" + data[place + 7 : place + size])
        place += size
    return b"".join(frames)


ID3 = b"ID3\x04\0\0\0\0\0\x3f" + b"PRIV\0\0\0\x35\0\0com.apple.streaming.transportStreamTimestamp\0" + bytes(8)
OFF_FRAME: dict[str, bytes] = {
    "aac with id3": ID3 + adts(),
    "aac with crc": with_crc(adts()),
    "aac from within a frame": adts()[300:],
    "aac up to within a frame": adts()[:-50],
    "mp3 from within a frame": mp3(with_length=False)[100:],
    "zeros before mp3": bytes(3_000) + mp3(),
    "zeros after id3": ID3 + bytes(3_000) + mp3(),
    "junk before mp3": b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n" + mp3(),
    "junk behind mp3": mp3() + b"\xaa" * 3_000,
    "latm": encode_av(VOICE, "latm", "aac", RATE_HZ),
}


@pytest.mark.parametrize("data", OFF_FRAME.values(), ids=OFF_FRAME.keys())
def test_streams_that_begin_or_end_between_frames_are_heard(data: bytes) -> None:
    assert hears(data)


# containers and codecs

KINDS = (
    ("mov", "pcm_s16be", 96_000), ("mov", "pcm_s16le", 48_000), ("mov", "alac", 48_000), ("mp4", "aac", 48_000),
    ("mp4", "libopus", 48_000), ("mp4", "libmp3lame", 48_000), ("3gp", "aac", 16_000), ("matroska", "aac", 48_000),
    ("matroska", "pcm_s16le", 48_000), ("webm", "libopus", 48_000), ("avi", "libmp3lame", 48_000),
    ("nut", "aac", 48_000), ("mpegts", "aac", 48_000), ("mpeg", "mp2", 48_000), ("flv", "aac", 44_100),
    ("flv", "nellymoser", 16_000), ("ac3", "ac3", 48_000), ("eac3", "eac3", 48_000), ("wv", "wavpack", 48_000),
    ("tta", "tta", 48_000), ("mp2", "mp2", 48_000), ("wav", "pcm_alaw", 16_000), ("wav", "adpcm_ima_wav", 16_000),
    ("wav", "adpcm_ms", 16_000), ("wav", "g726", 8_000), ("au", "pcm_mulaw", 16_000), ("sox", "pcm_s32le", 16_000),
    ("aiff", "pcm_s16be", 16_000),
)  # fmt: skip


@pytest.mark.parametrize(("container", "codec", "rate_hz"), KINDS, ids=str)
def test_everything_that_ffmpeg_reads_is_heard(container: str, codec: str, rate_hz: int) -> None:
    assert hears(encode_av(soxr.resample(VOICE, RATE_HZ, rate_hz), container, codec, rate_hz))


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        ("WAV", "GSM610"),
        ("WAV", "G721_32"),
        ("WAV", "IMA_ADPCM"),
        ("AU", "G723_40"),
        ("CAF", "ALAC_16"),
        ("NIST", "ULAW"),
    ],
)
def test_everything_that_libsndfile_reads_is_heard(form: str, subtype: str) -> None:
    low = soxr.resample(VOICE, RATE_HZ, 8_000)
    heard = read_recording(encode(low, 8_000, form, subtype)).waveform
    assert similarity(heard, soxr.resample(low, 8_000, RATE_HZ)) > 0.95


def test_flac_in_ogg_is_heard() -> None:
    flac = encode(VOICE, form="FLAC")
    file = io.BytesIO()
    with av.open(io.BytesIO(flac)) as source, av.open(file, "w", format="ogg") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    assert hears(file.getvalue())


# declared lengths


def move(data: bytes, *shifts: tuple[int, float]) -> bytes:
    """Write the packets of a file into a WebM again, those from a number on so many seconds later."""
    file = io.BytesIO()
    with av.open(io.BytesIO(data)) as source, av.open(file, "w", format="matroska") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for number, packet in enumerate(source.demux(source.streams.audio[0])):
            if packet.dts is None:
                continue
            assert packet.time_base is not None
            late = round(sum(late_s for first, late_s in shifts if number >= first) / packet.time_base)
            packet.pts, packet.dts, packet.stream = (packet.pts or 0) + late, packet.dts + late, stream
            out.mux(packet)
    return file.getvalue()


def declare(data: bytes, factor: float) -> bytes:
    """Multiply the Duration of a WebM."""
    place = data.index(b"\x44\x89\x88") + 3
    (ms,) = struct.unpack_from(">d", data, place)
    return data[:place] + struct.pack(">d", factor * ms) + data[place + 8 :]


WEBM = encode_av(soxr.resample(VOICE, RATE_HZ, 48_000), "webm", "libopus")
M4A = encode_av(VOICE, "mp4", "aac", RATE_HZ)


def test_sound_that_begins_after_megabytes_of_something_else_is_found() -> None:
    data = encode_av(soxr.resample(VOICE, RATE_HZ, 48_000), "mpeg", "mp2")
    padding = b"\0\0\1\xbe\xff\xff" + bytes(65_535)  # a packet of MPEG program streams
    start = data.index(b"\0\0\1\xc0")  # the first packet with sound
    assert hears(data[:start] + 100 * padding + data[start:])


@pytest.mark.parametrize("shifts", [((0, 4.0),), ((40, 5.0),), ((30, 2.0), (60, 9.0))])
def test_pauses_and_a_late_start_are_no_sign_of_a_cut(shifts: tuple[tuple[int, float], ...]) -> None:
    assert hears(move(WEBM, *shifts))
    assert hears(move(M4A, *shifts))
    assert hears(encode_av(VOICE, "mp4", "aac", RATE_HZ, start_s=shifts[0][1]))


@pytest.mark.parametrize("factor", [0.0, 0.1, 1.0])
def test_a_declared_length_that_is_too_short_means_nothing(factor: float) -> None:
    assert hears(declare(WEBM, factor))


LONG = np.tile(VOICE, 4)
CUT: dict[str, bytes] = {
    "wav": wav()[:60_000],
    "mp3": mp3()[:10_000],
    "vorbis": ogg("VORBIS")[:10_000],
    "opus": ogg("OPUS", LONG)[:20_000],
    "webm": encode_av(LONG, "webm", "libopus", RATE_HZ)[:-30_000],
    "webm whose length is wrong": declare(WEBM, 3.0),
}


@pytest.mark.parametrize("data", CUT.values(), ids=CUT.keys())
def test_what_seems_to_be_cut_off_is_heard_with_a_notice(data: bytes) -> None:
    heard = read_recording(data)
    assert heard.notice == MAY_BE_CUT
    assert heard.waveform.size > RATE_HZ / 2


BROKEN_OFF: dict[str, bytes] = {
    "header only": wav()[:30],
    "flac": encode(VOICE, form="FLAC")[:20_000],
    "m4a without index": encode_av(LONG, "mp4", "aac", RATE_HZ)[:30_000],
    "m4a with index": encode_av(LONG, "mp4", "aac", RATE_HZ, moov_size="20000")[:50_000],
}


@pytest.mark.parametrize("data", BROKEN_OFF.values(), ids=BROKEN_OFF.keys())
def test_a_decoder_that_stops_within_the_sound_means_that_it_is_cut_off(data: bytes) -> None:
    with pytest.raises(Truncated, match="send it again"):
        load_audio(data)


# what is no recording


NOISE = np.random.default_rng(0).bytes(50_000)
OTHER: dict[str, bytes] = {
    "noise": NOISE,
    "zeros": bytes(100_000),
    "zip": b"PK\x03\x04" + NOISE,
    "png": b"\x89PNG\r\n\x1a\n" + NOISE,
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
}


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER.keys())
def test_other_files_are_not_audio(data: bytes) -> None:
    with pytest.raises(NotAudio):
        load_audio(data)


def test_no_format_opens_other_files_or_devices() -> None:
    assert not {"concat", "hls", "dash", "image2", "lavfi", "rtsp", "sdp", "alsa", "sbg"} & set(FORMATS)


# offsets


@pytest.mark.parametrize(("peak", "offset"), [(0.5, 0.5), (0.1, 0.1), (0.05, -0.5), (0.02, 0.9)])
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44_100])
def test_a_constant_offset_is_removed(peak: float, offset: float, rate_hz: int) -> None:
    voice = peak * VOICE / np.abs(VOICE).max()
    heard = load_audio(encode(soxr.resample(voice, RATE_HZ, rate_hz) + offset, rate_hz))
    assert abs(heard.mean()) < 0.01 * peak
    assert similarity(heard, VOICE) > 0.9


def test_an_offset_that_decays_is_removed() -> None:
    voice = 0.05 * VOICE + 0.8 * np.exp(-np.arange(VOICE.size) / RATE_HZ)
    heard = load_audio(encode(voice))
    assert similarity(heard[1_000:], VOICE) > 0.8


def test_each_kind_of_sample_has_the_same_scale() -> None:
    for container, codec in (("wav", "pcm_u8"), ("wav", "pcm_s24le"), ("wav", "pcm_f64le"), ("mov", "pcm_s32le")):
        sound = decode(encode_av(VOICE, container, codec, RATE_HZ), CLIP_LIMITS)
        assert np.abs(sound.waveform - VOICE).max() < 0.02
