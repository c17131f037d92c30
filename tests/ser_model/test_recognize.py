from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from voice import RATE_HZ, speak

from ser_model.audio import Silence
from ser_model.calibration import Calibration
from ser_model.cnn import EmotionCnn, load_network
from ser_model.labels import EMOTIONS, INTENSITIES
from ser_model.recognize import (
    MAX_STEP_S,
    MAX_WHOLE_S,
    WINDOW_BATCH,
    WINDOW_S,
    EmotionRecognizer,
    predict_windows,
    window_length_s,
    window_starts,
)
from ser_model.speaker import EnrollmentError, SpeakerProfile
from ser_model.vad import SpeechSpan

GOLDEN = {  # probabilities of the example voices in the order of EMOTIONS, by the shipped weights
    "cheerful": (0.008, 0.013, 0.594, 0.016, 0.117, 0.041, 0.049, 0.162),
    "sad": (0.031, 0.009, 0.001, 0.901, 0.001, 0.042, 0.013, 0.003),
    "angry": (0.002, 0.001, 0.028, 0.001, 0.938, 0.011, 0.011, 0.008),
}


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer.load()


@pytest.mark.parametrize("name", GOLDEN)
def test_the_example_voices_have_the_same_probabilities_as_ever(
    recognizer: EmotionRecognizer, project: Path, name: str
) -> None:
    """A change of resampler, filter bank, VAD or weights shows here; write the new numbers down if it was wanted."""
    prediction = recognizer.recognize(project / "ui/voices" / f"{name}.wav")
    assert list(prediction.probabilities.values()) == pytest.approx(GOLDEN[name], abs=0.02)


@pytest.mark.parametrize(("name", "emotion"), [("cheerful", "happy"), ("sad", "sad"), ("angry", "angry")])
def test_the_example_voices_sound_as_the_page_calls_them(
    recognizer: EmotionRecognizer, project: Path, name: str, emotion: str
) -> None:
    prediction = recognizer.recognize(project / "ui/voices" / f"{name}.wav")
    assert (prediction.emotion, prediction.sure) == (emotion, True)


def test_a_prediction_is_complete(recognizer: EmotionRecognizer) -> None:
    prediction = recognizer.predict(speak())
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert list(prediction.probabilities) == list(EMOTIONS)
    assert 0.5 <= prediction.gender_probability <= 1
    assert prediction.intensity in INTENSITIES
    assert 0.5 <= prediction.intensity_probability <= 1
    assert (prediction.emotion is None) == (not prediction.sure) == bool(prediction.notice)
    assert len(prediction.timeline) == 1
    assert prediction.top(3)[0][1] == max(prediction.probabilities.values())
    assert recognizer.predict(speak(pitch_hz=95)).gender == "male"
    json.dumps(prediction.to_json())


def test_below_the_threshold_there_is_no_emotion(untrained_weights: Path) -> None:
    recognizer = EmotionRecognizer(load_network(untrained_weights), Calibration(abstention_threshold=1.0))
    prediction = recognizer.predict(speak())
    assert prediction.emotion is None
    assert not prediction.sure
    assert "Not sure" in prediction.notice
    assert len(prediction.top(3)) == 3


def test_threads_get_the_same_answers(recognizer: EmotionRecognizer) -> None:
    voices = [speak("aeiouai", pitch_hz) for pitch_hz in (95, 140, 220, 260)]
    alone = [recognizer.predict(voice).to_json() for voice in voices]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda voice: recognizer.predict(voice).to_json(), voices * 4))
    for got, want in zip(together, alone * 4, strict=True):
        assert got["probabilities"] == pytest.approx(want["probabilities"], abs=1e-3)
        assert got["speech"] == want["speech"]


# enrollment


def test_an_enrolled_voice_changes_every_window(recognizer: EmotionRecognizer, project: Path) -> None:
    voice = speak("aeiou" * 8)
    profile = recognizer.enroll({"neutral": [project / "ui/voices/sad.wav"]})
    plain, adapted = recognizer.predict(voice), recognizer.predict(voice, profile)
    for one, other in zip(plain.timeline, adapted.timeline, strict=True):
        assert one.probabilities != other.probabilities
    saved = SpeakerProfile.from_json(json.dumps(profile.to_json()))
    assert recognizer.predict(voice, saved).probabilities == pytest.approx(adapted.probabilities, abs=1e-3)


