from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import periodogram
from voice import RATE_HZ, speak

from ser_model.audio import load_audio
from ser_model.evaluation.robustness import changes
from ser_model.evaluation.robustness.changes import CHECKS, Check, Recording
from ser_model.evaluation.robustness.sounds import NON_SPEECH, PEAKS_DB, make_music, make_sound, make_white


@pytest.fixture(scope="module")
def recording() -> Recording:
    voice, others = speak(), tuple(speak(pitch_hz=hz, seed=round(hz)) for hz in (90, 110, 180, 200, 240))
    return Recording(voice, (round(0.4 * RATE_HZ), voice.size - round(0.4 * RATE_HZ)), others)


def measure_db(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    hertz, power = periodogram(sound, RATE_HZ)
    return float(10 * np.log10(power[(hertz >= low_hz) & (hertz < high_hz)].mean()))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_change_is_a_readable_file_of_similar_length(check: Check, recording: Recording) -> None:
    one, again = (load_audio(check.write(check.change(recording, np.random.default_rng(0)))) for _ in range(2))
    assert one == pytest.approx(again, abs=1e-6)
    assert np.isfinite(one).all()
    assert abs(one.size - recording.waveform.size) <= 0.9 * RATE_HZ  # a room adds a tail


def test_noise_has_the_given_ratio_to_the_speech(recording: Recording, rng: np.random.Generator) -> None:
    for change in (
        changes.add_noise(make_white, (20,)),
        changes.add_babble,
        changes.add_environment,
        changes.add_noise(make_music, (20,)),
    ):
        noise = change(recording, rng) - recording.waveform
        assert 20 * np.log10(recording.speech_rms / np.sqrt(np.mean(noise**2))) == pytest.approx(20, abs=0.01)


def test_tilts_change_the_spectrum_and_keep_the_level(recording: Recording, rng: np.random.Generator) -> None:
    hiss = Recording(rng.standard_normal(4 * RATE_HZ).astype(np.float32), (0, 4 * RATE_HZ))
    for top, low_to_high_db in ((3.0, 7.0), (0.0, -14.0)):
        tilted = changes.tilt(top)(hiss, rng)
        assert measure_db(tilted, 6000, 7000) - measure_db(tilted, 100, 1000) == pytest.approx(low_to_high_db, abs=1.5)
        assert np.std(tilted) == pytest.approx(np.std(hiss.waveform), rel=1e-3)


def test_the_echo_decays_within_its_time(rng: np.random.Generator) -> None:
    echo = changes.make_echo(0.4, rng)
    early, late = (np.mean(echo[round(s * RATE_HZ) : round((s + 0.05) * RATE_HZ)] ** 2) for s in (0.05, 0.25))
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=2)
    assert changes.direct_to_echo_db(0.2) > changes.direct_to_echo_db(0.8)


def test_the_phone_keeps_only_its_band(recording: Recording, rng: np.random.Generator) -> None:
    decoded = changes.phone_call(recording, rng)
    assert measure_db(decoded, 500, 3000) - measure_db(decoded, 4500, 7500) > 20


@pytest.mark.parametrize("kind", sorted(NON_SPEECH))
def test_sounds_have_a_length_and_a_level(kind: str, rng: np.random.Generator) -> None:
    sound = make_sound(kind, rng)
    assert 2 * RATE_HZ <= sound.size <= 10 * RATE_HZ
    assert np.abs(sound).max() <= 10 ** (max(PEAKS_DB) / 20) + 1e-9
