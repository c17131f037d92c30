"""Fit or cross-validate the emotion recogniser on RAVDESS.

A smoke run in about a minute:
    python train.py --data DIR --protocol luna --epochs 2 --folds 0 --out runs/smoke
The figures of the README (about 25 minutes on two cores):
    python train.py --data DIR --protocol luna --out results/luna
The shipped weights, trained on everybody with the calibration of those folds:
    python train.py --data DIR --protocol all --calibration results/luna/metrics.json --out ser_model/weights
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed

from ser_model.audio import AudioError
from ser_model.calibrate import fit_abstention, fit_temperature, softmax
from ser_model.cnn import load_network, save_network
from ser_model.evaluation.metrics import Scored, summarise
from ser_model.evaluation.report import write_report
from ser_model.labels import Emotion
from ser_model.training.classic import ClassicModel, Vectors, describe_clips
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import FitSettings, Scores, fit_network, limit_threads, score_clips
from ser_model.training.folds import PROTOCOLS, Fold, split_clips
from ser_model.training.publish import save_weights
from ser_model.training.ravdess import CorpusError, check_counts, load_ravdess

ABSTAIN_SHARE = 0.3  # of the validation clips is answered with "not sure"


@dataclass(frozen=True)
class Outcome:
    """What one network said of its fold's validation and test clips."""

    fold: Fold
    seed: int
    validation: Scores
    test: Scores


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus = parser.add_argument_group("corpus")
    corpus.add_argument("--data", required=True, help="folder with RAVDESS clips or zip files, or a Hub copy's name")
    corpus.add_argument("--allow-missing", action="store_true", help="go on when clips are missing")
    protocol = parser.add_argument_group("protocol")
    protocol.add_argument("--protocol", choices=PROTOCOLS, default="luna")
    protocol.add_argument("--folds", nargs="+", help="only these folds, by name")
    protocol.add_argument("--seeds", type=int, default=1, metavar="N", help="train with the seeds 0 to N-1")
    model = parser.add_argument_group("model")
    model.add_argument("--model", choices=("cnn", "classic"), default="cnn")
    model.add_argument("--epochs", type=int, help=f"passes over the clips (usually {FitSettings().epochs})")
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, help="folder for the results (usually runs/PROTOCOL-MODEL)")
    output.add_argument("--calibration", type=Path, help="metrics.json of the folds, for --protocol all")
    output.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="networks trained side by side")
    arguments = parser.parse_args(argv)
    if arguments.protocol == "all" and (arguments.model != "cnn" or arguments.calibration is None):
        parser.error("--protocol all trains the CNN and needs --calibration METRICS.json of the folds")
    arguments.out = arguments.out or Path("runs") / f"{arguments.protocol}-{arguments.model}"
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 2 means bad input, said in one line."""
    arguments = parse_arguments(argv)
    try:
        clips = read_clips(arguments)
        if arguments.protocol == "all":
            train_on_all(clips, arguments)
        else:
            cross_validate(clips, arguments)
    except (CorpusError, AudioError, OSError, ValueError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    return 0


def read_clips(arguments: argparse.Namespace) -> list[Clip]:
    """Load the corpus, check that it is whole, and find the speech in it."""
    corpus = load_ravdess(arguments.data)
    if not arguments.allow_missing:
        check_counts(corpus)
    return prepare_clips(corpus)


def cross_validate(clips: list[Clip], arguments: argparse.Namespace) -> None:
    """Score every clip by networks that never heard its actor, and write the report."""
    folds = select_folds(split_clips(clips, arguments.protocol), arguments.folds)
    started = time.monotonic()
    if arguments.model == "classic":
        vectors = describe_clips(clips)
        outcomes = [run_classic(fold, vectors) for fold in folds]
    else:
        settings = make_settings(arguments)
        tasks = [(fold, seed) for seed in range(arguments.seeds) for fold in folds]
        keep = arguments.out / "networks"
        outcomes = Parallel(n_jobs=arguments.jobs, return_as="list", mmap_mode=None)(
            delayed(run_cnn)(fold, seed, settings, keep, arguments.jobs) for fold, seed in tasks
        )
    scored = Scored.join([judge(outcome) for outcome in outcomes])
    metrics = summarise(scored) | {
        "calibration": calibrate(outcomes),
        "protocol": arguments.protocol,
        "model": arguments.model,
        "settings": asdict(make_settings(arguments)) if arguments.model == "cnn" else None,
        "folds": {fold.name: sorted({clip.actor for clip in fold.test}) for fold in folds},
        **describe_run(arguments, started),
    }
    write_report(arguments.out, metrics, scored)
    print(f"UAR {100 * metrics['uar']:.1f} %, accuracy {100 * metrics['accuracy']:.1f} %: {arguments.out}")


def train_on_all(clips: list[Clip], arguments: argparse.Namespace) -> None:
    """Train one network on everybody, and write it with the calibration of the folds."""
    metrics = json.loads(arguments.calibration.read_text())
    network = fit_network(clips, make_settings(arguments), seed=0, report=make_reporter("all"))
    save_weights(arguments.out, network, metrics)
    print(f"{network.count_parameters():,} parameters: {arguments.out / 'model.safetensors'}")


def make_settings(arguments: argparse.Namespace) -> FitSettings:
    """Return the chosen settings, with the epochs of the command line."""
    return replace(FitSettings(), epochs=arguments.epochs) if arguments.epochs else FitSettings()


def select_folds(folds: list[Fold], names: list[str] | None) -> list[Fold]:
    """Keep the folds named, or all; folds without test clips (absent actors) are left out."""
    known = {fold.name: fold for fold in folds if fold.test and fold.validation}
    unknown = set(names or known) - set(known)
    if unknown or not known:
        raise ValueError(f"There is no fold {', '.join(sorted(unknown))}. Choose from {', '.join(known) or 'none'}.")
    return [known[name] for name in names or known]


def run_cnn(fold: Fold, seed: int, settings: FitSettings, keep: Path, jobs: int) -> Outcome:
    """Train one fold's network, or take up the one that an interrupted run left, and score with it."""
    limit_threads(jobs)
    folder = keep / f"fold-{fold.name}-seed-{seed}"
    wanted = json.loads(json.dumps(asdict(settings) | {"clips": len(fold.train)}))
    marker = folder / "config.json"
    if not (marker.exists() and json.loads(marker.read_text()).get("settings") == wanted):
        network = fit_network(fold.train, settings, seed, make_reporter(f"fold {fold.name} seed {seed}"))
        folder.mkdir(parents=True, exist_ok=True)
        save_network(network, folder)
        marker.write_text(json.dumps(asdict(settings.network) | {"settings": wanted}))
    network = load_network(folder)
    return Outcome(fold, seed, score_clips(network, fold.validation), score_clips(network, fold.test))


