"""Many recordings: one loop that no bad file stops, here, in several processes or on Ray, and tables of the results."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache, partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from joblib import cpu_count
from tqdm import tqdm

from ser_model.audio import RECORDING_LIMITS, AudioError, Limits, read_recording
from ser_model.cnn import CnnConfig, read_config
from ser_model.files import atomic_folder
from ser_model.frontend import SAMPLE_RATE
from ser_model.recognize import WEIGHTS, EmotionRecognizer, Prediction
from ser_model.speaker import SpeakerProfile

if TYPE_CHECKING:
    import pandas as pd

AUDIO_SUFFIXES = {
    ".3g2", ".3ga", ".3gp", ".aa3", ".aac", ".ac3", ".adts", ".afc", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".apl",
    ".apm", ".asf", ".ast", ".au", ".avi", ".avr", ".awb", ".caf", ".dsf", ".dts", ".dtshd", ".eac3", ".ec3", ".f4a",
    ".f4v", ".flac", ".flv", ".gsm", ".gxf", ".htk", ".iff", ".ircam", ".ism", ".isma", ".ismv", ".latm", ".lbc",
    ".loas", ".m2a", ".m2t", ".m2ts", ".m4a", ".m4b", ".m4p", ".m4r", ".m4v", ".mac", ".mj2", ".mk3d", ".mka", ".mkv",
    ".mlp", ".mmf", ".mov", ".mp1", ".mp2", ".mp3", ".mp4", ".mpa", ".mpc", ".mpeg", ".mpg", ".mpga", ".mts", ".mxf",
    ".nist", ".nut", ".oga", ".ogg", ".ogv", ".ogx", ".oma", ".omg", ".opus", ".paf", ".psp", ".pvf", ".qcp", ".qt",
    ".ra", ".rf64", ".rm", ".sds", ".sf", ".shn", ".snd", ".sox", ".sph", ".spx", ".svx", ".tak", ".thd", ".ts", ".tta",
    ".vob", ".voc", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wmv", ".wtv", ".wv", ".wve", ".xi", ".xwma",
}  # fmt: skip
TABLE_SUFFIXES = (".csv", ".parquet")
CHUNK = 8  # files that a process is given at a time
RAY_BLOCK = 64  # files in a task of Ray
JOB_BYTES = 600 * 1024**2  # of memory a process: 350 MB, and more with a recording of ten minutes
CRASHED = "The decoder crashed on this file. Please export the clip as an ordinary WAV or MP3."

ANSWERS = ("emotion", "sure", "gender", "gender_probability", "intensity", "intensity_probability")
TEXT_COLUMNS = {"file", "emotion", "gender", "intensity", "notice", "error"}
FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # also as full-width characters

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileResult:
    """The result for one recording: a prediction, or a sentence that says why there is none."""

    file: str
    prediction: Prediction | None = None
    error: str | None = None
    duration_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the document of the command line; the notice of a bad file is its error."""
        if self.prediction:
            return {"file": self.file, **self.prediction.to_json()}
        missing = dict.fromkeys((*ANSWERS, "measured_accuracy", "speech"))
        return {"file": self.file, **missing, "sure": False, "probabilities": {}, "timeline": [], "notice": self.error}

    def to_row(self) -> dict[str, Any]:
        """Return the row of the table; a bad file has only its name, its error and perhaps its duration."""
        row: dict[str, Any] = {
            "file": _as_text(self.file),
            "duration_s": None if self.duration_s is None else round(self.duration_s, 2),
            "error": self.error and _as_text(self.error),
        }
        if self.prediction:
            document = self.prediction.to_json()
            row |= {name: document[name] for name in ANSWERS} | {"notice": self.prediction.recording_notice}
            row |= {f"p_{emotion}": probability for emotion, probability in document["probabilities"].items()}
            row["certainty"] = max(document["probabilities"].values())
            row["speech_start_s"], row["speech_end_s"] = document["speech"]
        return row


