"""Fit or cross-validate the emotion recogniser on RAVDESS.

A smoke run in about two minutes:
    python train.py --data DIR --protocol luna --epochs 2 --folds 0 --out runs/smoke
The figures of the README (an hour and a half on two cores; --out results/luna takes up the scores that lie there):
    python train.py --data DIR --protocol luna --seeds 5 --out runs/luna
The shipped weights, trained on everybody with the calibration of those folds:
    python train.py --data DIR --protocol all --calibration results/luna/metrics.json --out ser_model/weights
Publish them, with card and code, on the model hub:
    python train.py --push OWNER/NAME
The comparison head on a frozen encoder, measured and then made for the page:
    python train.py --data DIR --protocol luna --model wav2vec2 --encoder facebook/wav2vec2-base --out results/wav2vec2
    python train.py --data DIR --protocol all --model wav2vec2 --calibration results/wav2vec2/metrics.json
Further clips of a CSV file (path, emotion, speaker, gender, language; see ser_model/training/manifest.py) join the
training part of every fold; an emotion that RAVDESS lacks becomes a class of its own:
    python train.py --data DIR --protocol luna --seeds 2 --extra MANIFEST.csv --out runs/extra
Two processes on one machine for each network, on its GPUs where there are any (torch.distributed):
    torchrun --nproc_per_node=2 train.py --data DIR --protocol luna --out runs/luna
Settings are chosen on validation actors, held out for it; nothing is asked of the test actors:
    python train.py --data DIR --protocol luna --choosing --out runs/choosing
Whether anything leaks from training into what is scored: with shuffled labels the UAR must be near chance, 12.5 %:
    python train.py --data DIR --protocol luna --shuffle-labels --epochs 10 --out results/permutation
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from dataclasses import asdict, replace
from typing import Any, TypeVar

from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.evaluation.judge import NO_BIAS, BiasSettings, Outcome, calibrate, judge
from ser_model.evaluation.metrics import summarise
from ser_model.evaluation.report import write_report
from ser_model.training.arguments import parse_arguments
from ser_model.training.classic import ClassicSettings, run_recipe
from ser_model.training.clips import CODED_BIT_RATES
from ser_model.training.copies import describe_copies
from ser_model.training.corpus import Corpus, read_corpus, shuffle_labels
from ser_model.training.fit import FitSettings, limit_threads
from ser_model.training.folds import BY_ACTOR, Fold, join_training, list_speech, select_folds, split_clips
from ser_model.training.joined import JOINED, join_outcomes, list_models
from ser_model.training.layers import HeadSettings, describe_layers, fit_head
from ser_model.training.processes import ProcessLost, Team, join_team
from ser_model.training.provenance import describe_run, recall_minutes
from ser_model.training.publish import PublishError, push_weights, save_weights
from ser_model.training.ravdess import CorpusError
from ser_model.training.runs import fit_model, run_heads, run_networks
from ser_model.training.speaker import fit_space
from ser_model.training.whole import write_whole
from ser_model.wav2vec2 import ComparisonMissing, Encoder, save_head

Settings = TypeVar("Settings", FitSettings, ClassicSettings, HeadSettings)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 2 means bad input, said in one line."""
    arguments = parse_arguments(argv, __doc__)
    try:
        with join_team() as team:
            if arguments.data:
                train(arguments, team)
            if arguments.push and team.is_first:
                print(push_weights(arguments.out, arguments.push))
    except ProcessLost as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except (CorpusError, AudioError, ComparisonMissing, PublishError, WeightsError, OSError, ValueError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    return 0


def train(arguments: argparse.Namespace, team: Team) -> None:
    """Read the corpus and do what the protocol asks for."""
    if team.count > 1 and arguments.model != "cnn":
        raise ValueError(f"torchrun trains --model cnn. Start {arguments.model} with python train.py.")
    calibration = read_calibration(arguments) if arguments.protocol == "all" else {}
    hear = functools.partial(read_corpus, with_coded=arguments.model == "cnn")
    corpus = team.after_first(lambda: hear(arguments.data, arguments.extra, arguments.allow_missing))
    if arguments.shuffle_labels:
        corpus = replace(corpus, clips=shuffle_labels(corpus.clips))
    if arguments.protocol == "all":
        train_on_all(corpus, calibration, arguments, team)
    else:
        cross_validate(corpus, arguments, team)


def cross_validate(corpus: Corpus, arguments: argparse.Namespace, team: Team) -> None:
    """Score every clip by networks that never heard its actor, and write the report."""
    split = split_clips(corpus.clips, arguments.protocol, arguments.choosing)
    folds = join_training(select_folds(split, arguments.folds), corpus.extra)
    started = time.monotonic()
    outcomes = {"cnn": run_cnn, "classic": run_classic, "wav2vec2": run_wav2vec2}[arguments.model](
        corpus, folds, arguments, team
    )
    if not team.is_first:
        return
    biases = NO_BIAS if arguments.shuffle_labels else BiasSettings()
    alone = summarise(judge(outcomes, biases), corpus.emotions)
    models: list[tuple[int, ...]] = [(seed,) for seed in range(arguments.seeds)]
    if arguments.model == "cnn":
        outcomes, models = join_outcomes(outcomes), list_models(arguments.seeds)
    settings = describe_settings(arguments, corpus)
    minutes: float | None = round((time.monotonic() - started) / 60, 1)
    if any(outcome.recalled for outcome in outcomes):
        minutes = recall_minutes(arguments.out / "metrics.json", settings, arguments.seeds)
    scored = judge(outcomes, biases)
    metrics = summarise(scored, corpus.emotions) | {
        "calibration": calibrate(outcomes, settings=biases),
        "networks_alone": {name: alone[name] for name in ("uar", "uar_deviation_over_seeds", "uar_by_seed")},
        "models": models,  # the seeds that each joins
        "protocol": arguments.protocol,
        "choosing": arguments.choosing,
        "model": arguments.model,
        "encoder": arguments.encoder if arguments.model == "wav2vec2" else None,
        "extra": corpus.about,
        "labels": "shuffled" if arguments.shuffle_labels else "as acted",
        "settings": settings,
        "folds": {fold.name: sorted({clip.actor for clip in fold.test}) for fold in folds},
        **describe_run(arguments, team, minutes),
    }
    write_report(arguments.out, metrics, scored)
    print(f"UAR {100 * metrics['uar']:.1f} %, accuracy {100 * metrics['accuracy']:.1f} %: {arguments.out}")


def read_calibration(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the figures of the folds by which a model of everybody is calibrated.

    Raises:
        ValueError: They are those of something else.
    """
    metrics: Any = json.loads(arguments.calibration.read_text())
    wanted = {"model": arguments.model, "labels": "as acted", "choosing": False, "encoder": None}
    if arguments.model == "wav2vec2":
        wanted["encoder"] = arguments.encoder
    found = metrics if isinstance(metrics, dict) else {}
    if "calibration" not in found or any(found.get(name) != value for name, value in wanted.items()):
        raise ValueError(
            f"{arguments.calibration} is not of folds of this model. Give the metrics.json that train.py wrote for "
            f"--protocol luna --model {arguments.model}."
        )
    if found["protocol"] not in BY_ACTOR:
        raise ValueError(f"{arguments.calibration} is of known speakers. Give one of --protocol {', '.join(BY_ACTOR)}.")
    if arguments.model == "cnn" and any(len(model) != JOINED for model in found["models"]):
        raise ValueError(
            f"{arguments.calibration} is of single networks, and {JOINED} are joined here, which are surer of "
            f"themselves. Run the folds again with --seeds {JOINED} or more."
        )
    return found


def train_on_all(corpus: Corpus, metrics: dict[str, Any], arguments: argparse.Namespace, team: Team) -> None:
    """Train one model on everybody, and write it with the calibration of the folds."""
    clips = corpus.clips + corpus.extra
    if tuple(metrics["emotions"]) != corpus.emotions:
        raise ValueError(f"{arguments.calibration} knows other emotions. Run its folds again, with the same --extra.")
    if arguments.model == "wav2vec2":
        encoder = Encoder.load(arguments.encoder)
        layers = describe_layers(clips, encoder, arguments.cache / "layers")
        save_head(
            arguments.out,
            fit_head(clips, layers, encoder, 0, set_epochs(HeadSettings(), arguments), corpus.emotions),
            metrics["calibration"],
        )
    else:
        network = fit_model(clips, make_settings(arguments, corpus), arguments.jobs, team)
        if not team.is_first:
            return
        with write_whole(arguments.out) as half:
            save_weights(half, network, fit_space(network, clips), arguments.calibration)
    print(arguments.out)


def make_settings(arguments: argparse.Namespace, corpus: Corpus) -> FitSettings:
    """Return the chosen settings, with the epochs of the command line and the emotions of the corpus."""
    settings = set_epochs(FitSettings(), arguments)
    return replace(settings, network=replace(settings.network, emotions=corpus.emotions))


def set_epochs(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """Return settings with the epochs of the command line."""
    return replace(settings, epochs=arguments.epochs) if arguments.epochs else settings


def describe_settings(arguments: argparse.Namespace, corpus: Corpus) -> dict[str, Any]:
    """Say what the model was trained with."""
    if arguments.model == "cnn":
        return asdict(make_settings(arguments, corpus)) | {"coded_bit_rates": CODED_BIT_RATES}
    if arguments.model == "classic":
        return asdict(set_epochs(ClassicSettings(), arguments))
    return asdict(set_epochs(HeadSettings(), arguments))


def run_cnn(corpus: Corpus, folds: list[Fold], arguments: argparse.Namespace, team: Team) -> list[Outcome]:
    """Train a network for each fold and seed, some side by side."""
    settings = make_settings(arguments, corpus)
    return run_networks(folds, arguments.seeds, settings, arguments.out, arguments.jobs, team)


def run_classic(corpus: Corpus, folds: list[Fold], arguments: argparse.Namespace, _: Team) -> list[Outcome]:
    """Fit the classic recipe to each fold and seed."""
    limit_threads(arguments.jobs)
    vectors = describe_copies(list_speech(corpus.clips), arguments.cache / "descriptors")
    settings, copied = set_epochs(ClassicSettings(), arguments), arguments.protocol == "random-copies"
    return run_recipe(folds, arguments.seeds, vectors, settings, copied)


def run_wav2vec2(corpus: Corpus, folds: list[Fold], arguments: argparse.Namespace, _: Team) -> list[Outcome]:
    """Encode every clip once, and fit a head for each fold and seed."""
    encoder = Encoder.load(arguments.encoder)
    layers = describe_layers(corpus.clips + corpus.extra, encoder, arguments.cache / "layers")
    return run_heads(folds, arguments.seeds, set_epochs(HeadSettings(), arguments), encoder, layers, corpus.emotions)


if __name__ == "__main__":
    sys.exit(main())
