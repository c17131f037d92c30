"""Synthetic sounds that are not speech: noise, hum, clicks, tones, music, coughs, sneezes; all (time,) float64.

They stand in for recorded noise, at any length and without a license. Their levels are arbitrary.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from ser_model.frontend import SAMPLE_RATE

Sound = NDArray[np.float64]
Make = Callable[[int, np.random.Generator], Sound]  # number of samples, random numbers -> (time,)

MAJOR, MINOR = (0, 4, 7), (0, 3, 7)  # semitones
PROGRESSION = ((0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR))  # I V vi IV
LENGTHS_S = (2, 10)
PEAKS_DB = (-60, -30, -6)  # relative to full scale
NEAR_SILENCE_DB = -72


def make_white(size: int, rng: np.random.Generator) -> Sound:
    """Gaussian noise with the same power at every frequency."""
    return rng.standard_normal(size)


def _make_colored(slope: float, size: int, rng: np.random.Generator) -> Sound:
    """Noise whose power falls with frequency^slope: 1 is pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    return np.fft.irfft(spectrum * np.arange(1, spectrum.size + 1) ** (-slope / 2), size)


make_pink, make_brown = partial(_make_colored, 1.0), partial(_make_colored, 2.0)


def make_hum(size: int, rng: np.random.Generator) -> Sound:
    """Mains hum: 50 or 60 Hz and seven overtones."""
    times, mains_hz = _times(size), rng.choice([50, 60])
    waves = [np.sin(2 * np.pi * mains_hz * k * times + rng.uniform(0, 2 * np.pi)) / k for k in range(1, 9)]
    return np.asarray(np.sum(waves, axis=0))