def predict_files(
    recognizer: EmotionRecognizer,
    files: Iterable[str | Path],
    profile: SpeakerProfile | None = None,
    limits: Limits = RECORDING_LIMITS,
) -> Iterator[FileResult]:
    """Yield one result for each file, in order; whatever goes wrong with a file is told in its result.

    Raises:
        EnrollmentError: The profile of the speaker was made with other weights.
    """
    if profile is not None:
        recognizer.check_profile(profile)
    for file in files:
        result = FileResult(str(file))
        try:
            recording = read_recording(file, limits)
            result = replace(result, duration_s=recording.waveform.size / SAMPLE_RATE)
            prediction = recognizer.predict(recording.waveform, profile).with_notice(recording.notice)
            result = replace(result, prediction=prediction)
        except FileNotFoundError:
            result = replace(result, error="There is no such file.")
        except IsADirectoryError:
            said = "This is a folder; name the files in it, or give it alone with --out TABLE."
            result = replace(result, error=said)
        except (AudioError, OSError) as error:
            reason = getattr(error, "strerror", None)
            result = replace(result, error=f"The file cannot be read: {reason}." if reason else str(error))
        except Exception as error:
            logger.exception("unexpected error in %s", file)
            result = replace(result, error=f"This file could not be judged ({type(error).__name__}: {error}).")
        yield result


def list_recordings(folder: Path) -> list[str]:
    """Return the sorted relative paths of the audio files in a folder and its subfolders, but no hidden ones.

    Raises:
        OSError, ValueError: A folder cannot be read, or there are no audio files.
    """
    names = [path.as_posix() for path in _list_files(folder) if path.suffix.lower() in AUDIO_SUFFIXES]
    if not names:
        raise ValueError(f"{folder} has no recordings ({', '.join(sorted(AUDIO_SUFFIXES))}).")
    return sorted(names)


def count_others(folder: Path) -> Counter[str]:
    """Count the files that list_recordings passes over, by suffix; an empty suffix for names without one."""
    return Counter(suffix for path in _list_files(folder) if (suffix := path.suffix.lower()) not in AUDIO_SUFFIXES)


def _list_files(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place).relative_to(folder) / name for name in files if not name.startswith("."))


def _as_text(name: str) -> str:
    """Replace what is no valid text in a file's name."""
    return name.encode("utf-8", "replace").decode()


def predict_folder(
    folder: Path, weights: Path | None = None, profile: SpeakerProfile | None = None, jobs: int | None = None
) -> pd.DataFrame:
    """Predict every recording in a folder in several processes, with a progress bar on standard error.

    Without weights, those that are shipped are used; without jobs, as many processes as cores and memory allow.
    """
    names, labels = list_recordings(folder), read_labels(weights or WEIGHTS)
    predict = partial(_predict_in_folder, folder, weights, profile)
    results = map_in_processes(predict, names, min(jobs or default_jobs(JOB_BYTES), len(names)))
    return make_table(tqdm(results, total=len(names), desc="Predicting", unit="file"), labels)


def map_in_processes(function: Callable[[str], FileResult], names: Sequence[str], jobs: int) -> Iterator[FileResult]:
    """Yield the result of a picklable function for each name, in order, computed in several processes.

    A name that crashes its process costs only its own result: those that may have done it are tried one by one.
    """
    spawn = multiprocessing.get_context("spawn")  # forked processes would inherit the locks of torch's threads
    done, suspects_end = 0, 0
    while done < len(names):
        careful = done < suspects_end
        part = names[done:suspects_end] if careful else names[done:]
        pool = ProcessPoolExecutor(1 if careful else jobs, spawn, initializer=_start_worker)
        try:
            for result in pool.map(function, part, chunksize=1 if careful else CHUNK):
                yield result
                done += 1
        except BrokenProcessPool:
            if careful:
                yield FileResult(names[done], error=CRASHED)
                done += 1
            else:
                try:  # tell a file that crashes its process from a machine that cannot start one
                    with ProcessPoolExecutor(1, spawn) as check:
                        check.submit(os.getpid).result()
                except BrokenProcessPool as error:
                    raise OSError("No more processes can be started. Free some memory, or give --jobs 1.") from error
                suspects_end = min(done + (2 * jobs + 1) * CHUNK, len(names))
        finally:
            pool.shutdown(cancel_futures=True)


