from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from encoded import encode, similarity
from voice import RATE_HZ, speak

from benchmarks.fuzz import encode_av
from ser_model.audio import (
    CLIP_LIMITS,
    RECORDING_LIMITS,
    SAMPLE_RATE,
    AudioError,
    NotAudio,
    TooLarge,
    TooLong,
    Truncated,
    load_audio,
)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_wav_of_every_width_and_rate_gives_the_same_sound(subtype: str, rate_hz: int) -> None:
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    got = load_audio(encode(tone, rate_hz, subtype=subtype))
    want = 0.4 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)
    assert got.dtype == np.float32
    assert abs(got.size - RATE_HZ) <= 1
    assert np.abs(got[800:-800] - want[800 : got.size - 800]).max() < 0.01


@pytest.mark.parametrize(("form", "subtype"), [("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)])
def test_compressed_formats_keep_the_voice(form: str, subtype: str | None) -> None:
    voice = speak()
    assert similarity(load_audio(encode(voice, form=form, subtype=subtype)), voice) > 0.95


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("mp4", "aac"), ("adts", "aac")])
def test_recordings_of_browsers_and_phones_keep_the_voice(container: str, codec: str) -> None:
    voice = speak()
    data = encode_av(soxr.resample(voice, RATE_HZ, 48_000), container, codec)
    assert similarity(load_audio(data), voice) > 0.95


def test_stereo_is_mixed_to_mono() -> None:
    voice = speak()
    got = load_audio(encode(np.stack([voice, voice / 2], axis=1)))
    assert np.allclose(got, 0.75 * voice, atol=1e-3)


BAD: dict[str, tuple[bytes, type[AudioError]]] = {
    "empty": (b"", NotAudio),
    "text": (b"hello, this is a letter", NotAudio),
    "playlist": (b"#EXTM3U\nfile:///etc/passwd\n", NotAudio),
    "bad webm": (b"\x1a\x45\xdf\xa3" + bytes(200), NotAudio),
    "no samples": (encode(np.zeros(0)), NotAudio),
    "nan": (encode(np.array([0.1, np.nan] * 8000), subtype="FLOAT"), NotAudio),
    "1 kHz": (encode(np.zeros(1000), 1_000), NotAudio),
    "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(24), NotAudio),
    "unknown ogg": (encode(speak(), form="OGG", subtype="VORBIS").replace(b"vorbis", b"Speex "), NotAudio),
    "long": (encode(np.zeros(61 * 8000), 8000), TooLong),
    "long opus": (encode(np.zeros(65 * 16_000), 16_000, "OGG", "OPUS"), TooLong),
    "large": (bytes(CLIP_LIMITS.max_bytes + 1), TooLarge),
    "cut wav header": (encode(speak())[:30], Truncated),
    "cut flac": (encode(speak(), form="FLAC")[:20_000], Truncated),
    "cut opus": (encode(speak(), form="OGG", subtype="OPUS")[:3_000], Truncated),
    "cut m4a": (encode_av(np.tile(speak(), 9), "mp4", "aac")[:60_000], Truncated),
}


@pytest.mark.parametrize(("data", "error"), BAD.values(), ids=BAD.keys())
def test_bad_recordings_raise_their_own_error_with_a_sentence(data: bytes, error: type[AudioError]) -> None:
    with pytest.raises(error) as caught:
        load_audio(data)
    assert type(caught.value) is error
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "size", [0, 8, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000, 0x8000_0024, 0xFFFF_FFFF, "file length", "length and header"]
)
def test_a_complete_wav_is_read_whatever_its_header_says_of_its_size(size: int | str) -> None:
    """Many writers count the header wrong, and those that stream cannot know the size."""
    voice, data = speak(), bytearray(encode(speak()))
    sizes = {"file length": len(data), "length and header": len(data) + 44}
    data[4:8] = struct.pack("<I", sizes[size] if isinstance(size, str) else size)
    assert np.allclose(load_audio(bytes(data)), voice, atol=1e-3)
    data[40:44] = b"\xff\xff\xff\xff"  # the size of the samples
    assert np.allclose(load_audio(bytes(data)), voice, atol=1e-3)


def test_a_streamed_flac_without_a_length_is_read() -> None:
    data = bytearray(encode(speak(), form="FLAC"))
    data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    assert np.allclose(load_audio(bytes(data)), speak(), atol=1e-3)


@pytest.mark.parametrize("silence_first", [True, False])
def test_an_mp3_without_a_length_is_read_to_its_end(silence_first: bool) -> None:
    """A guess from the size of the first frame would be far too long or too short."""
    parts = [np.zeros(4 * RATE_HZ, np.float32), speak(pause_s=0)]
    voice = np.concatenate(parts if silence_first else parts[::-1])
    data = encode(voice, form="MP3", subtype=None, bitrate_mode="VARIABLE", compression_level=0.5)
    got = load_audio(data[data.index(data[:2], 4) :])  # without the first frame, which has the length
    assert got.size == pytest.approx(voice.size, abs=2_000)
    assert similarity(got, voice) > 0.95


def test_20_mb_are_what_the_page_allows(tmp_path: Path) -> None:
    """Gradio and browsers count 1024 * 1024 bytes."""
    assert CLIP_LIMITS.max_bytes == 20 * 1024**2
    wav = encode(np.zeros(58 * 96_000), 96_000, subtype="PCM_24").ljust(CLIP_LIMITS.max_bytes, b"\0")
    assert load_audio(wav).size == 58 * SAMPLE_RATE
    (tmp_path / "large.wav").write_bytes(wav + b"\0")
    with pytest.raises(TooLarge, match="20 MB"):
        load_audio(tmp_path / "large.wav")


def test_the_command_line_accepts_longer_recordings() -> None:
    assert load_audio(encode(np.zeros(61 * 8000), 8000), RECORDING_LIMITS).size == 61 * SAMPLE_RATE
    with pytest.raises(TooLong, match="660 seconds"):
        load_audio(encode(np.zeros(661 * 4000), 4000), RECORDING_LIMITS)


def test_the_published_wavs_sound_like_their_16_khz_copies(shared: Path) -> None:
    originals = sorted((shared / "data/ravdess/original_48k").glob("*/*.wav"))
    assert len(originals) == 10
    assert sum(sf.info(path).channels == 2 for path in originals) == 2
    for path in originals:
        copy = load_audio(shared / "data/ravdess/speech" / path.parent.name / f"{path.stem}.flac")
        assert np.sqrt(np.mean((load_audio(path) - copy) ** 2) / np.mean(copy**2)) < 0.01