def make_clicks(size: int, rng: np.random.Generator) -> Sound:
    """Keys and dishes: two to eight short ringing clicks a second, at random times."""
    sound = np.zeros(size)
    for start in np.flatnonzero(rng.random(size) < rng.uniform(2, 8) / SAMPLE_RATE):
        times = _times(min(size - int(start), SAMPLE_RATE // 20))
        ring = np.sin(2 * np.pi * rng.uniform(800, 5000) * times) + rng.standard_normal(times.size)
        sound[start : start + times.size] += rng.uniform(0.3, 1) * ring * np.exp(-times / rng.uniform(0.002, 0.01))
    return sound + 1e-3 * make_pink(size, rng)


def make_sweep(size: int, rng: np.random.Generator) -> Sound:
    """A siren: a harmonic tone that glides up and down."""
    times = _times(size)
    pitch_hz = 700 * 2 ** (0.6 * np.sin(2 * np.pi * rng.uniform(0.3, 2) * times))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    return np.asarray(np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase))


def make_beeps(size: int, rng: np.random.Generator) -> Sound:
    """The busy tone of a telephone: two sines, on and off."""
    times = _times(size)
    low_hz, period_s = rng.choice([350, 425, 480]), rng.choice([0.5, 1.0])
    tones = np.sin(2 * np.pi * low_hz * times) + np.sin(2 * np.pi * (low_hz + 100) * times)
    return np.asarray(tones * (times % period_s < period_s / 2))


def make_music(size: int, rng: np.random.Generator) -> Sound:
    """Chords of a common progression with bass, a plucked melody and drums, in a random key and tempo."""
    beat_s, root_hz = 60 / rng.uniform(70, 140), 110 * 2 ** (rng.integers(0, 12) / 12)
    sound = np.zeros(size)
    for beat, start in enumerate(range(0, size, round(beat_s * SAMPLE_RATE))):
        step, triad = PROGRESSION[beat // 4 % len(PROGRESSION)]
        notes = [(step - 12, 0.6)] + [(step + tone, 0.3) for tone in triad] + [(step + rng.choice(triad) + 12, 0.5)]
        part = np.sum([a * _pluck(root_hz * 2 ** (n / 12), 2 * beat_s, rng) for n, a in notes], axis=0)
        drum = _times(SAMPLE_RATE // 10)
        hit = rng.standard_normal(drum.size) * np.exp(-drum / 0.02) + np.sin(2 * np.pi * 80 * drum)
        part[: drum.size] += 0.4 * hit
        sound[start : start + part.size] += part[: size - start]
    return sound


def make_melody(size: int, rng: np.random.Generator) -> Sound:
    """A bowed or blown lead: a sawtooth with vibrato through three resonances, the sound nearest to a voice."""
    sound = np.zeros(0)
    while sound.size < size:
        times = _times(round(rng.uniform(0.2, 0.9) * SAMPLE_RATE))
        pitch_hz = 220 * 2 ** ((rng.integers(-5, 15) + 0.3 * np.sin(2 * np.pi * 5.5 * times)) / 12)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
        fade = np.minimum(np.minimum(times, times[::-1]) / 0.05, 1)
        sound = np.concatenate([sound, fade * np.sum([np.sin(k * phase) / k for k in range(1, 20)], axis=0)])
    sound = sound[:size]
    for center_hz, width_hz in ((500, 200), (1500, 300), (2800, 400)):
        radius = np.exp(-np.pi * width_hz / SAMPLE_RATE)
        poles = [1, -2 * radius * np.cos(2 * np.pi * center_hz / SAMPLE_RATE), radius**2]
        sound = sound + 3 * lfilter([1 - radius], poles, sound)
    return np.asarray(sound)


def make_band(size: int, rng: np.random.Generator) -> Sound:
    """Chords and drums with a lead melody."""
    return make_music(size, rng) + 0.8 * make_melody(size, rng)


def make_engine(size: int, rng: np.random.Generator) -> Sound:
    """An engine: forty overtones of a low pitch that rises and falls, and noise."""
    pitch_hz = rng.uniform(30, 90) * (1 + 0.3 * np.sin(2 * np.pi * 0.3 * _times(size)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    waves = np.sum([np.sin(k * phase) / k for k in range(1, 40)], axis=0)
    return np.asarray(waves + 0.3 * rng.standard_normal(size))


def make_waves(size: int, rng: np.random.Generator) -> Sound:
    """Noise at 200 Hz to 4 kHz that swells two to six times a second, as syllables do."""
    noise = _bandpass((200, 4000), rng.standard_normal(size))
    swell = np.sin(2 * np.pi * rng.uniform(2, 6) * _times(size) + rng.uniform(0, 2 * np.pi))
    return np.asarray(noise * (0.05 + np.maximum(swell, 0)))


def make_cough(rng: np.random.Generator) -> Sound:
    """A cough: a burst at 0.3 to 3 kHz, then a weaker one, 0.35 to 0.5 s in all."""
    first = _burst(rng.uniform(0.08, 0.14), (300, 3000), 0.03, rng)
    second = 0.5 * _burst(rng.uniform(0.25, 0.35), (250, 1800), 0.09, rng)
    return np.concatenate([first, second])


def make_sneeze(rng: np.random.Generator) -> Sound:
    """A sneeze: a breath in, then a loud hiss at 1 to 7 kHz, 0.5 to 0.7 s in all."""
    breath = 0.1 * _burst(rng.uniform(0.2, 0.3), (500, 2500), 0.3, rng)[::-1]
    return np.concatenate([breath, _burst(rng.uniform(0.3, 0.4), (1000, 7000), 0.1, rng)])


def _repeat(make: Callable[[np.random.Generator], Sound], size: int, rng: np.random.Generator) -> Sound:
    """Fill a length with coughs or sneezes and pauses of half a second to a second."""
    sound = np.zeros(0)
    while sound.size < size:
        pause = np.zeros(round(rng.uniform(0.5, 1) * SAMPLE_RATE))
        full = sound.size + pause.size >= size
        sound = np.concatenate([sound, pause] if full else [sound, pause, make(rng)])
    return sound[:size] + 1e-4 * rng.standard_normal(size)


NON_SPEECH: dict[str, Make] = {
    "silence": lambda size, _: np.zeros(size),
    "near-silence": make_white,
    "pure tone": lambda size, rng: np.sin(2 * np.pi * 60 * (4000 / 60) ** rng.random() * _times(size)),  # to 4 kHz
    "busy tone": make_beeps,
    "siren": make_sweep,
    "music": make_music,
    "melody": make_melody,
    "band with melody": make_band,
    "white noise": make_white,
    "pink noise": make_pink,
    "brown noise": make_brown,
    "swelling noise": make_waves,
    "mains hum": make_hum,
    "engine": make_engine,
    "clicks": make_clicks,
    "coughs": partial(_repeat, make_cough),
    "sneezes": partial(_repeat, make_sneeze),
}


def make_sound(kind: str, rng: np.random.Generator) -> Sound:
    """Make a sound of a kind of NON_SPEECH, with a random length and level."""
    sound = NON_SPEECH[kind](round(rng.uniform(*LENGTHS_S) * SAMPLE_RATE), rng)
    peak_db = NEAR_SILENCE_DB if kind == "near-silence" else rng.choice(PEAKS_DB)
    return sound * 10 ** (peak_db / 20) / max(float(np.abs(sound).max()), 1e-12)


def _times(size: int) -> Sound:
    return np.arange(size) / SAMPLE_RATE


def _bandpass(band_hz: tuple[float, float], noise: Sound) -> Sound:
    return np.asarray(sosfilt(butter(2, band_hz, "bandpass", fs=SAMPLE_RATE, output="sos"), noise))


def _pluck(pitch_hz: float, length_s: float, rng: np.random.Generator) -> Sound:
    """A string of six partials that decay."""
    times = _times(round(length_s * SAMPLE_RATE))
    waves = [np.sin(2 * np.pi * pitch_hz * k * times + rng.uniform(0, 6)) * np.exp(-times * k) / k for k in range(1, 7)]
    return np.asarray(np.sum(waves, axis=0) * np.minimum(times / 0.01, 1))


def _burst(length_s: float, band_hz: tuple[float, float], decay_s: float, rng: np.random.Generator) -> Sound:
    times = _times(round(length_s * SAMPLE_RATE))
    noise = _bandpass(band_hz, rng.standard_normal(times.size))
    envelope = np.minimum(times / 0.005, 1) * np.exp(-times / decay_s)
    sound = np.asarray(lfilter([1], [1, -0.3], noise) * envelope)
    return np.asarray(sound / np.abs(sound).max())
