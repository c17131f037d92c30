from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.audio import NoSpeech
from ser_model.calibrate import Calibration
from ser_model.cnn import EmotionCnn, load_network
from ser_model.labels import EMOTIONS, INTENSITIES
from ser_model.recognize import EmotionRecognizer
from ser_model.voice import LearnedVoice, VoiceError
from ser_model.windows import STEP_S, WINDOW_S


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer.load()


def record(path: Path, voice: np.ndarray) -> Path:
    sf.write(path, voice, RATE_HZ)
    return path


def test_a_voice_gets_a_whole_answer(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    prediction = recognizer.recognize(record(tmp_path / "voice.wav", speak()))
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert set(prediction.probabilities) == set(EMOTIONS)
    assert 0.5 <= prediction.gender_probability <= 1
    assert prediction.intensity in INTENSITIES
    assert 0.5 <= prediction.intensity_probability <= 1
    assert (prediction.emotion is None) == (not prediction.sure) == bool(prediction.notice)
    assert len(prediction.timeline) == 1
    assert prediction.top(3)[0][1] == max(prediction.probabilities.values())
    json.dumps(prediction.to_json())


def test_a_low_voice_sounds_male(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    low = recognizer.recognize(record(tmp_path / "low.wav", speak(pitch_hz=95)))
    assert low.gender == "male"


def test_a_long_recording_is_heard_in_windows(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    prediction = recognizer.recognize(record(tmp_path / "long.wav", speak("aeiou" * 12)))
    starts = [moment.start_s for moment in prediction.timeline]
    assert len(starts) > 3
    assert max(np.diff(starts)) <= STEP_S + 0.01
    assert all(moment.end_s - moment.start_s == pytest.approx(WINDOW_S, abs=0.01) for moment in prediction.timeline)
    assert prediction.timeline[-1].end_s == pytest.approx(prediction.speech[1], abs=0.01)


def test_below_the_threshold_there_is_no_emotion_but_the_top_three(tmp_path: Path) -> None:
    unsure = EmotionRecognizer(EmotionCnn(), Calibration(abstain_below=1.0))
    prediction = unsure.recognize(record(tmp_path / "voice.wav", speak()))
    assert prediction.emotion is None
    assert not prediction.sure
    assert "Not sure" in prediction.notice
    assert len(prediction.top(3)) == 3


def test_temperature_softens_without_changing_the_order(tmp_path: Path, untrained_weights: Path) -> None:
    path, network = record(tmp_path / "voice.wav", speak()), load_network(untrained_weights)
    sharp, soft = (EmotionRecognizer(network, replace(Calibration(), temperature=t)).recognize(path) for t in (0.1, 10))
    assert [name for name, _ in sharp.top(8)] == [name for name, _ in soft.top(8)]
    assert sharp.top(1)[0][1] > soft.top(1)[0][1]


def test_noise_is_refused(recognizer: EmotionRecognizer, tmp_path: Path, rng: np.random.Generator) -> None:
    with pytest.raises(NoSpeech):
        recognizer.recognize(record(tmp_path / "noise.wav", 0.1 * rng.standard_normal(2 * RATE_HZ)))


def test_a_learned_voice_is_heard_in_every_window(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    path = record(tmp_path / "voice.wav", speak("aeiou" * 8))
    voice = recognizer.learn_voice({"neutral": [path]})
    plain, against = recognizer.recognize(path), recognizer.recognize(path, voice)
    assert all(
        one.probabilities != other.probabilities for one, other in zip(plain.timeline, against.timeline, strict=True)
    )
    assert against.probabilities["neutral"] > plain.probabilities["neutral"]
    assert recognizer.recognize(path, LearnedVoice.from_json(json.dumps(voice.to_json()))).emotion == against.emotion


def test_weights_without_a_speaker_space_say_how_to_make_it(tmp_path: Path, untrained_weights: Path) -> None:
    with pytest.raises(VoiceError, match="--protocol all"):
        EmotionRecognizer.load(untrained_weights).learn_voice({"neutral": [record(tmp_path / "v.wav", speak())]})


def test_threads_do_not_mix_their_answers(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    paths = [record(tmp_path / f"{pitch}.wav", speak("aeiouai", pitch)) for pitch in (95, 140, 220, 260)]
    alone = [recognizer.recognize(path).to_json() for path in paths]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda path: recognizer.recognize(path).to_json(), paths * 4))
    for got, want in zip(together, alone * 4, strict=True):
        assert got["probabilities"] == pytest.approx(want["probabilities"], abs=1e-3)
        assert got["speech"] == want["speech"]


def test_published_wavs_and_their_16_khz_copies_get_the_same_answer(
    recognizer: EmotionRecognizer, shared: Path
) -> None:
    for path in sorted((shared / "data/ravdess/original_48k").glob("*/*.wav")):
        copy = shared / "data/ravdess/speech" / path.parent.name / f"{path.stem}.flac"
        original, resampled = recognizer.recognize(path), recognizer.recognize(copy)
        assert original.emotion == resampled.emotion
        assert list(original.probabilities.values()) == pytest.approx(list(resampled.probabilities.values()), abs=0.02)