def default_jobs(bytes_per_job: int) -> int:
    """Return how many processes of that size the cores and the free memory allow, at least 1."""
    free = []
    try:
        free += [1024 * int(kib) for kib in re.findall(r"MemAvailable: +(\d+)", Path("/proc/meminfo").read_text())]
        group = Path("/sys/fs/cgroup")  # the limit of a container
        free.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):  # another system, or no limit
        pass
    cores: int = cpu_count()
    return max(min([cores, *(available // bytes_per_job for available in free)]), 1)


def predict_folder_on_ray(
    folder: Path,
    weights: Path | None = None,
    profile: SpeakerProfile | None = None,
    jobs: int | None = None,
    address: str | None = None,
) -> pd.DataFrame:
    """Predict every recording in a folder with Ray Data; otherwise like predict_folder, with jobs as actors.

    Every machine of a cluster needs requirements.txt installed and the folder under the same path (a network drive).
    This package with its weights is sent to them.

    address names a running cluster, such as "auto" or "10.0.0.1:6379"; without one, a cluster is started here.
    """
    try:
        import ray.data  # noqa: PLC0415 - optional, and takes seconds
    except ImportError as error:
        raise ValueError("Ray is not installed. Get it with: pip install -r requirements-cluster.txt") from error
    names, labels = list_recordings(folder), read_labels(weights or WEIGHTS)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry
    if address is None:  # only this machine can reach it
        own: dict[str, Any] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        ray.init(address="local", num_cpus=jobs or cpu_count(), log_to_driver=False, **own)
    else:
        package = {"py_modules": [str(Path(__file__).parent)]}
        try:
            ray.init(address=address, runtime_env=package, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise OSError(f"No Ray cluster answers at {address}. Start one with: ray start --head") from error
    try:
        ray.data.DataContext.get_current().execution_options.preserve_order = True
        actors = jobs or int(ray.cluster_resources()["CPU"])
        files = [{"name": os.fsencode(name)} for name in names]  # names may not be valid text
        blocks = max(ceil(len(files) / RAY_BLOCK), min(len(files), 2 * actors))
        predict = partial(_predict_in_folder, folder.resolve(), weights and weights.resolve(), profile)
        predicted = ray.data.from_items(files, override_num_blocks=blocks).map_batches(
            _RayActor,
            fn_constructor_args=(predict, labels),
            batch_size=RAY_BLOCK,
            compute=ray.data.ActorPoolStrategy(size=min(actors, blocks)),
            num_cpus=1,
        )
        return _shape_table(predicted.to_pandas(), labels)
    finally:
        ray.shutdown()


class _RayActor:
    """A worker of the cluster, on one core, that keeps the model loaded."""

    def __init__(self, predict: Callable[[str], FileResult], labels: list[str]) -> None:
        torch.set_num_threads(1)
        self._predict, self._labels = predict, labels

    def __call__(self, batch: dict[str, Any]) -> pd.DataFrame:
        return make_table((self._predict(os.fsdecode(name)) for name in batch["name"]), self._labels)


def read_labels(weights: Path) -> list[str]:
    """Return the emotions of a network in the order of its classes, from its config.json alone."""
    return [str(name) for name in CnnConfig.from_json(read_config(weights)).emotions]


def make_table(results: Iterable[FileResult], labels: Sequence[str]) -> pd.DataFrame:
    """Make a table with a row for each result; it has the same columns and types whatever went wrong."""
    import pandas as pd  # noqa: PLC0415 - half a second, and only tables need it

    return _shape_table(pd.DataFrame([result.to_row() for result in results]), labels)


def _shape_table(table: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    columns = ["file", "emotion", "certainty", *ANSWERS[1:], *(f"p_{label}" for label in labels)]
    columns += ["speech_start_s", "speech_end_s", "duration_s", "notice", "error"]
    types = {name: "string" if name in TEXT_COLUMNS else "boolean" if name == "sure" else "Float64" for name in columns}
    return table.reindex(columns=columns).astype(types)  # types that allow missing values


def check_table_path(path: Path) -> None:
    """Raise a ValueError, before anything is computed, if no table can be written to a path."""
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise ValueError(f"{path} must end in {' or '.join(TABLE_SUFFIXES)}.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent} for {path.name}. Make it first, or choose another one.")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a .csv or .parquet file; an interrupted run leaves no partial file."""
    with atomic_folder(path.parent) as tmp:
        if path.suffix.lower() == ".csv":
            table.map(escape_formula).to_csv(tmp / path.name, index=False)
        else:
            with (tmp / path.name).open("wb") as file:  # pyarrow takes no name that is not valid text
                table.to_parquet(file, index=False)


def escape_formula(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run as a formula, such as a file name."""
    return f"'{value}" if isinstance(value, str) and value.lstrip().startswith(FORMULA_STARTS) else value


def _predict_in_folder(folder: Path, weights: Path | None, profile: SpeakerProfile | None, name: str) -> FileResult:
    path = folder / name
    if path.exists() and not path.is_file():
        return FileResult(name, error="This is not a regular file.")  # a pipe or device may never end
    (result,) = predict_files(_load_once(weights or WEIGHTS), [path], profile)
    return replace(result, file=name)


_load_once = cache(EmotionRecognizer.load)  # in each process


def _start_worker() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
