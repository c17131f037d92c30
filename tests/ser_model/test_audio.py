from __future__ import annotations

import io
from pathlib import Path

import av
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
    Silence,
    TooLarge,
    TooLong,
    Truncated,
    load_audio,
    read_recording,
)
from ser_model.recognize import EmotionRecognizer
from ser_model.vad import SpeechDetector


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


# channels and tracks

NOISE = np.random.default_rng(0).standard_normal(speak().size).astype(np.float32)
QUIET_VOICE = 0.1 * speak()
MUSIC = sum(0.1 * np.sin(2 * np.pi * hz * np.arange(speak().size) / RATE_HZ) for hz in (220, 277, 330))


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
@pytest.mark.parametrize("gain", [-1.0, -0.9, -1.1])
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_channels_that_cancel_each_other_out_are_not_mixed(subtype: str, gain: float, offset: float) -> None:
    voice = 0.5 * speak()
    heard = read_recording(encode(np.stack([voice, gain * voice + offset], axis=1), subtype=subtype))
    assert max(similarity(heard.waveform, voice), similarity(-heard.waveform, voice)) > 0.98
    assert np.abs(heard.waveform).max() > 0.2
    assert "cancel each other out" in heard.notice


def test_channels_of_opposite_sign_and_a_small_delay_are_not_mixed() -> None:
    heard = read_recording(encode(np.stack([speak(), -np.roll(speak(), 3)], axis=1)))
    assert similarity(heard.waveform, speak()) > 0.98
    assert "cancel each other out" in heard.notice


def test_channels_of_a_lossy_codec_that_cancel_each_other_out_are_not_mixed() -> None:
    voice = soxr.resample(speak(), RATE_HZ, 48_000)
    heard = read_recording(encode_av(np.stack([voice, -voice]), "mp4", "aac"))
    assert similarity(heard.waveform, speak()) > 0.95
    assert "cancel each other out" in heard.notice


@pytest.mark.parametrize("other", [np.zeros_like(NOISE), 0.3 * NOISE, MUSIC], ids=["silence", "noise", "music"])
@pytest.mark.parametrize("number", [0, 1, 5])
def test_of_several_channels_the_one_with_speech_is_heard(other: np.ndarray, number: int) -> None:
    channels = [other] * (6 if number == 5 else 2)
    channels[number] = QUIET_VOICE
    heard = read_recording(encode(np.stack(channels, axis=1)))
    assert similarity(heard.waveform, speak()) > 0.99
    assert heard.notice.startswith(f"Only channel {number + 1} of {len(channels)} has speech")


def test_two_voices_on_two_channels_are_mixed() -> None:
    one, two = speak(), np.roll(speak("eoiauoie", pitch_hz=210), 4_000)
    heard = read_recording(encode(np.stack([one, two], axis=1)))
    assert np.allclose(heard.waveform, (one + two) / 2, atol=1e-3)
    assert heard.notice == ""


def write_tracks(*tracks: np.ndarray) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        streams = [out.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono") for _ in tracks]
        for stream, track in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray((track * 32_767).astype(np.int16)[np.newaxis], "s16", "mono")
            frame.sample_rate = RATE_HZ
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_of_several_tracks_the_first_with_speech_is_heard(number: int) -> None:
    tracks = [np.zeros_like(NOISE), 0.1 * NOISE, 0.1 * NOISE]
    tracks[number:] = [QUIET_VOICE] * (3 - number)
    heard = read_recording(write_tracks(*tracks))
    assert similarity(heard.waveform, speak()) > 0.99
    assert heard.notice == f"The file has 3 sound tracks; only number {number + 1} was used."


# levels and quality


@pytest.mark.parametrize("peak_db", [-45, -60, -80, -96])
def test_very_quiet_speech_is_heard(peak_db: int) -> None:
    voice = speak() * 2 * 10 ** (peak_db / 20)
    heard = read_recording(encode(voice, subtype="PCM_16" if peak_db > -70 else "PCM_32"))
    assert similarity(heard.waveform, speak()) > 0.98
    assert SpeechDetector().detect(heard.waveform).voiced_s > 1
    assert ("very quiet" in heard.notice) == (peak_db < -70)


@pytest.mark.parametrize("level", [0, 1, 3])
def test_the_noise_of_an_open_input_is_silence(level: int) -> None:
    with pytest.raises(Silence):
        SpeechDetector().detect(load_audio(encode(np.round(level * NOISE / 3) / 32_768)))


@pytest.mark.parametrize(
    ("rate_hz", "form", "subtype", "is_poor"),
    [(6_000, "WAV", "PCM_16", True), (8_000, "WAV", "PCM_16", False), (8_000, "WAV", "GSM610", True)],
)
def test_poor_quality_has_an_answer_with_a_notice(rate_hz: int, form: str, subtype: str, is_poor: bool) -> None:
    heard = read_recording(encode(soxr.resample(speak(), RATE_HZ, rate_hz), rate_hz, form, subtype))
    assert ("less certain" in heard.notice) == is_poor


def test_the_notices_of_a_recording_are_those_of_its_prediction() -> None:
    data = encode(np.stack([speak(), np.zeros_like(NOISE)], axis=1))
    assert EmotionRecognizer.load().recognize(data).notice.endswith(read_recording(data).notice)
