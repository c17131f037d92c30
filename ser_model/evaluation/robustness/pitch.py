"""How high a speaker's voice lies, for the fairness groups."""

from __future__ import annotations

from collections.abc import Sequence

import librosa
import numpy as np

from ser_model.audio import SAMPLE_RATE, Waveform
from ser_model.features import HOP

RANGE_HZ = (60, 350)  # as in ser-tests
LOUD = 0.2  # share of the loudest frame's RMS from which a frame counts as voiced


def measure_pitch(clips: Sequence[Waveform]) -> float:
    """Return the mean over clips of the median pitch (YIN) of their loud frames, Hz."""
    medians = []
    for waveform in clips:
        pitch_hz = librosa.yin(waveform, fmin=RANGE_HZ[0], fmax=RANGE_HZ[1], sr=SAMPLE_RATE, hop_length=HOP)
        level = librosa.feature.rms(y=waveform, hop_length=HOP)[0]
        medians.append(float(np.median(pitch_hz[level[: pitch_hz.size] > LOUD * level.max()])))
    return float(np.mean(medians))