def run_classic(fold: Fold, vectors: Vectors) -> Outcome:
    """Fit the classic model; chance plays no part in it."""
    model = ClassicModel(vectors).fit(fold.train)
    return Outcome(fold, 0, model.score(fold.validation), model.score(fold.test))


def judge(outcome: Outcome) -> Scored:
    """Calibrate a network on its validation clips, and turn its test scores into answers."""
    clips, calibration = outcome.fold.test, calibrate([outcome])
    probabilities = softmax(outcome.test.emotion, calibration["temperature"])
    return Scored(
        files=np.array([clip.file for clip in clips]),
        actors=np.array([clip.actor for clip in clips]),
        truth=np.array([clip.emotion for clip in clips]),
        probabilities=probabilities,
        sure=probabilities.max(axis=1) >= calibration["abstain_below"],
        gender_truth=np.array([clip.gender for clip in clips]),
        gender_probabilities=softmax(outcome.test.gender, calibration["gender_temperature"]),
        folds=np.full(len(clips), outcome.fold.name),
        seeds=np.full(len(clips), outcome.seed),
    )


def calibrate(outcomes: list[Outcome]) -> dict[str, Any]:
    """Fit temperatures and the abstention threshold on the validation clips of one or more networks."""
    clips = [clip for outcome in outcomes for clip in outcome.fold.validation]
    emotion = np.concatenate([outcome.validation.emotion for outcome in outcomes])
    gender = np.concatenate([outcome.validation.gender for outcome in outcomes])
    truth = np.array([clip.emotion for clip in clips])
    temperature = fit_temperature(emotion, truth)
    neutral = emotion[truth == Emotion.NEUTRAL.class_index]
    return {
        "temperature": temperature,
        "gender_temperature": fit_temperature(gender, np.array([clip.gender for clip in clips])),
        "abstain_below": fit_abstention(softmax(emotion, temperature), ABSTAIN_SHARE),
        "usual_logits": neutral.mean(axis=0).tolist() if neutral.size else [0.0] * emotion.shape[1],
    }


def describe_run(arguments: argparse.Namespace, started: float) -> dict[str, Any]:
    """Say how and with what the figures were made."""
    return {
        "seeds": list(range(arguments.seeds)),
        "command": f"python train.py --data DIR --protocol {arguments.protocol} --model {arguments.model} "
        f"--seeds {arguments.seeds} --out {arguments.out}"
        + (f" --epochs {arguments.epochs}" if arguments.epochs else ""),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def make_reporter(name: str) -> Callable[[int, float], None]:
    """Return a function that prints an epoch's loss on standard error."""
    return lambda epoch, loss: print(f"{name}: epoch {epoch}, loss {loss:.3f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
