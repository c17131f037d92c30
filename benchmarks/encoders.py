"""How much longer a wav2vec2-base-sized encoder takes than EmotionCnn: python -m benchmarks.encoders.

Both hear the same made voice of four seconds in one run, with one thread and with two; the encoder has random weights,
which serve for timing. Writes results/encoders.json.
"""

from __future__ import annotations

import io
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from ser_model.audio import SAMPLE_RATE
from ser_model.cnn import load_network
from ser_model.recognize import WEIGHTS, EmotionRecognizer
from ser_model.wav2vec2 import Encoder

OUT = Path("results/encoders.json")
SECONDS = 4


def main() -> None:
    """Time both with one and two threads, and write the medians."""
    voice = _make_voice()
    file = io.BytesIO()
    sf.write(file, soxr.resample(voice, SAMPLE_RATE, 48_000), 48_000, format="WAV", subtype="PCM_16")
    network, recognizer = load_network(WEIGHTS), EmotionRecognizer.load()
    megabytes_cnn = _read_memory_mb()
    encoder = Encoder(Wav2Vec2Model(Wav2Vec2Config()), "wav2vec2-base-sized", "random", normalise=True)
    waveform = torch.from_numpy(voice)
    rows = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        with torch.inference_mode():
            cnn_ms = _time_ms(lambda: network(waveform[None]), repeats=60)
            path_ms = _time_ms(lambda: recognizer.recognize(file.getvalue()), repeats=30)
            encoder_ms = _time_ms(lambda: encoder.describe(waveform), repeats=8)
        rows[f"{threads} threads"] = {
            "cnn_with_features_ms": cnn_ms,
            "cnn_whole_path_ms": path_ms,
            "encoder_ms": encoder_ms,
            "times_faster": encoder_ms / cnn_ms,
            "whole_path_times_faster": encoder_ms / path_ms,
        }
    sizes = {"cnn": network.count_parameters(), "encoder": encoder.count_parameters()}
    report: dict[str, Any] = {
        "command": "python -m benchmarks.encoders",
        "clip_s": SECONDS,
        "medians": rows,
        "parameters": sizes,
        "peak_memory_mb": {"with the cnn": megabytes_cnn, "with the encoder": _read_memory_mb()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    OUT.write_text(json.dumps(report, indent=1) + "\n")
    print(OUT.read_text())


def _make_voice() -> np.ndarray:
    """A pulse train through two resonances, enough like speech to be heard as such; (time,) float32."""
    times = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    pitch_hz = 140 + 20 * np.sin(2 * np.pi * 1.5 * times)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    formant_hz = 600 + 250 * np.sin(2 * np.pi * 2.5 * times)
    waves = [np.sin(k * phase) * np.exp(-(((k * pitch_hz - formant_hz) / 250) ** 2)) for k in range(1, 25)]
    syllables = np.clip(np.sin(2 * np.pi * 2 * times) + 0.6, 0, 1)
    voice = np.sum(waves, axis=0) * syllables
    return (0.3 * voice / np.abs(voice).max()).astype(np.float32)


def _time_ms(run: Callable[[], object], repeats: int) -> float:
    for _ in range(3):
        run()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


def _read_memory_mb() -> float:
    """Return the highest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
