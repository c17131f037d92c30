"""The command line: python -m ser_model predict | explore | robustness."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ser_model.audio import RECORDING, AudioError
from ser_model.cnn import WeightsError
from ser_model.recognize import WEIGHTS, EmotionRecognizer

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".webm", ".m4a", ".aac", ".mp4"}
TABLE_SUFFIXES = (".csv", ".parquet")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 2 means bad input, said in one line each on standard error."""
    arguments = _parse_arguments(argv)
    try:
        return int(arguments.run(arguments))
    except (AudioError, WeightsError, OSError, ValueError) as error:
        print(f"ser_model: {error}", file=sys.stderr)
        return 2


def predict(arguments: argparse.Namespace) -> int:
    """Say how each file sounds; a bad file is reported and does not spoil the others."""
    recognizer = EmotionRecognizer.load(arguments.weights)
    baseline = recognizer.learn_speaker(_list_clips(arguments.baseline)) if arguments.baseline else None
    rows, failed = [], False
    for file in arguments.files:
        try:
            rows.append({"file": file, **recognizer.recognize(file, baseline, RECORDING).to_json()})
        except (AudioError, OSError) as error:
            failed = True
            print(f"ser_model: {file}: {_explain(error)}", file=sys.stderr)
            rows.append(_describe_failure(file, _explain(error)))
    if arguments.out:
        _write_table(arguments.out, rows)
    if arguments.json:
        print(json.dumps(rows, indent=1))
    elif not arguments.out:
        _print_rows([row for row in rows if row["speech"]])
    return 2 if failed else 0


def explore(arguments: argparse.Namespace) -> int:
    """Draw pictures of the corpus."""
    from ser_model.evaluation.explore import draw_corpus  # noqa: PLC0415 - datasets and matplotlib take seconds

    for path in draw_corpus(arguments.data, arguments.out):
        print(path)
    return 0


def robustness(arguments: argparse.Namespace) -> int:
    """Measure how much small and large changes of a recording change the answer."""
    from ser_model.evaluation.robustness import measure_robustness  # noqa: PLC0415

    report = measure_robustness(arguments.data, arguments.networks, arguments.limit)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    for name, row in report["changes"].items():
        verdict = "pass" if row["pass"] else "FAIL"
        print(f"{name:24} unchanged {row['unchanged']:.3f}  UAR {row['uar_change']:+.3f}  {verdict}")
    return 0


def _parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ser_model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("predict", help="say how recordings sound")
    one.add_argument("files", nargs="+", metavar="FILE")
    one.add_argument("--json", action="store_true", help="print one JSON document")
    one.add_argument("--baseline", type=Path, metavar="CLIP_OR_DIR", help="the speaker's ordinary voice")
    one.add_argument("--out", type=Path, metavar="TABLE", help="write a .csv or .parquet table")
    one.add_argument("--weights", type=Path, default=WEIGHTS, help=argparse.SUPPRESS)
    one.set_defaults(run=predict)
    two = commands.add_parser("explore", help="draw pictures of the corpus")
    two.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    two.add_argument("--out", type=Path, required=True, metavar="DIR")
    two.set_defaults(run=explore)
    three = commands.add_parser("robustness", help="measure how changes of a recording change the answer")
    three.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    three.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON file for the results")
    three.add_argument(
        "--networks", type=Path, default=Path("results/luna/networks"), help="networks of the Luna folds"
    )
    three.add_argument("--limit", type=int, metavar="N", help="only N clips of each fold")
    three.set_defaults(run=robustness)
    return parser.parse_args(argv)


def _list_clips(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    clips = sorted(file for file in path.rglob("*") if file.suffix.lower() in AUDIO_SUFFIXES)
    if not clips:
        raise ValueError(f"{path} has no recordings. Give a clip of the speaker's ordinary voice, or a folder of them.")
    return clips


def _explain(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file."
    if isinstance(error, IsADirectoryError):
        return "This is a folder; name the files in it."
    return str(error)


def _describe_failure(file: str, sentence: str) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(
        ("emotion", "gender", "gender_probability", "intensity", "intensity_probability", "speech")
    )
    return {"file": file, **nothing, "sure": False, "probabilities": {}, "timeline": [], "notice": sentence}


def _print_rows(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        ranked = sorted(row["probabilities"].items(), key=lambda item: -item[1])[:3]
        likely = ", ".join(f"{name} {100 * value:.0f} %" for name, value in ranked)
        print(f"{row['file']}: {row['emotion'] or 'not sure'} ({likely}); {row['gender']} voice")


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    import pandas as pd  # noqa: PLC0415 - half a second, for this option alone

    if path.suffix not in TABLE_SUFFIXES:
        raise ValueError(f"{path} must end in {' or '.join(TABLE_SUFFIXES)}.")
    flat = [{k: v for k, v in row.items() if k not in ("probabilities", "timeline", "speech")} for row in rows]
    for line, row in zip(flat, rows, strict=True):
        line["speech_start_s"], line["speech_end_s"] = row["speech"] or (None, None)
        line |= {f"p_{name}": value for name, value in row["probabilities"].items()}
    table = pd.DataFrame(flat)
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path, index=False)


if __name__ == "__main__":
    sys.exit(main())
