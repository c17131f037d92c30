"""The changes of a recording that are checked, how each file is written, and what must hold.

Small changes, noise, phone, tilt and room follow audeering's ser-tests, with the same numbers and thresholds, drawn
anew for every clip; codec and format are ours. Signal-to-noise ratios are relative to the speech instead of the whole
recording, which is about 3 dB harder. Noise is synthetic, babble is made of other actors' clips.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import av
import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, firwin2, lfilter, sosfilt

from ser_model.audio import Waveform
from ser_model.evaluation.robustness import sounds
from ser_model.evaluation.robustness.sounds import Make, Sound
from ser_model.frontend import SAMPLE_RATE
from ser_model.training.clips import Codec

FEW_SAMPLES = (100, 500, 1000)  # 6, 31 or 62 ms
TILT_TAPS = 1025
ENVIRONMENT: tuple[Make, ...] = (sounds.make_pink, sounds.make_brown, sounds.make_hum, sounds.make_clicks)
BABBLE_VOICES, BABBLE_GAINS_DB = (4, 7), (-20, -13)

DISTANCE_M = 0.5  # from the mouth to the microphone of a laptop on the table
VOLUME_M3, DIRECTIVITY = 60, 2.0  # of a living room, of a mouth
FIRST_ECHO_S = 0.003

PHONE_RATE_HZ = 8_000
AMR = Codec("libopencore_amrnb", "amr", 7_400, PHONE_RATE_HZ)
COMPRESSOR_DB, COMPRESSOR_SLOPE, COMPRESSOR_S = -20, 0.8, 0.015  # threshold, slope above it, time constant
HISS_DB, HISS_FROM_HZ = -25, 3_000  # peak of the pink noise, before its high-pass


@dataclass(frozen=True)
class Recording:
    """A whole recording, with the silence around its speech."""

    waveform: Waveform
    speech: tuple[int, int]  # first and last sample
    others: tuple[Waveform, ...] = ()  # speech of training actors, for babble

    @property
    def speech_rms(self) -> float:
        """Root mean square of the speech without the silence around it."""
        return _rms(self.waveform[slice(*self.speech)].astype(np.float64))


Changed = NDArray[np.floating[Any]]
Change = Callable[[Recording, np.random.Generator], Changed]  # -> (time,) at SAMPLE_RATE
Write = Callable[[Changed], bytes]  # (time,) at SAMPLE_RATE -> a file


def encode(
    waveform: Changed, rate_hz: int = SAMPLE_RATE, channels: int = 1, container: str = "WAV", subtype: str = "FLOAT"
) -> bytes:
    """Write a file with equal channels; integers clip at full scale."""
    samples = soxr.resample(waveform, SAMPLE_RATE, rate_hz) if rate_hz != SAMPLE_RATE else waveform
    file = io.BytesIO()
    sf.write(file, np.stack([samples] * channels, axis=1), rate_hz, format=container, subtype=subtype)
    return file.getvalue()


def add_tone(recording: Recording, rng: np.random.Generator) -> Changed:
    """Add a sine at 5 to 7 kHz."""
    level = np.abs(recording.waveform).max() * 10 ** (-rng.choice([40, 45, 50]) / 20)
    times = np.arange(recording.waveform.size) / SAMPLE_RATE
    return np.asarray(recording.waveform + level * np.sin(2 * np.pi * rng.uniform(5000, 7000) * times))


def clip_peaks(recording: Recording, rng: np.random.Generator) -> Changed:
    """Clip the samples with the largest magnitude."""
    limit = np.quantile(np.abs(recording.waveform), 1 - rng.choice([0.001, 0.002, 0.003]))
    return recording.waveform.clip(-limit, limit)


def amplify(gains_db: Sequence[float]) -> Change:
    """Change the level by one of these."""
    return lambda recording, rng: recording.waveform * float(10 ** (rng.choice(gains_db) / 20))


def filter_out(kind: str, edges_hz: Sequence[float]) -> Change:
    """Apply a Butterworth high-pass or low-pass of order 1 at one of these frequencies."""
    return lambda recording, rng: np.asarray(
        lfilter(*butter(1, rng.choice(edges_hz), kind, fs=SAMPLE_RATE), recording.waveform)
    )


def tilt(top: float) -> Change:
    """Tilt the spectrum: a gain from 1 at 0 Hz to this at 8 kHz; the level stays."""
    taps = firwin2(TILT_TAPS, [0, 1], [1, top])
    return lambda recording, _: _at_level_of(recording, fftconvolve(recording.waveform, taps, mode="same"))


def add_noise(make: Make, snr_db: Sequence[float]) -> Change:
    """Add noise over the whole recording."""
    return lambda recording, rng: mix(recording, make(recording.waveform.size, rng), rng.choice(snr_db))


def add_environment(recording: Recording, rng: np.random.Generator) -> Changed:
    """Add pink or brown noise, mains hum, or clicks."""
    make = ENVIRONMENT[rng.integers(len(ENVIRONMENT))]
    return mix(recording, make(recording.waveform.size, rng), 20)


def add_babble(recording: Recording, rng: np.random.Generator) -> Changed:
    """Add four to seven other people talking."""
    size, babble = recording.waveform.size, np.zeros(recording.waveform.size)
    for _ in range(rng.integers(*BABBLE_VOICES, endpoint=True)):
        voice = recording.others[rng.integers(len(recording.others))].astype(np.float64)
        gain = 10 ** (rng.integers(*BABBLE_GAINS_DB, endpoint=True) / 20) / np.sqrt(np.mean(voice**2))
        babble += gain * np.resize(np.roll(voice, rng.integers(voice.size)), size)
    return mix(recording, babble, 20)


def add_burst(make: Callable[[np.random.Generator], Sound], recording: Recording, rng: np.random.Generator) -> Changed:
    """Add a cough or sneeze somewhere; its energy is 10 dB below that of the speech."""
    burst, size = make(rng), recording.waveform.size
    start = rng.integers(max(size - burst.size, 1))
    placed = np.zeros(size)
    placed[start : start + burst.size] = burst[: size - start]
    first, last = recording.speech
    return mix(recording, placed * np.sqrt(size / (last - first)), 10)


def mix(recording: Recording, noise: Sound, snr_db: float) -> Changed:
    """Add noise at this ratio of the RMS of the speech to the RMS of the whole noise."""
    level = recording.speech_rms / max(_rms(noise), 1e-12) * 10 ** (-snr_db / 20)
    return np.asarray(recording.waveform + level * noise)


def add_room(rt60_s: float, recording: Recording, rng: np.random.Generator) -> Changed:
    """Add the reverberation of a room behind the direct sound."""
    echo = fftconvolve(recording.waveform, make_echo(rt60_s, rng))
    return np.asarray(np.pad(recording.waveform, (0, echo.size - recording.waveform.size)) + echo)


def make_echo(rt60_s: float, rng: np.random.Generator) -> Changed:
    """Draw the impulse response without the direct sound: Gaussian noise that decays exponentially (Polack 1988)."""
    times = np.arange(round(rt60_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(times.size) * np.exp(-np.log(1000) * times / rt60_s) * (times >= FIRST_ECHO_S)
    return np.asarray(tail * np.sqrt(10 ** (-direct_to_echo_db(rt60_s) / 10) / np.sum(tail**2)))


def direct_to_echo_db(rt60_s: float) -> float:
    """Return the direct sound over the echo; the critical distance is 0.057 sqrt(Q V / RT60) (Kuttruff 2009)."""
    critical_m = 0.057 * np.sqrt(DIRECTIVITY * VOLUME_M3 / rt60_s)
    return float(20 * np.log10(critical_m / DISTANCE_M))


def phone_call(recording: Recording, rng: np.random.Generator) -> Changed:
    """Send the recording over a poor telephone line: compressor, AMR narrow band, hiss above its band."""
    scaled = recording.waveform / np.abs(recording.waveform).max()
    memory = np.exp(-1 / (COMPRESSOR_S * SAMPLE_RATE))
    power = lfilter([1 - memory], [1, -memory], scaled.astype(np.float64) ** 2)
    excess_db = np.maximum(10 * np.log10(power + 1e-12) - COMPRESSOR_DB, 0)
    data = AMR(scaled * 10 ** ((COMPRESSOR_SLOPE - 1) * excess_db / 20))
    with av.open(io.BytesIO(data), mode="r", format="amr") as file:
        to_float = av.AudioResampler("flt", "mono")
        frames = [part.to_ndarray()[0] for frame in file.decode(audio=0) for part in to_float.resample(frame)]
    wide = soxr.resample(np.concatenate(frames), PHONE_RATE_HZ, SAMPLE_RATE)
    hiss = sounds.make_pink(wide.size, rng)
    hiss *= 10 ** (HISS_DB / 20) / np.abs(hiss).max()
    high_pass = butter(2, HISS_FROM_HZ, "highpass", fs=SAMPLE_RATE, output="sos")
    return _at_level_of(recording, wide / np.abs(wide).max() + sosfilt(high_pass, hiss))


def _at_level_of(recording: Recording, sound: Changed) -> Changed:
    return np.asarray(sound * _rms(recording.waveform) / _rms(sound))


def _rms(sound: Changed) -> float:
    return float(np.sqrt(np.mean(sound**2)))


@dataclass(frozen=True)
class Check:
    """A change of every recording, and what must hold."""

    group: str
    name: str
    parameters: str
    change: Change = lambda recording, _: recording.waveform
    write: Write = encode  # makes a file of the changed sound, which load_audio reads
    unchanged: float = 0.0  # the share of answers that stay must exceed this
    uar_change: float | None = None  # the UAR must change by more than this; None if that is not checked


def _codec(name: str, encoder: str, container: str, kbit: int) -> Check:
    write = Codec(encoder, container, 1000 * kbit)
    return Check("codec", f"{name} {kbit}", f"{kbit} kbit/s, 48 kHz", write=write, unchanged=0.90)


def _room(rt60_s: float) -> Check:
    parameters = f"RT60 {rt60_s} s, direct sound {direct_to_echo_db(rt60_s):.0f} dB above the echo"
    return Check("room", f"room {rt60_s} s", parameters, partial(add_room, rt60_s), unchanged=0.80)


CLEAN = Check("clean", "clean", "nothing changed")
_small = partial(Check, "small", unchanged=0.95)
_noise = partial(Check, "noise", unchanged=0.90, uar_change=-0.05)
_tilt = partial(Check, "tilt", unchanged=0.80, uar_change=-0.02)
_gain = partial(Check, "format", unchanged=0.95)
_format = partial(Check, "format", unchanged=0.98)
_FEW = "100, 500 or 1000 samples"
CHECKS = (
    _small("additive tone", "sine of 5 to 7 kHz, peak 40, 45 or 50 dB below the recording's", add_tone),
    _small("append zeros", _FEW, lambda one, rng: np.pad(one.waveform, (0, rng.choice(FEW_SAMPLES)))),
    _small("prepend zeros", _FEW, lambda one, rng: np.pad(one.waveform, (rng.choice(FEW_SAMPLES), 0))),
    _small("clip", "0.1, 0.2 or 0.3 % of the samples", clip_peaks),
    _small("crop beginning", _FEW, lambda one, rng: one.waveform[rng.choice(FEW_SAMPLES) :]),
    _small("crop end", _FEW, lambda one, rng: one.waveform[: -rng.choice(FEW_SAMPLES)]),
    _small("gain", "-2, -1, 1 or 2 dB", amplify((-2, -1, 1, 2))),
    _small("high-pass", "order 1, 50, 100 or 150 Hz", filter_out("highpass", [50, 100, 150])),
    _small("low-pass", "order 1, 7500, 7000 or 6500 Hz", filter_out("lowpass", [7500, 7000, 6500])),
    _small("white noise 35 to 45 dB", "SNR 35, 40 or 45 dB", add_noise(sounds.make_white, (35, 40, 45))),
    _noise("babble", "4 to 7 training actors, 20 dB", add_babble),
    _noise("environment", "synthetic pink, brown, hum or clicks, 20 dB", add_environment),
    _noise("music", "synthetic, 20 dB", add_noise(sounds.make_music, (20,))),
    _noise("white noise 20 dB", "SNR 20 dB", add_noise(sounds.make_white, (20,))),
    _noise("cough", "one, synthetic, 10 dB", partial(add_burst, sounds.make_cough)),
    _noise("sneeze", "one, synthetic, 10 dB", partial(add_burst, sounds.make_sneeze)),
    Check("phone", "phone", "compressor, AMR-NB 7.4 kbit/s, hiss", phone_call, unchanged=0.50, uar_change=-0.05),
    _codec("WebM Opus", "libopus", "webm", 16),
    _codec("WebM Opus", "libopus", "webm", 32),
    _codec("WebM Opus", "libopus", "webm", 64),
    _codec("Ogg Opus", "libopus", "ogg", 32),
    Check(
        "codec",
        "Ogg Vorbis",
        "default quality, 48 kHz",
        write=lambda waveform: encode(np.clip(waveform, -1, 1), 48_000, 1, "OGG", "VORBIS"),
        unchanged=0.90,
    ),
    _codec("MP3", "libmp3lame", "mp3", 64),
    _codec("M4A AAC", "aac", "mp4", 64),
    _tilt("tilt up", "amplitude from 1 at 0 Hz to 3 at 8 kHz", tilt(3.0)),
    _tilt("tilt down", "amplitude from 1 at 0 Hz to 0 at 8 kHz", tilt(0.0)),
    _room(0.2),
    _room(0.4),
    _room(0.8),
    _gain("ten times louder", "+20 dB, beyond full scale as float", amplify((20,))),
    _gain("ten times softer", "-20 dB", amplify((-20,))),
    _format("stereo", "two equal channels", write=partial(encode, channels=2)),
    _format("8 kHz", "8 kHz, nothing above 4 kHz is left", write=partial(encode, rate_hz=8_000)),
    _format("44.1 kHz", "44.1 kHz", write=partial(encode, rate_hz=44_100)),
    _format("48 kHz", "48 kHz", write=partial(encode, rate_hz=48_000)),
    _format("int16", "16-bit integers", write=partial(encode, subtype="PCM_16")),
    _format("int32", "32-bit integers", write=partial(encode, subtype="PCM_32")),
    _format("float", "32-bit floats"),
)
