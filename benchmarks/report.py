"""What the benchmarks share: timing, synthetic voices, and the result file with its weights, machine and versions."""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from examples.make_voices import RATE_HZ, Style, speak
from ser_model.cnn import weights_id
from ser_model.recognize import WEIGHTS

VOWELS = ("aeioaeiaeo", "oauoaouaoe", "aeaiaeaiai", "uoeauoeaui")
LOAD_BEFORE = os.getloadavg()[0]  # of the last minute, before the benchmark adds its own


def time_ms(run: Callable[[], object]) -> float:
    """Run once; return the wall-clock time in milliseconds."""
    started = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - started)


def time_alternately(runs: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 3) -> dict[str, float]:
    """Time functions in turn, so that other work slows all of them alike; return the median of each in milliseconds.

    Untimed calls right before each timed one warm up the CPU caches.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            for _ in range(warm_up):
                run()
            times[name].append(time_ms(run))
    return {name: round(statistics.median(values), 2) for name, values in times.items()}


def synthesize_voice(seconds: float, number: int = 0) -> NDArray[np.float32]:
    """Return synthetic speech with pauses, (time,) float32 at 16 kHz; each number is another voice."""
    vowels, pitch_hz = VOWELS[number % len(VOWELS)], 95.0 + 17.0 * (number % 12)
    style = Style(vowels, pitch_hz, 0.05 + 0.03 * (number % 7), 0.18 + 0.02 * (number % 5))
    return np.resize(speak(style, seed=number), round(seconds * RATE_HZ)).astype(np.float32)


def encode_wav(waveform: NDArray[np.float32], rate_hz: int = RATE_HZ) -> bytes:
    """Encode a 16 kHz waveform as a mono 16-bit WAV file of another rate."""
    file = io.BytesIO()
    sf.write(file, soxr.resample(waveform, RATE_HZ, rate_hz), rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


def read_memory_mb(key: str = "VmHWM", process: int | str = "self") -> int:
    """Return a figure of /proc/PID/status in MB, by default the peak of this process's resident memory."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(key)) // 1024  # kB


def write_result(folder: Path, name: str, numbers: Mapping[str, Any], packages: tuple[str, ...]) -> None:
    """Write FOLDER/NAME.json: the command, the numbers, the weights, the machine and the package versions."""
    from ser_model.evaluation.report import describe_origin, write_document  # noqa: PLC0415 - matplotlib takes memory

    command = {"command": f"python -m benchmarks {name}"}  # numbers may hold a longer one
    document = command | dict(numbers) | {"weights_id": weights_id(WEIGHTS), **describe_origin(packages)}
    document["machine"]["load_before"] = round(LOAD_BEFORE, 2)
    write_document(folder / f"{name}.json", document)
