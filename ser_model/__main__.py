"""The command line: python -m ser_model COMMAND. Each command has a --help of its own."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ser_model import batch
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.comparison import ComparisonMissing, JoinedRecognizer, Opinions, SecondOpinion
from ser_model.recognize import WEIGHTS, EmotionRecognizer, Prediction
from ser_model.speaker import SpeakerProfile, emotions_from_filenames

COMMANDS = {  # where each is, loaded only when it is called; what it does
    "predict": ("ser_model.__main__:predict", "predict the emotion in recordings"),
    "explore": ("ser_model.evaluation.explore:main", "plot the corpus"),
    "robustness": ("ser_model.evaluation.robustness.run:main", "measure how changes of a recording change the answer"),
    "enrollment": ("ser_model.evaluation.enrollment:main", "measure how much enrollment helps"),
    "report": ("ser_model.evaluation.report:main", "write the tables of the documents from results/"),
    "card": ("ser_model.training.publish:main_card", "write the model card"),
}


class _Parser(argparse.ArgumentParser):
    """Reports an error in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"ser_model: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run a command; 2 means bad input, explained on standard error."""
    parser = _Parser(
        prog="python -m ser_model",
        description=__doc__,
        epilog="commands:\n" + "\n".join(f"  {name:12} {about}" for name, (_, about) in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what cannot be encoded must not cost the answers
            stream.reconfigure(errors="backslashreplace")
    arguments = parser.parse_args(argv)
    module, function = COMMANDS[arguments.command][0].split(":")
    try:
        run: Callable[[list[str]], int] = getattr(importlib.import_module(module), function)
        return run(arguments.arguments)
    except OSError as error:
        message = ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
    except (AudioError, WeightsError, ComparisonMissing, ValueError) as error:
        message = str(error)
    print(f"ser_model: {message}", file=sys.stderr)
    return 2


def predict(argv: list[str]) -> int:
    """Predict the emotion in files, or in every recording of a folder. A bad file does not stop the others."""
    parser = _Parser(prog="python -m ser_model predict", description=predict.__doc__)
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="recordings, or one folder with --out")
    add("--json", action="store_true", help="print one JSON document")
    add("--out", type=Path, metavar="TABLE", help="write a .csv or .parquet table")
    clips = "adapt to the speaker: a neutral clip, clips or a folder of clips named by emotion, or a saved profile"
    add("--enroll", type=Path, nargs="+", metavar="PATH", help=clips)
    second = "answer with a pretrained encoder as well (downloaded once)"
    add("--second-opinion", action="store_true", help=second)
    add("--save-profile", type=Path, metavar="JSON", help="save the profile for the next time")
    add("--jobs", type=int, metavar="N", help="processes for a folder (default: by cores and memory)")
    add("--ray", nargs="?", const="local", metavar="ADDRESS", help="run a folder on Ray, here or on a cluster")
    add("--weights", type=Path, default=WEIGHTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.out:
        batch.check_table_path(arguments.out)
    if arguments.jobs is not None and arguments.jobs < 1:
        raise ValueError(f"--jobs must be 1 or more, not {arguments.jobs}.")
    if len(arguments.files) == 1 and Path(arguments.files[0]).is_dir():
        return _predict_folder(Path(arguments.files[0]), arguments)
    if arguments.ray or arguments.jobs:
        raise ValueError("--ray and --jobs are for a folder: python -m ser_model predict DIR --out TABLE --jobs N.")
    return _predict_files(arguments)


def _predict_files(arguments: argparse.Namespace) -> int:
    recognizer = EmotionRecognizer.load(arguments.weights)
    if arguments.second_opinion:
        recognizer = JoinedRecognizer(recognizer, SecondOpinion.load())
    results = []
    for result in batch.predict_files(recognizer, arguments.files, _make_profile(arguments, lambda: recognizer)):
        results.append(result)
        if result.error:
            print(f"ser_model: {result.file}: {result.error}", file=sys.stderr)
        elif not arguments.json and not arguments.out:
            _print_result(result)
    if arguments.out:
        batch.write_table(arguments.out, batch.make_table(results, batch.read_labels(arguments.weights)))
    if arguments.json:
        print(json.dumps([result.to_json() for result in results], indent=1))
    return 2 if any(result.error for result in results) else 0


def _predict_folder(folder: Path, arguments: argparse.Namespace) -> int:
    if arguments.second_opinion:
        raise ValueError(f"--second-opinion is for files: python -m ser_model predict --second-opinion {folder}/*.wav")
    if not arguments.out or arguments.json:
        raise ValueError(f"{folder} is a folder: its answers go into a table. Add --out TABLE.csv or .parquet.")
    weights = None if arguments.weights == WEIGHTS else arguments.weights
    profile = _make_profile(arguments, lambda: EmotionRecognizer.load(arguments.weights))
    if arguments.ray:
        address = None if arguments.ray == "local" else arguments.ray
        table = batch.predict_folder_on_ray(folder, weights, profile, arguments.jobs, address)
    else:
        table = batch.predict_folder(folder, weights, profile, arguments.jobs)
    batch.write_table(arguments.out, table)
    failed = int(table["error"].notna().sum())
    print(f"{arguments.out}: {len(table)} files, {failed} could not be judged (see its column error).", file=sys.stderr)
    if others := batch.count_others(folder):
        kinds = ", ".join(f"{count} {suffix or 'without an ending'}" for suffix, count in others.most_common())
        print(f"{others.total()} files were passed over: {kinds}.", file=sys.stderr)
    return 2 if failed == len(table) else 0


def _make_profile(arguments: argparse.Namespace, load: Callable[[], EmotionRecognizer]) -> SpeakerProfile | None:
    """Read the profile that --enroll names, or make it from recordings and save it where --save-profile says."""
    paths: list[Path] = arguments.enroll or []
    saved = [path.suffix for path in paths] == [".json"]
    if arguments.save_profile and (saved or not paths):
        raise ValueError("--save-profile saves what --enroll makes from recordings. Name some with --enroll.")
    if not paths:
        return None
    if saved:
        profile = SpeakerProfile.read(paths[0])
        load().check_profile(profile)
        return profile
    clips = [path / name for path in paths for name in (batch.list_recordings(path) if path.is_dir() else [""])]
    profile = load().enroll(emotions_from_filenames(clips))
    if arguments.save_profile:
        arguments.save_profile.write_text(json.dumps(profile.to_json()) + "\n")
    return profile


def _print_result(result: batch.FileResult) -> None:
    prediction = result.prediction
    assert prediction is not None
    said = f"{result.file}: {_say(prediction)}; {prediction.gender} voice"
    if isinstance(prediction, Opinions):
        said += f"; network {_say(prediction.network)}; second opinion {_say(prediction.head)}"
    print(f"{said}. {prediction.recording_notice}" if prediction.recording_notice else said)


def _say(prediction: Prediction) -> str:
    likely = ", ".join(f"{name} {100 * probability:.0f} %" for name, probability in prediction.top(3))
    return f"{prediction.emotion or 'not sure'} ({likely})"


if __name__ == "__main__":
    sys.exit(main())
