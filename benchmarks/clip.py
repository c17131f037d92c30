"""The cost of a 4 s clip from bytes to probabilities, and of the network beside its alternatives, on one thread.

The alternatives are librosa's features and an encoder of wav2vec2-base's size. All process the same synthetic voice and
are timed alternately, warm. Writes clip.json.
"""

from __future__ import annotations

import argparse
import functools
import io
from typing import Any

import librosa
import numpy as np
import soundfile as sf
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from transformers import Wav2Vec2Config, Wav2Vec2Model

from benchmarks import report
from ser_model.audio import RECORDING_LIMITS, load_audio
from ser_model.frontend import SAMPLE_RATE
from ser_model.recognize import EmotionRecognizer, predict_windows
from ser_model.vad import SpeechDetector, SpeechSpan

SECONDS, RATE_HZ = 4, 48_000
RECORDINGS_S = {"1 min": 60, "10 min": 600}
OURS = "network_with_features"
PACKAGES = ("torch", "torchaudio", "librosa", "silero-vad", "onnxruntime", "transformers")


def librosa_features(waveform: NDArray[np.float32], rate_hz: int) -> list[NDArray[Any]]:
    """Compute what such recipes take from librosa: 20 MFCCs, 12 chroma and 128 mel bands, ZCR and energy, by frame."""
    spectral = (librosa.feature.mfcc, librosa.feature.chroma_stft, librosa.feature.melspectrogram)
    temporal = (librosa.feature.zero_crossing_rate, librosa.feature.rms)
    return [*(feature(y=waveform, sr=rate_hz) for feature in spectral), *(feature(y=waveform) for feature in temporal)]


def measure(rounds: int) -> dict[str, Any]:
    """Time the whole path, its parts, the network beside its alternatives, and long recordings."""
    recognizer, detector = EmotionRecognizer.load(), SpeechDetector()
    encoder = Wav2Vec2Model(Wav2Vec2Config()).eval()  # speed needs no weights
    file = report.encode_wav(report.synthesize_voice(SECONDS), RATE_HZ)
    waveform, (at_48_khz, _) = load_audio(file), sf.read(io.BytesIO(file), dtype="float32")
    span, batch = SpeechSpan(0.0, waveform.size / SAMPLE_RATE, 0.0), torch.from_numpy(waveform)[None]
    path = {
        "bytes_to_probabilities": lambda: recognizer.recognize(file),
        "decode": lambda: load_audio(file),
        "vad": lambda: detector.detect(waveform),
    }
    compared = {
        OURS: lambda: predict_windows(recognizer.network, waveform, span),
        "librosa_48_khz": lambda: librosa_features(at_48_khz, RATE_HZ),
        "librosa_16_khz": lambda: librosa_features(waveform, SAMPLE_RATE),
        "wav2vec2_base_sized_encoder": lambda: encoder(batch),
    }
    path_ms, compared_ms = report.time_alternately(path, rounds), report.time_alternately(compared, rounds)
    recordings = {name: report.encode_wav(report.synthesize_voice(s)) for name, s in RECORDINGS_S.items()}
    recognize = functools.partial(recognizer.recognize, limits=RECORDING_LIMITS)
    runs = {name: functools.partial(recognize, data) for name, data in recordings.items()}
    recording_ms = report.time_alternately(runs, rounds=min(rounds, 5), warm_up=1)
    return {
        "clip": {"seconds": SECONDS, "rate_hz": RATE_HZ, "format": "WAV, 16 bits, mono"},
        "threads": 1,
        "precision": "float32",
        "rounds": rounds,
        "path_ms": path_ms,
        "compared_ms": compared_ms,
        "times_faster": {name: round(ms / compared_ms[OURS], 1) for name, ms in compared_ms.items() if name != OURS},
        "recording_s": {name: round(ms / 1000, 2) for name, ms in recording_ms.items()},
        "parameters": {
            "network": recognizer.network.count_parameters(),
            "encoder": encoder.num_parameters(),
        },
    }


def run(options: argparse.Namespace) -> int:
    """Time everything on one thread and write the medians."""
    torch.set_num_threads(1)
    with torch.inference_mode(), threadpool_limits(1):  # the latter for NumPy and librosa
        numbers = measure(1 if options.small else 40)
    report.write_result(options.out, "clip", numbers, PACKAGES)
    print(numbers["path_ms"], numbers["compared_ms"])
    return 0
