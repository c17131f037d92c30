"""Scores a folder of recordings with every core; a file that cannot be judged costs only its own row."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import torch
from joblib import cpu_count
from tqdm import tqdm

from ser_model.audio import RECORDING, SAMPLE_RATE, AudioError, load_audio
from ser_model.cnn import read_config
from ser_model.recognize import WEIGHTS, EmotionRecognizer
from ser_model.table import Row, describe_failure, describe_prediction, make_table, read_labels
from ser_model.voice import LearnedVoice

if TYPE_CHECKING:
    import pandas as pd

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".webm", ".weba", ".m4a", ".aac", ".mp4"}
CHUNK = 8  # files that a worker is handed at a time
CRASHED = "Reading this file ended the process that read it. Please export the clip as an ordinary WAV or MP3."


@dataclass(frozen=True)
class ScoringJob:
    """How the files of a folder are scored; small enough to be sent to every worker.

    Attributes:
        folder: Where the files lie.
        weights: The network's folder; the one inside this package, wherever it lies, when left out.
        voice: The speaker's, when one person speaks in all files.
    """

    folder: Path
    weights: Path | None = None
    voice: LearnedVoice | None = None

    @property
    def network(self) -> Path:
        """The network's folder on this machine."""
        return self.weights or WEIGHTS

    def score(self, name: str) -> Row:
        """Judge one file, named relative to the folder; what is wrong with it stands in its row."""
        file = name.encode("utf-8", "replace").decode()  # a name that is no text would not fit into a table
        duration_s = None
        recognizer = _open_recognizer(self.network)
        try:
            waveform = load_audio(_require_file(self.folder / name), RECORDING)
            duration_s = waveform.size / SAMPLE_RATE
            return describe_prediction(file, recognizer.hear(waveform, self.voice), duration_s)
        except (AudioError, OSError) as error:
            return describe_failure(file, explain(error), duration_s)
        except Exception as error:  # noqa: BLE001 - a fault that nobody foresaw must not cost the other files
            return describe_failure(
                file, f"This file could not be judged ({type(error).__name__}: {error}).", duration_s
            )


def list_recordings(folder: Path) -> list[str]:
    """List the audio files in a folder and the folders in it, by their names' endings.

    Hidden files and folders are left out, linked folders are not entered.

    Returns:
        Paths relative to the folder, with slashes, in the order of their names.

    Raises:
        OSError: A folder cannot be read.
        ValueError: There are none.
    """

    def refuse(error: OSError) -> None:
        raise error

    names = []
    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        home = Path(place).relative_to(folder)
        names += [(home / name).as_posix() for name in files if _is_audio(name)]
    if not names:
        raise ValueError(f"{folder} has no recordings ({', '.join(sorted(AUDIO_SUFFIXES))}).")
    return sorted(names)


def score_archive(job: ScoringJob, workers: int | None = None) -> pd.DataFrame:
    """Score every recording of the job's folder behind a progress bar on standard error; see score_files."""
    names, labels = list_recordings(job.folder), read_labels(job.network)
    rows = tqdm(score_files(job, names, workers), total=len(names), desc="Listening", unit="file")
    return make_table(rows, labels)


def score_files(job: ScoringJob, names: Sequence[str], workers: int | None = None) -> Iterator[Row]:
    """Score files in several processes with one thread each.

    Should a process die of a file (a decoder's crash, or memory), the files about it are gone through one by one, so
    that only the culprit is lost.

    Args:
        job: How.
        names: From list_recordings.
        workers: Processes; one for each core when left out.

    Yields:
        One row for each name, in their order.

    Raises:
        OSError: No process can be started.
        WeightsError: The weights are missing or damaged.
    """
    wanted = min(workers or cpu_count(), len(names))
    done, suspects_end = 0, 0
    while done < len(names):
        careful = done < suspects_end
        part = names[done:suspects_end] if careful else names[done:]
        try:
            for row in _map_in_processes(job, part, 1 if careful else wanted, 1 if careful else CHUNK):
                yield row
                done += 1
        except BrokenProcessPool:
            if careful:
                yield describe_failure(names[done], CRASHED)
                done += 1
            else:
                _check_start(job)
                suspects_end = min(done + (2 * wanted + 1) * CHUNK, len(names))


def explain(error: Exception) -> str:
    """Say in a sentence why a file cannot be judged."""
    if isinstance(error, FileNotFoundError):
        return "There is no such file."
    if isinstance(error, IsADirectoryError):
        return "This is a folder; name the files in it, or give it alone with --out TABLE."
    if isinstance(error, OSError) and error.strerror:
        return f"The file cannot be read: {error.strerror}."
    return str(error)


def _map_in_processes(job: ScoringJob, names: Sequence[str], workers: int, chunk: int) -> Iterator[Row]:
    """Yield rows in order; processes are spawned, because forked ones inherit the threads' locks of torch."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_prepare_worker)
    try:
        yield from pool.map(job.score, names, chunksize=chunk)
    finally:
        pool.shutdown(cancel_futures=True)


def _check_start(job: ScoringJob) -> None:
    """Tell a file that ends a process from a machine on which none can start."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            pool.submit(read_config, job.network).result()
        except BrokenProcessPool as error:
            raise OSError("No further process can be started. Free some memory, or give --jobs 1.") from error


def _prepare_worker() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer


@cache
def _open_recognizer(weights: Path) -> EmotionRecognizer:
    """Read the weights once a process."""
    return EmotionRecognizer.load(weights)


def _is_audio(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES and not name.startswith(".")


def _require_file(path: Path) -> Path:
    """Refuse pipes and devices, which may never end."""
    if path.exists() and not path.is_file():
        raise AudioError("This is not an ordinary file.")
    return path
