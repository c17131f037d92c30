"""Sounds made here that are no speech: coloured noise, hum, clicks, music, coughs and sneezes, all (time,) float64.

They are synthetic: a stand-in for recorded noise, at any length and without a licence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from ser_model.audio import SAMPLE_RATE

Sound = NDArray[np.float64]
Make = Callable[[int, np.random.Generator], Sound]  # samples, chance -> (time,)

MAJOR, MINOR = (0, 4, 7), (0, 3, 7)  # semitones
PROGRESSION = ((0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR))  # I V vi IV


def make_white(size: int, rng: np.random.Generator) -> Sound:
    """Gaussian noise, the same power at every frequency."""
    return rng.standard_normal(size)


def make_coloured(slope: float) -> Make:
    """Noise whose power falls with frequency^slope: 1 is pink, 2 brown."""

    def make(size: int, rng: np.random.Generator) -> Sound:
        spectrum = np.fft.rfft(rng.standard_normal(size))
        return np.fft.irfft(spectrum * np.arange(1, spectrum.size + 1) ** (-slope / 2), size)

    return make


make_pink, make_brown = make_coloured(1.0), make_coloured(2.0)


def make_hum(size: int, rng: np.random.Generator) -> Sound:
    """A mains hum: 50 or 60 Hz and seven overtones."""
    times, mains_hz = _count_time(size), rng.choice([50, 60])
    waves = [np.sin(2 * np.pi * mains_hz * k * times + rng.uniform(0, 2 * np.pi)) / k for k in range(1, 9)]
    return np.asarray(np.sum(waves, axis=0))


def make_clicks(size: int, rng: np.random.Generator) -> Sound:
    """Keys and dishes: two to eight short ringing clicks a second, at random."""
    sound = np.zeros(size)
    for start in np.flatnonzero(rng.random(size) < rng.uniform(2, 8) / SAMPLE_RATE):
        times = _count_time(min(size - int(start), SAMPLE_RATE // 20))
        ring = np.sin(2 * np.pi * rng.uniform(800, 5000) * times) + rng.standard_normal(times.size)
        sound[start : start + times.size] += rng.uniform(0.3, 1) * ring * np.exp(-times / rng.uniform(0.002, 0.01))
    return sound + 1e-3 * make_pink(size, rng)


def make_tone(size: int, rng: np.random.Generator) -> Sound:
    """One steady sine between 60 Hz and 4 kHz."""
    return np.asarray(np.sin(2 * np.pi * 60 * (4000 / 60) ** rng.random() * _count_time(size)))


def make_sweep(size: int, rng: np.random.Generator) -> Sound:
    """A siren: a harmonic tone that glides up and down once or twice a second."""
    times = _count_time(size)
    pitch_hz = 700 * 2 ** (0.6 * np.sin(2 * np.pi * rng.uniform(0.3, 2) * times))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    return np.asarray(np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase))


def make_beeps(size: int, rng: np.random.Generator) -> Sound:
    """A telephone's engaged tone: two sines, on and off."""
    times = _count_time(size)
    low_hz, period_s = rng.choice([350, 425, 480]), rng.choice([0.5, 1.0])
    tones = np.sin(2 * np.pi * low_hz * times) + np.sin(2 * np.pi * (low_hz + 100) * times)
    return np.asarray(tones * (times % period_s < period_s / 2))


