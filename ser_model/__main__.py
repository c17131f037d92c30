"""The command line: python -m ser_model predict | explore | robustness."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from ser_model.archive import ScoringJob, explain, list_recordings, score_archive
from ser_model.audio import RECORDING, SAMPLE_RATE, AudioError, load_audio
from ser_model.cnn import WeightsError
from ser_model.recognize import WEIGHTS, EmotionRecognizer
from ser_model.table import (
    Row,
    check_place,
    describe_failure,
    describe_prediction,
    make_table,
    read_labels,
    write_table,
)
from ser_model.voice import LearnedVoice, name_clips


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"ser_model: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 2 means bad input, said in one line each on standard error."""
    arguments = _parse_arguments(argv)
    try:
        return int(arguments.run(arguments))
    except (AudioError, WeightsError, OSError, ValueError) as error:
        print(f"ser_model: {error}", file=sys.stderr)
        return 2


def predict(arguments: argparse.Namespace) -> int:
    """Say how each file sounds, or every file of a folder; a bad file is reported and does not spoil the others."""
    if arguments.out:
        check_place(arguments.out)
    if arguments.jobs is not None and arguments.jobs < 1:
        raise ValueError(f"--jobs must be 1 or more, not {arguments.jobs}.")
    recognizer = EmotionRecognizer.load(arguments.weights)
    voice = _learn_voice(recognizer, arguments)
    first = Path(arguments.files[0])
    weights = None if arguments.weights == WEIGHTS else arguments.weights
    if first.is_dir() and len(arguments.files) == 1:
        return _predict_archive(ScoringJob(first, weights, voice), arguments)
    if arguments.ray or arguments.jobs:
        raise ValueError("--ray and --jobs are for a folder: python -m ser_model predict DIR --out TABLE --jobs N.")
    documents, rows = _predict_files(recognizer, arguments.files, voice)
    if arguments.out:
        write_table(arguments.out, make_table(rows, read_labels(arguments.weights)))
    if arguments.json:
        print(json.dumps(documents, indent=1))
    elif not arguments.out:
        _print_documents([document for document in documents if document["speech"]])
    return 2 if any(row["error"] for row in rows) else 0


def _predict_files(
    recognizer: EmotionRecognizer, files: list[str], voice: LearnedVoice | None
) -> tuple[list[dict[str, Any]], list[Row]]:
    """Return a document and a row of the table for each file; what is wrong with one is also said at once."""
    documents, rows = [], []
    for file in files:
        duration_s = None
        try:
            waveform = load_audio(file, RECORDING)
            duration_s = waveform.size / SAMPLE_RATE
            prediction = recognizer.hear(waveform, voice)
            documents.append({"file": file, **prediction.to_json()})
            rows.append(describe_prediction(file, prediction, duration_s))
        except (AudioError, OSError) as error:
            print(f"ser_model: {file}: {explain(error)}", file=sys.stderr)
            documents.append(_describe_failure(file, explain(error)))
            rows.append(describe_failure(file, explain(error), duration_s))
    return documents, rows


def _predict_archive(job: ScoringJob, arguments: argparse.Namespace) -> int:
    """Write the table of a whole folder; files that cannot be judged are counted, and said in the table."""
    if not arguments.out or arguments.json:
        raise ValueError(f"{job.folder} is a folder: its answers go into a table. Add --out TABLE.csv or .parquet.")
    if arguments.ray:
        from ser_model.archive_ray import score_archive_on_ray  # noqa: PLC0415 - Ray is optional, and slow to import

        table = score_archive_on_ray(job, None if arguments.ray == "local" else arguments.ray, arguments.jobs)
    else:
        table = score_archive(job, arguments.jobs)
    write_table(arguments.out, table)
    failed = int(table["error"].notna().sum())
    print(f"{arguments.out}: {len(table)} files, {failed} could not be judged (see its column error).", file=sys.stderr)
    return 2 if failed == len(table) else 0


def explore(arguments: argparse.Namespace) -> int:
    """Draw pictures of the corpus and a page that shows them."""
    from ser_model.evaluation.explore import draw_corpus  # noqa: PLC0415 - datasets and matplotlib take seconds

    print(draw_corpus(arguments.data, arguments.out))
    return 0


