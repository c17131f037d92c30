"""Voice activity detection: the span from the first to the last speech, for training and for serving."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view

# importing silero_vad limits torch to one thread in the whole process, which suits networks as small as ours
from silero_vad.sequence_vad import SileroVADSequence, get_speech_timestamps_sequence

from ser_model.decode import Music, NoSpeech, Silence, TooLittleSpeech, Waveform
from ser_model.frontend import SAMPLE_RATE

MIN_SPEECH_S = 0.5
MARGIN_S = 0.05  # added on both sides, for soft onsets
SILENCE_DBFS = -70.0  # peak level; the quietest RAVDESS clip peaks 23 dB above it
VAD_PEAK = 0.5  # clips are scaled to this peak, so that a quiet microphone works
VAD_PASS = (1.0, 0.5)  # slowed down by, threshold; 0.5 is silero-vad's default
SLOW_PASSES = ((1.5, 0.5), (2.0, 0.25))  # for screams, which resemble speech when slowed down
MIN_VOICED_S = 1.0  # with less speech, the slow passes run
MIN_SLOW_SPEECH_S = 0.5  # a slow pass with less is ignored
MIN_CONFIRM_RATIO = 0.3  # of a short detection that a slow pass must confirm; of melodies it confirms up to 0.25
TONE_WINDOW, TONE_BINS, MAX_TONE_WINDOWS = 1024, 10, 500  # samples, bins of 16 Hz, windows
MAX_TONALITY = 0.97  # dial tones have 0.99, speech 0.87, song 0.95
MUSIC_TONALITY, MUSIC_HZ = 0.75, 100  # of what is above these Hz and has no speech; pink noise has 0.2

SILENT = (
    "The recording is silent. Please choose another one.",
    "The recording is silent. Please check that the microphone is on and speak again.",
)  # for whoever has a file, and for whoever spoke; as are the others
NO_SPEECH = (
    "No voice was heard in the recording. Please choose one with speech.",
    "No voice was heard. Please speak closer to the microphone, without music or noise.",
)
MUSIC = (
    "No voice was heard in the recording, only music or tones. Please choose one with speech.",
    "No voice was heard, only music or a tone. Please speak where it is quiet.",
)
TOO_LITTLE = (
    "The recording has too little speech to judge. Please choose one with a whole sentence.",
    "That was too short to judge. Please say a whole sentence.",
)

Part = tuple[float, float]  # start and end in seconds


@dataclass(frozen=True)
class SpeechSpan:
    """Where speech starts and ends and how much of it there is without pauses, in seconds."""

    start_s: float
    end_s: float
    voiced_s: float

    def crop(self, waveform: Waveform) -> Waveform:
        """Return the samples of the span, (time,) at SAMPLE_RATE."""
        return waveform[round(self.start_s * SAMPLE_RATE) : round(self.end_s * SAMPLE_RATE)]


class SpeechDetector:
    """Finds the speech span. One instance serves any number of threads.

    silero-vad's sequence model gives the frame probabilities of the usual one in a sixth of the time.
    """

    def __init__(self) -> None:
        model = resources.files("silero_vad.data") / "silero_vad_16k_sequence.onnx"
        with resources.as_file(model) as path:
            self._model = SileroVADSequence(str(path), sampling_rate=SAMPLE_RATE)

    def detect(self, waveform: Waveform) -> SpeechSpan:
        """Find the span from the first to the last speech in a (time,) waveform.

        Raises:
            Silence, NoSpeech, Music, TooLittleSpeech: There is none, or less than MIN_SPEECH_S.
        """
        peak = float(np.abs(waveform).max(initial=0.0))
        if peak < 10 ** (SILENCE_DBFS / 20):
            raise Silence(*SILENT)
        parts = self._search(waveform * np.float32(VAD_PEAK / peak))
        if not parts:
            is_tonal = waveform.size >= TONE_WINDOW and tonality(waveform, MUSIC_HZ) > MUSIC_TONALITY
            raise Music(*MUSIC) if is_tonal else NoSpeech(*NO_SPEECH)
        voiced_s = _total_s(parts)
        if voiced_s < MIN_SPEECH_S:
            raise TooLittleSpeech(*TOO_LITTLE)
        start_s = max(parts[0][0] - MARGIN_S, 0.0)
        end_s = min(parts[-1][1] + MARGIN_S, waveform.size / SAMPLE_RATE)
        span = SpeechSpan(start_s, end_s, voiced_s)
        if tonality(span.crop(waveform)) > MAX_TONALITY:
            raise Music(*MUSIC)
        return span

    def _search(self, waveform: Waveform) -> list[Part]:
        """Run the detector, and again on the slowed clip if it found little.

        The speech in 13 of the 1,440 RAVDESS clips is found only at a slower speed. A short detection that no slow pass
        confirms is music.
        """
        first = best = self._run(waveform, *VAD_PASS)
        slow_s = []
        for slowdown, threshold in SLOW_PASSES:
            if _total_s(best) >= MIN_VOICED_S:
                return best
            parts = self._run(waveform, slowdown, threshold)
            slow_s.append(_total_s(parts))
            if slow_s[-1] >= max(MIN_SLOW_SPEECH_S, _total_s(best)):
                best = parts
        return [] if best is first and max(slow_s) < MIN_CONFIRM_RATIO * _total_s(first) else best

    def _run(self, waveform: Waveform, slowdown: float, threshold: float) -> list[Part]:
        if slowdown != 1.0:
            waveform = soxr.resample(waveform, SAMPLE_RATE, SAMPLE_RATE * slowdown)
        settings = {"sampling_rate": SAMPLE_RATE, "min_speech_duration_ms": 100, "speech_pad_ms": 0}
        found = get_speech_timestamps_sequence(waveform, self._model, threshold=threshold, **settings)
        scale = SAMPLE_RATE * slowdown
        return [(part["start"] / scale, part["end"] / scale) for part in found]


def tonality(waveform: Waveform, from_hz: float = 0.0) -> float:
    """Return the share of the power in the TONE_BINS strongest bins of the mean spectrum from from_hz on, 0 to 1.

    The pitch of a voice moves and has overtones. A beep stays on its few bins, but silero-vad may take it for a vowel.
    """
    step = max(TONE_WINDOW // 2, waveform.size // MAX_TONE_WINDOWS)
    windows = sliding_window_view(waveform, TONE_WINDOW)[::step] * np.hanning(TONE_WINDOW)  # (window, sample)
    power = np.square(np.abs(np.fft.rfft(windows, axis=1))).sum(axis=0)  # (bin,)
    power = power[round(from_hz * TONE_WINDOW / SAMPLE_RATE) :]
    return float(np.sort(power)[-TONE_BINS:].sum() / power.sum())


def _total_s(parts: list[Part]) -> float:
    return sum(end_s - start_s for start_s, end_s in parts)
