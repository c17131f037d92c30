"""Reads any recording as mono samples at 16 kHz: the track and the channels that have the speech."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_model.decode import (
    CLIP_LIMITS,
    MIB,
    RECORDING_LIMITS,
    AudioError,
    Limits,
    Music,
    NoSpeech,
    NotAudio,
    Silence,
    Sound,
    TooLarge,
    TooLittleSpeech,
    TooLong,
    Truncated,
    Waveform,
    decode,
)
from ser_model.frontend import SAMPLE_RATE
from ser_model.vad import SILENCE_DBFS, SpeechDetector

__all__ = [  # what callers need of decode.py
    "CLIP_LIMITS", "RECORDING_LIMITS", "SAMPLE_RATE", "AudioError", "AudioSource", "Limits", "Music", "NoSpeech",
    "NotAudio", "Recording", "Silence", "TooLarge", "TooLittleSpeech", "TooLong", "Truncated", "Waveform", "load_audio",
    "read_recording",
]  # fmt: skip

MAX_TRACKS = 8
SAME = 0.85  # correlation of each channel with their mean above which all have the same sound; RAVDESS has 1
CANCELED = 0.6  # of the power that the mean of independent channels has; with less, they cancel each other out
SILENT = 1e-6  # of the power of the loudest channel
MIN_RATE_HZ, MIN_BIT_RATE = 8_000, 16_000  # below these, answers are less certain
LEVEL = 0.5  # peak of a very quiet recording after it was amplified
FLOOR = 1e-7  # peak; below it nothing is amplified

POOR = "The sound quality is low ({why}), so this answer is less certain."
QUIET = "The recording is very quiet and was amplified, so this answer is less certain."
MAY_BE_CUT = "The file may be cut off; this answer is about the part that is there."
ONE_CHANNEL = "Only channel {number} of {count} has speech; the others were left out."
OPPOSITE = "The channels cancel each other out; only channel {number} of {count} was used."
ONE_TRACK = "The file has {count} sound tracks; only number {number} was used."

AudioSource = str | Path | bytes


@dataclass(frozen=True)
class Recording:
    """What is heard of a recording."""

    waveform: Waveform
    notice: str = ""  # sentences on what was left out or makes the answer less certain


def load_audio(source: AudioSource, limits: Limits = CLIP_LIMITS) -> Waveform:
    """Return the waveform of read_recording."""
    return read_recording(source, limits).waveform


def read_recording(source: AudioSource, limits: Limits = CLIP_LIMITS) -> Recording:
    """Decode a file or its bytes, choose the track and the channels with speech, mix them to mono and resample.

    Raises:
        AudioError: The recording cannot be used; decode.py has the kinds.
        OSError: The path cannot be read.
    """
    sound, notices = _choose_track(_read_bytes(source, limits), limits)
    notices += [MAY_BE_CUT] if sound.may_be_cut else []
    waveform = sound.waveform
    peak = float(np.abs(waveform).max(initial=0.0))
    if FLOOR < peak < 10 ** (SILENCE_DBFS / 20) and _has_speech(louder := waveform * np.float32(LEVEL / peak)):
        waveform = louder
        notices.append(QUIET)
    if sound.rate_hz < MIN_RATE_HZ:
        notices.append(POOR.format(why=f"{sound.rate_hz} samples a second"))
    elif sound.bit_rate < MIN_BIT_RATE:
        notices.append(POOR.format(why=f"{sound.bit_rate / 1000:.0f} kbit/s"))
    return Recording(waveform, " ".join(notices))


def _read_bytes(source: AudioSource, limits: Limits) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        with Path(source).open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        most = f"{limits.max_bytes // MIB} MB"
        raise TooLarge(f"The file is larger than {most}. Please send a shorter clip, or MP3 or FLAC.")
    if not data:
        raise NotAudio("The file is empty. Please record again or choose another file.")
    return data


def _choose_track(data: bytes, limits: Limits) -> tuple[Sound, list[str]]:
    """Return the first track with speech, or else the first, and what was left out."""
    first = _choose_channels(data, limits, 0)
    if first[0].tracks == 1:
        return first
    for track in range(min(first[0].tracks, MAX_TRACKS)):
        sound, notices = _choose_channels(data, limits, track) if track else first
        if _has_speech(sound.waveform):
            return sound, [ONE_TRACK.format(number=track + 1, count=sound.tracks), *notices]
    return first


def _choose_channels(data: bytes, limits: Limits, track: int) -> tuple[Sound, list[str]]:
    """Return the mean of a track's channels, or one of them if only that has speech or they cancel each other out."""
    mix = decode(data, limits, track)
    if mix.agreement >= SAME:
        return mix, []
    count = mix.powers.size
    loud = np.flatnonzero(mix.powers > SILENT * mix.powers.max()).tolist()
    alone = {number: decode(data, limits, track, number) for number in loud}
    spoken = [number for number, sound in alone.items() if _has_speech(sound.waveform)]
    if len(spoken) == 1:
        return alone[spoken[0]], [ONE_CHANNEL.format(number=spoken[0] + 1, count=count)]
    canceled = mix.mix_power < CANCELED / count * mix.powers.mean()
    if spoken and (canceled or not _has_speech(mix.waveform)):
        loudest = max(spoken, key=lambda number: mix.powers[number])
        return alone[loudest], [OPPOSITE.format(number=loudest + 1, count=count)]
    return mix, []


def _has_speech(waveform: Waveform) -> bool:
    try:
        _detector().detect(waveform)
    except (Silence, NoSpeech, TooLittleSpeech):
        return False
    return True


@functools.cache
def _detector() -> SpeechDetector:
    return SpeechDetector()