def robustness(arguments: argparse.Namespace) -> int:
    """Measure how much small and large changes of a recording change the answer, and draw it."""
    from ser_model.evaluation.networks import NETWORKS  # noqa: PLC0415
    from ser_model.evaluation.origin import write_document  # noqa: PLC0415
    from ser_model.evaluation.robustness.figure import draw_robustness  # noqa: PLC0415
    from ser_model.evaluation.robustness.suite import GROUPS, Settings, measure_robustness  # noqa: PLC0415

    unknown = sorted(set(arguments.only or GROUPS) - set(GROUPS))
    if unknown:
        raise ValueError(f"There is no group {', '.join(unknown)}. Choose from {', '.join(GROUPS)}.")
    if arguments.jobs < 1 or (arguments.limit is not None and arguments.limit < 1):
        raise ValueError("--jobs and --limit must be 1 or more.")
    groups = tuple(arguments.only or GROUPS)
    settings = Settings(groups, tuple(arguments.seeds), arguments.jobs, arguments.limit)
    report = measure_robustness(arguments.data, arguments.networks or NETWORKS, settings)
    write_document(arguments.out, report)
    draw_robustness(report).savefig(arguments.out.with_suffix(".png"), dpi=110)
    for name, group in report["groups"].items():
        print(f"{name:12} {group['passed']} of {group['checks']} checks passed")
    for bar in report["bars"].values():
        print(f"{bar['what']}: {bar['value']:.3f}, bar {bar['bar']}, {'holds' if bar['holds'] else 'DOES NOT HOLD'}")
    return 0


def _parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="python -m ser_model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_predict(commands.add_parser("predict", help="say how recordings sound"))
    _add_explore(commands.add_parser("explore", help="draw pictures of the corpus"))
    _add_robustness(commands.add_parser("robustness", help="measure how changes of a recording change the answer"))
    return parser.parse_args(argv)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    known = "the speaker's voice: a neutral clip, a folder or clips named by emotion, or a saved voice (.json)"
    parser.add_argument("files", nargs="+", metavar="FILE", help="recordings, or one folder of them with --out")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--baseline", type=Path, nargs="+", metavar="FILE", help=known)
    parser.add_argument(
        "--save-voice", type=Path, metavar="JSON", help="keep what --baseline learned for the next time"
    )
    parser.add_argument("--out", type=Path, metavar="TABLE", help="write a .csv or .parquet table")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes for a folder (usually one for each core)")
    parser.add_argument(
        "--ray", nargs="?", const="local", metavar="ADDRESS", help="score a folder by Ray, here or on a cluster"
    )
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help=argparse.SUPPRESS)
    parser.set_defaults(run=predict)


def _add_explore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the pictures and the page")
    parser.set_defaults(run=explore)


def _add_robustness(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON file; a .png is drawn beside it")
    parser.add_argument("--networks", type=Path, metavar="DIR", help="networks of the Luna folds (usually runs/luna's)")
    parser.add_argument("--only", nargs="+", metavar="GROUP", help="only these groups of checks")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1], metavar="N", help="of the networks heard as one (usually 0 1)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes side by side")
    parser.add_argument("--limit", type=int, metavar="N", help="only N clips of each actor")
    parser.set_defaults(run=robustness)


def _learn_voice(recognizer: EmotionRecognizer, arguments: argparse.Namespace) -> LearnedVoice | None:
    """Read or learn what --baseline names, and keep it where --save-voice says."""
    paths: list[Path] = arguments.baseline or []
    brought = [path.suffix for path in paths] == [".json"]
    if arguments.save_voice and (brought or not paths):
        raise ValueError("--save-voice keeps what is learned from recordings. Name some with --baseline.")
    if not paths:
        return None
    if brought:
        voice = LearnedVoice.read(paths[0])
        recognizer.check_voice(voice)
        return voice
    clips = [path / name for path in paths for name in (list_recordings(path) if path.is_dir() else [""])]
    voice = recognizer.learn_voice(name_clips(clips))
    if arguments.save_voice:
        arguments.save_voice.write_text(json.dumps(voice.to_json()) + "\n")
    return voice


def _describe_failure(file: str, sentence: str) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(
        ("emotion", "gender", "gender_probability", "intensity", "intensity_probability", "speech")
    )
    return {"file": file, **nothing, "sure": False, "probabilities": {}, "timeline": [], "notice": sentence}


def _print_documents(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        ranked = sorted(document["probabilities"].items(), key=lambda item: -item[1])[:3]
        likely = ", ".join(f"{name} {100 * value:.0f} %" for name, value in ranked)
        print(f"{document['file']}: {document['emotion'] or 'not sure'} ({likely}); {document['gender']} voice")


if __name__ == "__main__":
    sys.exit(main())
