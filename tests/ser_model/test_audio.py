from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from voice import RATE_HZ, speak

from benchmarks.mutations import encode_av
from ser_model.audio import RECORDING, SAMPLE_RATE, AudioError, NotAudio, TooLarge, TooLong, Truncated, load_audio

ORIGINALS = "data/ravdess/original_48k"


def encode(samples: np.ndarray, rate_hz: int = RATE_HZ, form: str = "WAV", subtype: str | None = "PCM_16") -> bytes:
    file = io.BytesIO()
    sf.write(file, samples, rate_hz, format=form, subtype=subtype)
    return file.getvalue()


def correlate(a: np.ndarray, b: np.ndarray) -> float:
    """Highest correlation over the small delays that codecs add."""
    size = min(a.size, b.size) - 3200
    return max(float(np.corrcoef(a[lag : lag + size], b[:size])[0, 1]) for lag in range(0, 3200, 1))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_wav_of_every_width_and_rate_gives_the_same_sound(subtype: str, rate_hz: int) -> None:
    times = np.arange(rate_hz) / rate_hz
    tone = 0.4 * np.sin(2 * np.pi * 440 * times)
    got = load_audio(encode(tone, rate_hz, subtype=subtype))
    want = 0.4 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)
    assert got.dtype == np.float32
    assert abs(got.size - RATE_HZ) <= 1
    assert np.abs(got[800:-800] - want[800 : got.size - 800]).max() < 0.01


@pytest.mark.parametrize(("form", "subtype"), [("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)])
def test_compressed_formats_keep_the_voice(form: str, subtype: str | None) -> None:
    voice = speak()
    assert correlate(load_audio(encode(voice, form=form, subtype=subtype)), voice) > 0.95


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("mp4", "aac"), ("adts", "aac")])
def test_what_browsers_and_phones_record_keeps_the_voice(container: str, codec: str) -> None:
    voice = speak()
    data = encode_av(soxr.resample(voice, RATE_HZ, 48_000), container, codec)
    assert correlate(load_audio(data), voice) > 0.95


def test_path_and_bytes_give_the_same_samples(tmp_path: Path) -> None:
    data = encode(speak())
    path = tmp_path / "voice.wav"
    path.write_bytes(data)
    assert np.array_equal(load_audio(data), load_audio(path))
    assert np.array_equal(load_audio(data), load_audio(str(path)))


def test_stereo_is_mixed_to_mono() -> None:
    voice = speak()
    got = load_audio(encode(np.stack([voice, np.zeros_like(voice)], axis=1)))
    assert np.allclose(got, voice / 2, atol=1e-3)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotAudio),
        (b"hello, this is a letter", NotAudio),
        (b"#EXTM3U\nfile:///etc/passwd\n", NotAudio),
        (b"\x1a\x45\xdf\xa3" + bytes(200), NotAudio),
        (encode(np.zeros(0)), NotAudio),
        (encode(np.array([0.1, np.nan] * 8000), subtype="FLOAT"), NotAudio),
        (encode(np.zeros(61 * 8000), 8000), TooLong),
        (encode(np.zeros(65 * 16_000), 16_000, "OGG", "OPUS"), TooLong),
        (bytes(20_000_001), TooLarge),
        (encode(speak())[:20_000], Truncated),
        (encode(speak(), form="FLAC")[:20_000], Truncated),
        (encode(speak(), form="OGG", subtype="VORBIS")[:10_000], Truncated),
        (encode(speak(), form="MP3", subtype=None)[:6_000], Truncated),
        (encode(np.zeros(1000), 1_000), NotAudio),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(24), NotAudio),
        (encode(speak(), form="OGG", subtype="VORBIS").replace(b"vorbis", b"Speex "), NotAudio),
    ],
    ids=[
        "empty",
        "text",
        "playlist",
        "bad-webm",
        "no-samples",
        "nan",
        "long",
        "long-opus",
        "large",
        "cut-wav",
        "cut-flac",
        "cut-ogg",
        "cut-mp3",
        "1kHz",
        "webp",
        "another-ogg",
    ],
)
def test_bad_recordings_get_their_own_error_and_a_sentence(data: bytes, error: type[AudioError]) -> None:
    with pytest.raises(error) as caught:
        load_audio(data)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_whoever_brings_their_own_files_may_bring_longer_ones() -> None:
    assert load_audio(encode(np.zeros(61 * 8000), 8000), RECORDING).size == 61 * SAMPLE_RATE
    with pytest.raises(TooLong, match="660 seconds"):
        load_audio(encode(np.zeros(661 * 4000), 4000), RECORDING)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_that_is_cut_anywhere_in_its_last_page_is_truncated(subtype: str) -> None:
    whole = encode(speak(), form="OGG", subtype=subtype)
    last_page = whole.rfind(b"OggS")
    assert load_audio(whole).size
    for end in (*range(last_page, last_page + 40), *range(last_page + 40, len(whole), 97), len(whole) - 1):
        with pytest.raises(Truncated):
            load_audio(whole[:end])


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("webm", "libopus")])
def test_what_a_phone_or_browser_sends_is_called_truncated_when_it_is_cut(container: str, codec: str) -> None:
    whole = encode_av(np.tile(speak(), 9), container, codec)
    assert load_audio(whole).size
    with pytest.raises(Truncated):
        load_audio(whole[: len(whole) // 2])


def test_a_header_that_promises_hours_takes_no_memory_for_them() -> None:
    wav = bytearray(encode(np.zeros(100)))
    wav[40:44] = (0xFFFF_FFF0).to_bytes(4, "little")
    wav[4:8] = (0xFFFF_FFFF).to_bytes(4, "little")
    assert load_audio(bytes(wav)).size == 100


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3", b"\0\0\0\x20ftyp", b"ID3\x03"]),
)
def test_any_bytes_give_samples_or_a_named_error(data: bytes, magic: bytes) -> None:
    with contextlib.suppress(AudioError):
        assert load_audio(magic + data).ndim == 1


def test_the_published_wavs_sound_like_their_16_khz_copies(shared: Path) -> None:
    originals = sorted((shared / ORIGINALS).glob("*/*.wav"))
    assert len(originals) == 10
    assert sum(sf.info(path).channels == 2 for path in originals) == 2
    for path in originals:
        copy = load_audio(shared / "data/ravdess/speech" / path.parent.name / f"{path.stem}.flac")
        assert np.sqrt(np.mean((load_audio(path) - copy) ** 2) / np.mean(copy**2)) < 0.01


def test_words_in_an_mp3s_tag_are_not_taken_for_its_size() -> None:
    voice = encode(speak(), form="MP3", subtype=None)
    words = b"TXXX Info\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(80)
    tag = b"ID3\x03\x00\x00" + bytes([0, 0, 0, len(words)]) + words
    assert np.array_equal(load_audio(tag + voice), load_audio(voice))