def make_music(size: int, rng: np.random.Generator) -> Sound:
    """Music-like: chords of a common progression with bass, a plucked melody and drums, in a random key and tempo."""
    beat_s, root_hz = 60 / rng.uniform(70, 140), 110 * 2 ** (rng.integers(0, 12) / 12)
    sound = np.zeros(size)
    for beat, start in enumerate(range(0, size, round(beat_s * SAMPLE_RATE))):
        step, triad = PROGRESSION[beat // 4 % len(PROGRESSION)]
        notes = [(step - 12, 0.6)] + [(step + tone, 0.3) for tone in triad] + [(step + rng.choice(triad) + 12, 0.5)]
        part = np.sum([a * _pluck(root_hz * 2 ** (n / 12), 2 * beat_s, rng) for n, a in notes], axis=0)
        part[: SAMPLE_RATE // 10] += 0.4 * _drum(rng)
        sound[start : start + part.size] += part[: size - start]
    return sound


def make_melody(size: int, rng: np.random.Generator) -> Sound:
    """A bowed or blown lead: a sawtooth with vibrato through three resonances, note after note; nearest to a voice."""
    sound = np.zeros(0)
    while sound.size < size:
        times = _count_time(round(rng.uniform(0.2, 0.9) * SAMPLE_RATE))
        pitch_hz = 220 * 2 ** ((rng.integers(-5, 15) + 0.3 * np.sin(2 * np.pi * 5.5 * times)) / 12)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
        fade = np.minimum(np.minimum(times, times[::-1]) / 0.05, 1)
        sound = np.concatenate([sound, fade * np.sum([np.sin(k * phase) / k for k in range(1, 20)], axis=0)])
    sound = sound[:size]
    for centre_hz, width_hz in ((500, 200), (1500, 300), (2800, 400)):
        radius = np.exp(-np.pi * width_hz / SAMPLE_RATE)
        poles = [1, -2 * radius * np.cos(2 * np.pi * centre_hz / SAMPLE_RATE), radius**2]
        sound = sound + 3 * lfilter([1 - radius], poles, sound)
    return np.asarray(sound)


def make_band(size: int, rng: np.random.Generator) -> Sound:
    """Chords and drums with a lead melody."""
    return make_music(size, rng) + 0.8 * make_melody(size, rng)


def make_engine(size: int, rng: np.random.Generator) -> Sound:
    """An engine: forty overtones of a low pitch that rises and falls, and noise."""
    pitch_hz = rng.uniform(30, 90) * (1 + 0.3 * np.sin(2 * np.pi * 0.3 * _count_time(size)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    waves = np.sum([np.sin(k * phase) / k for k in range(1, 40)], axis=0)
    return np.asarray(waves + 0.3 * rng.standard_normal(size))


def make_waves(size: int, rng: np.random.Generator) -> Sound:
    """Noise at 200 Hz to 4 kHz that swells two to six times a second, as syllables do."""
    noise = sosfilt(butter(2, (200, 4000), "bandpass", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(size))
    swell = np.sin(2 * np.pi * rng.uniform(2, 6) * _count_time(size) + rng.uniform(0, 2 * np.pi))
    return np.asarray(noise * (0.05 + np.maximum(swell, 0)))


def make_cough(rng: np.random.Generator) -> Sound:
    """One cough: a burst at 0.3 to 3 kHz, then a weaker one, 0.35 to 0.5 s in all."""
    first = _burst(rng.uniform(0.08, 0.14), (300, 3000), 0.03, rng)
    second = 0.5 * _burst(rng.uniform(0.25, 0.35), (250, 1800), 0.09, rng)
    return np.concatenate([first, second])


def make_sneeze(rng: np.random.Generator) -> Sound:
    """One sneeze: an intake of breath, then a loud hiss at 1 to 7 kHz, 0.5 to 0.7 s in all."""
    breath = 0.1 * _burst(rng.uniform(0.2, 0.3), (500, 2500), 0.3, rng)[::-1]
    return np.concatenate([breath, _burst(rng.uniform(0.3, 0.4), (1000, 7000), 0.1, rng)])


def repeat_bursts(make: Callable[[np.random.Generator], Sound]) -> Make:
    """Fill a length with coughs or sneezes, with pauses of half a second to a second."""

    def parts(rng: np.random.Generator) -> Iterator[Sound]:
        while True:
            yield np.zeros(round(rng.uniform(0.5, 1) * SAMPLE_RATE))
            yield make(rng)

    def fill(size: int, rng: np.random.Generator) -> Sound:
        sound = np.zeros(0)
        for part in parts(rng):
            sound = np.concatenate([sound, part])
            if sound.size >= size:
                break
        return sound[:size] + 1e-4 * rng.standard_normal(size)

    return fill


def _count_time(size: int) -> Sound:
    return np.arange(size) / SAMPLE_RATE


def _pluck(pitch_hz: float, length_s: float, rng: np.random.Generator) -> Sound:
    """A string of six partials that die away."""
    times = _count_time(round(length_s * SAMPLE_RATE))
    waves = [np.sin(2 * np.pi * pitch_hz * k * times + rng.uniform(0, 6)) * np.exp(-times * k) / k for k in range(1, 7)]
    return np.asarray(np.sum(waves, axis=0) * np.minimum(times / 0.01, 1))


def _drum(rng: np.random.Generator) -> Sound:
    times = _count_time(SAMPLE_RATE // 10)
    return np.asarray(rng.standard_normal(times.size) * np.exp(-times / 0.02) + np.sin(2 * np.pi * 80 * times))


def _burst(length_s: float, band_hz: tuple[float, float], decay_s: float, rng: np.random.Generator) -> Sound:
    times = _count_time(round(length_s * SAMPLE_RATE))
    noise = sosfilt(butter(2, band_hz, "bandpass", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(times.size))
    shape = np.minimum(times / 0.005, 1) * np.exp(-times / decay_s)
    sound = np.asarray(lfilter([1], [1, -0.3], noise) * shape)
    return np.asarray(sound / np.abs(sound).max())
