"""Where the voice is: the span from the first to the last speech that silero-vad hears, in training and in serving."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view

# importing silero_vad sets torch to one thread for the whole process, which suits networks as small as ours
from silero_vad.sequence_vad import SileroVADSequence, get_speech_timestamps_sequence

from ser_model.audio import SAMPLE_RATE, NoSpeech, Silence, TooLittleSpeech, Waveform

MIN_SPEECH_S = 0.5
SILENCE_DBFS = -70.0  # peak level; the quietest RAVDESS clip peaks 23 dB above it
VAD_PEAK = 0.5  # what the peak is scaled to before detection, so that a quiet microphone is heard as well
PLAIN = (1.0, 0.5)  # slowed by, threshold (0.5 is silero-vad's default)
SLOWED = ((1.5, 0.5), (2.0, 0.25))
ENOUGH_S = 1.0  # voice that ends the search; with less, screams are looked for: slowed, they sound like speech
SCREAM_S = 0.5  # voice that a slowed pass must find to be believed
CONFIRMED = 0.3  # share of a brief find that a slowed pass must hear too: of melodies it hears up to 0.25
NO_VOICE = "No voice was heard. Please speak closer to the microphone, without music or noise."
Part = tuple[float, float]  # start and end in seconds
TONE_WINDOW, TONE_BINS, TONE_WINDOWS = 1024, 10, 500  # samples, strongest bins of 16 Hz, windows looked at
TONE = 0.97  # share of the power in those bins from which on it is tones: engaged tones 0.99, speech 0.87, song 0.95
MARGIN_S = 0.05  # kept on both sides, so that soft onsets stay


@dataclass(frozen=True)
class SpeechSpan:
    """Where speech begins and ends, and how much of it there is (pauses left out), in seconds."""

    start_s: float
    end_s: float
    voiced_s: float

    def cut(self, waveform: Waveform) -> Waveform:
        """Return the span's samples, (time,) at SAMPLE_RATE."""
        return waveform[round(self.start_s * SAMPLE_RATE) : round(self.end_s * SAMPLE_RATE)]


class SpeechDetector:
    """Finds the speech span; one instance serves many threads at once.

    silero-vad's sequence form gives the frame probabilities of its usual form in a sixth of the time.
    """

    def __init__(self) -> None:
        network = resources.files("silero_vad.data") / "silero_vad_16k_sequence.onnx"
        with resources.as_file(network) as path:
            self._network = SileroVADSequence(str(path), sampling_rate=SAMPLE_RATE)

    def find(self, waveform: Waveform) -> SpeechSpan:
        """Find the span from the first to the last speech.

        Args:
            waveform: (time,) float32 at SAMPLE_RATE.

        Raises:
            Silence: The peak is under SILENCE_DBFS.
            NoSpeech: There is sound, but no voice.
            TooLittleSpeech: There is less than MIN_SPEECH_S of voice.
        """
        peak = float(np.abs(waveform).max(initial=0.0))
        if peak < 10 ** (SILENCE_DBFS / 20):
            raise Silence("The recording is silent. Please check that the microphone is on and speak again.")
        parts = self._search(waveform * np.float32(VAD_PEAK / peak))
        if not parts:
            raise NoSpeech(NO_VOICE)
        voiced_s = _sum_voice(parts)
        if voiced_s < MIN_SPEECH_S:
            raise TooLittleSpeech("That was too short to judge. Please say a whole sentence.")
        start_s = max(parts[0][0] - MARGIN_S, 0.0)
        end_s = min(parts[-1][1] + MARGIN_S, waveform.size / SAMPLE_RATE)
        span = SpeechSpan(start_s, end_s, voiced_s)
        if measure_tones(span.cut(waveform)) > TONE:
            raise NoSpeech(NO_VOICE)
        return span

    def _search(self, waveform: Waveform) -> list[Part]:
        """Listen as it is, then slowed while too little was heard.

        Thirteen of the 1,440 clips are found only slowed. A brief find that slowing does not confirm is a melody.
        """
        plain = best = self._detect(waveform, *PLAIN)
        heard_s = []
        for slowed_by, threshold in SLOWED:
            if _sum_voice(best) >= ENOUGH_S:
                return best
            parts = self._detect(waveform, slowed_by, threshold)
            heard_s.append(_sum_voice(parts))
            if heard_s[-1] >= max(SCREAM_S, _sum_voice(best)):
                best = parts
        return [] if best is plain and max(heard_s) < CONFIRMED * _sum_voice(plain) else best

    def _detect(self, waveform: Waveform, slowed_by: float, threshold: float) -> list[Part]:
        if slowed_by != 1.0:
            waveform = soxr.resample(waveform, SAMPLE_RATE, SAMPLE_RATE * slowed_by)
        found = get_speech_timestamps_sequence(
            waveform,
            self._network,
            threshold=threshold,
            sampling_rate=SAMPLE_RATE,
            min_speech_duration_ms=100,
            speech_pad_ms=0,
        )
        scale = SAMPLE_RATE * slowed_by
        return [(part["start"] / scale, part["end"] / scale) for part in found]


def measure_tones(waveform: Waveform) -> float:
    """Return the share of the power that lies in the TONE_BINS strongest bins of the mean spectrum, 0 to 1.

    The pitch of a voice moves and has overtones; a beep stays on its few bins, but silero-vad may take it for a vowel.

    Args:
        waveform: (time,) of TONE_WINDOW samples at least.
    """
    step = max(TONE_WINDOW // 2, waveform.size // TONE_WINDOWS)
    windows = sliding_window_view(waveform, TONE_WINDOW)[::step] * np.hanning(TONE_WINDOW)  # (window, sample)
    power = np.square(np.abs(np.fft.rfft(windows, axis=1))).sum(axis=0)  # (bin,)
    return float(np.sort(power)[-TONE_BINS:].sum() / power.sum())


def _sum_voice(parts: list[Part]) -> float:
    return sum(end_s - start_s for start_s, end_s in parts)