def test_an_enrolled_voice_has_a_temperature_and_a_threshold_of_its_own(
    recognizer: EmotionRecognizer, project: Path
) -> None:
    profile = recognizer.enroll({"neutral": [project / "ui/voices/sad.wav"]})
    own = replace(recognizer.calibration, enrolled_temperature=1000.0, enrolled_abstention_threshold=0.126)
    other = EmotionRecognizer(recognizer.network, own, recognizer.speaker_space)
    assert other.predict(speak()) == recognizer.predict(speak())
    assert max(other.predict(speak(), profile).probabilities.values()) == pytest.approx(1 / 8, abs=0.01)
    stricter = replace(own, enrolled_temperature=None, enrolled_abstention_threshold=1.0)
    assert not EmotionRecognizer(recognizer.network, stricter, recognizer.speaker_space).predict(speak(), profile).sure


def test_what_cannot_be_enrolled_is_named_and_weights_without_a_speaker_space_say_how_to_make_it(
    recognizer: EmotionRecognizer, untrained_weights: Path, project: Path, tmp_path: Path
) -> None:
    sf.write(tmp_path / "silence.wav", np.zeros(RATE_HZ), RATE_HZ)
    with pytest.raises(Silence, match="The clip for sad cannot be used"):
        recognizer.enroll({"sad": [tmp_path / "silence.wav"]})
    with pytest.raises(EnrollmentError, match="--protocol all"):
        EmotionRecognizer.load(untrained_weights).enroll({"neutral": [project / "ui/voices/sad.wav"]})


# windows


@pytest.fixture(scope="module")
def network(recognizer: EmotionRecognizer) -> EmotionCnn:
    assert isinstance(recognizer.network, EmotionCnn)
    return recognizer.network


def test_a_short_span_is_one_window_with_the_noise_floor_of_both_sides(network: EmotionCnn) -> None:
    waveform = torch.from_numpy(speak())
    _, logits = predict_windows(network, speak(), SpeechSpan(0.5, 1.7, 1.0))
    with torch.inference_mode():
        noise_floor = network.estimate_noise_floor([waveform[:8_000], waveform[27_200:]])
        alone = network(waveform[8_000:27_200][None], noise_floor=noise_floor)
    assert noise_floor is not None
    assert logits.emotion == pytest.approx(alone.emotion.numpy(), abs=1e-4)


@pytest.mark.parametrize("margin_s", [0.0, 0.05])
def test_without_enough_around_the_speech_no_noise_is_subtracted(network: EmotionCnn, margin_s: float) -> None:
    waveform = speak()[8_000:27_200]
    span = SpeechSpan(margin_s, 1.2 - margin_s, 1.1)
    starts, logits = predict_windows(network, waveform, span)
    with torch.inference_mode():
        alone = network(torch.from_numpy(span.crop(waveform))[None])
    assert starts == [margin_s]
    assert logits.emotion == pytest.approx(alone.emotion.numpy(), abs=1e-4)


@pytest.mark.parametrize("length_s", [0.6, MAX_WHOLE_S, MAX_WHOLE_S + 0.01, 6.1, 8.0, 8.1, 10.3, 59.9])
def test_windows_are_spread_evenly(length_s: float) -> None:
    """A span of 6.1 s once had windows at 0, 2 and 2.1 s, which counted its end twice."""
    span = SpeechSpan(1.0, 1.0 + length_s, length_s)
    starts, steps = window_starts(span), np.diff(window_starts(span))
    assert (starts[0], starts[-1] + window_length_s(span)) == pytest.approx((span.start_s, span.end_s))
    assert (len(starts) == 1) == (length_s <= MAX_WHOLE_S)
    assert np.allclose(steps, steps.mean() if steps.size else 0)
    assert (steps <= MAX_STEP_S + 1e-9).all()


def test_a_long_recording_has_a_timeline_of_windows(recognizer: EmotionRecognizer) -> None:
    prediction = recognizer.predict(speak("aeiou" * 20))
    assert len(prediction.timeline) > WINDOW_BATCH
    for segment in prediction.timeline:
        assert segment.end_s - segment.start_s == pytest.approx(WINDOW_S)
    assert prediction.timeline[-1].end_s == pytest.approx(prediction.speech[1], abs=0.01)
