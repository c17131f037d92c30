from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from voice import RATE_HZ, speak

from ser_model.audio import Music, NoSpeech, Silence, TooLittleSpeech, load_audio
from ser_model.evaluation.robustness.sounds import make_band, make_beeps
from ser_model.vad import MAX_TONALITY, SpeechDetector, tonality


@pytest.fixture(scope="module")
def detector() -> SpeechDetector:
    return SpeechDetector()


@pytest.mark.parametrize("pitch_hz", [100, 140, 220])
@pytest.mark.parametrize("gain", [0.003, 0.1, 1.9])
def test_the_span_is_where_the_voice_is_at_any_level(detector: SpeechDetector, pitch_hz: float, gain: float) -> None:
    voice = speak(pitch_hz=pitch_hz, pause_s=0.5) * np.float32(gain)
    span = detector.detect(voice)
    assert span.start_s == pytest.approx(0.5, abs=0.15)
    assert span.end_s == pytest.approx(voice.size / RATE_HZ - 0.5, abs=0.2)
    assert span.voiced_s <= span.end_s - span.start_s
    assert span.crop(voice).size == pytest.approx((span.end_s - span.start_s) * RATE_HZ, abs=2)


@pytest.mark.parametrize("seconds", [0, 1])
def test_silence_has_its_own_error(detector: SpeechDetector, seconds: int) -> None:
    with pytest.raises(Silence, match="choose another one") as caught:
        detector.detect(np.zeros(seconds * RATE_HZ, np.float32))
    assert "microphone" in caught.value.spoken


def test_noise_and_chords_are_not_speech_and_are_told_apart(detector: SpeechDetector, rng: np.random.Generator) -> None:
    times = np.arange(3 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * times) for hz in (262, 330, 392))
    noise = rng.standard_normal(times.size)
    rumble = 0.02 * np.cumsum(noise)
    for sound, kind in ((noise, NoSpeech), (rumble - rumble.mean(), NoSpeech), (chord, Music)):
        with pytest.raises(NoSpeech) as caught:
            detector.detect((0.1 * sound).astype(np.float32))
        assert type(caught.value) is kind
        assert ("music" in str(caught.value)) == (kind is Music)
        assert str(caught.value) != caught.value.spoken


@pytest.mark.parametrize("seed", [2, 49, 105, 112, 128, 132])
def test_melodies_that_resemble_a_voice_for_a_moment_are_not_speech(detector: SpeechDetector, seed: int) -> None:
    """At normal speed 0.5 to 0.8 s of these would count as speech."""
    rng = np.random.default_rng(seed)
    band = make_band(round(rng.uniform(2, 10) * RATE_HZ), rng)
    with pytest.raises((NoSpeech, TooLittleSpeech)):
        detector.detect((0.5 * band / np.abs(band).max()).astype(np.float32))


def test_less_than_half_a_second_is_too_little(detector: SpeechDetector) -> None:
    with pytest.raises(TooLittleSpeech, match="sentence"):
        detector.detect(speak("aa"))
    assert 0.5 < detector.detect(speak("aei")).voiced_s < 1


def test_screams_are_speech(detector: SpeechDetector, shared: Path) -> None:
    for name in ("03-01-05-02-02-02-06", "03-01-06-02-01-01-06", "03-01-06-02-02-02-20"):
        clip = load_audio(shared / "data/ravdess/speech" / f"Actor_{name[-2:]}" / f"{name}.flac")
        assert detector.detect(clip).voiced_s > 0.5


@pytest.mark.parametrize("seed", range(6))
def test_a_busy_tone_is_not_speech(detector: SpeechDetector, seed: int) -> None:
    tone = make_beeps(6 * RATE_HZ, np.random.default_rng(seed)).astype(np.float32)
    assert tonality(tone) > MAX_TONALITY + 0.01 > tonality(speak()) + 0.1
    with pytest.raises(NoSpeech):
        detector.detect(tone)
