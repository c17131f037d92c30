"""The command line of train.py: what it offers, and which of its options make no sense together."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ser_model.recognize import WEIGHTS
from ser_model.training.fit import FitSettings
from ser_model.training.folds import PROTOCOLS
from ser_model.wav2vec2 import DEFAULT_ENCODER, HEAD_FOLDER

CACHE = Path(".cache")
SHIPPED = {"cnn": WEIGHTS, "wav2vec2": HEAD_FOLDER}  # where --protocol all puts what the page looks for


def parse_arguments(argv: list[str] | None, description: str | None) -> argparse.Namespace:
    """Read the command line; what cannot be meant ends the program with a sentence."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    _add_corpus(parser.add_argument_group("corpus"))
    _add_protocol(parser.add_argument_group("protocol"))
    _add_model(parser.add_argument_group("model"))
    _add_output(parser.add_argument_group("output"))
    arguments = parser.parse_args(argv)
    if problem := find_contradiction(arguments):
        parser.error(problem)
    if arguments.data is None:
        arguments.out = arguments.out or WEIGHTS
    elif arguments.out is None:
        runs = Path("runs") / f"{arguments.protocol}-{arguments.model}"
        arguments.out = SHIPPED[arguments.model] if arguments.protocol == "all" else runs
    arguments.seeds = arguments.seeds or 1
    arguments.encoder = arguments.encoder or DEFAULT_ENCODER
    arguments.cache = arguments.cache or CACHE
    return arguments


def find_contradiction(arguments: argparse.Namespace) -> str | None:
    """Say which options do not go together, and what to do."""
    if arguments.data is None:
        return "--data DIR is needed" if arguments.push is None else None
    whole, scored = arguments.protocol == "all", arguments.folds or arguments.choosing or arguments.seeds
    problems = {
        "--push goes with --protocol all and --model cnn, or without --data": (
            arguments.push and (arguments.protocol, arguments.model) != ("all", "cnn")
        ),
        "--protocol all makes cnn or wav2vec2 weights and needs --calibration METRICS.json of their folds": (
            whole and (arguments.model not in SHIPPED or arguments.calibration is None)
        ),
        "--shuffle-labels looks for leaks between folds; use it with another protocol": (
            whole and arguments.shuffle_labels
        ),
        "--folds, --choosing and --seeds are for what is scored; leave them out with --protocol all": whole and scored,
        "--calibration goes with --protocol all": arguments.calibration and not whole,
        "--protocol random-copies shows what the classic recipe measured; use it with --model classic": (
            arguments.protocol == "random-copies" and arguments.model != "classic"
        ),
        "--encoder goes with --model wav2vec2": arguments.encoder and arguments.model != "wav2vec2",
        "--cache keeps what classic and wav2vec2 compute; leave it out with --model cnn": (
            arguments.cache and arguments.model == "cnn"
        ),
        "--extra goes with --model cnn or wav2vec2: the classic recipe is measured on RAVDESS alone": (
            arguments.model == "classic" and arguments.extra
        ),
    }
    return next((problem for problem, holds in problems.items() if holds), None)


def count(text: str) -> int:
    """Read a number of things, one at least."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


def _add_corpus(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--data", help="folder with RAVDESS clips or zip files, or a Hub copy's name")
    group.add_argument("--extra", type=Path, metavar="MANIFEST.csv", help="further clips to train on, never scored")
    group.add_argument("--shuffle-labels", action="store_true", help="deal the emotions out anew, to look for leaks")
    group.add_argument("--allow-missing", action="store_true", help="go on when clips are missing")


def _add_protocol(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--protocol", choices=PROTOCOLS, default="luna")
    group.add_argument("--folds", nargs="+", help="only these folds, by name")
    group.add_argument("--choosing", action="store_true", help="score validation actors, who are otherwise trained on")
    group.add_argument("--seeds", type=count, metavar="N", help="train with the seeds 0 to N-1 (usually one)")


def _add_model(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model", choices=("cnn", "classic", "wav2vec2"), default="cnn")
    group.add_argument("--encoder", help=f"wav2vec2, HuBERT or WavLM, by name or folder (usually {DEFAULT_ENCODER})")
    group.add_argument("--epochs", type=count, help=f"passes over the clips (usually {FitSettings().epochs} for cnn)")


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--out",
        type=Path,
        help="folder for the results (usually runs/PROTOCOL-MODEL; with --protocol all, where the page looks)",
    )
    group.add_argument("--calibration", type=Path, help="metrics.json of the folds, for --protocol all")
    group.add_argument("--cache", type=Path, help=f"where vectors computed once are kept (usually {CACHE})")
    group.add_argument("--jobs", type=count, default=os.cpu_count() or 1, help="networks trained side by side")
    group.add_argument("--push", metavar="REPO", help="publish weights as OWNER/NAME, alone or after --protocol all")
