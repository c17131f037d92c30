"""Cross-validate the emotion recognizer, or train the weights that are shipped; docs/training.md has every command.

DIR is a folder with RAVDESS, or several folders with the corpora of training/corpora.py, as their authors publish them.

    python train.py --data DIR --protocol luna --epochs 2 --folds 0 --out runs/smoke    # a trial
    python train.py --data DIR... --protocol corpora --seeds 2 --out runs/corpora       # the figures on strangers
    python train.py --data DIR... --protocol all --calibration runs/corpora/metrics.json # the shipped weights
    python train.py --push OWNER/NAME                                                   # publish them
    torchrun --nproc_per_node=2 train.py --data DIR --protocol luna --out runs/luna     # on two processes or GPUs

An interrupted run continues with the next fold when it is started again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from ser_model.audio import AudioError
from ser_model.batch import default_jobs
from ser_model.cnn import WeightsError
from ser_model.comparison import DEFAULT_ENCODER, HEAD_FOLDER, ComparisonMissing, Encoder, save_head
from ser_model.evaluation.corpora import (
    calibrate_corpora,
    fit_corpora,
    restrict,
    right_answers,
    summarize_corpora,
)
from ser_model.evaluation.metrics import NO_BIAS, BiasSettings, calibrate_folds, fit_calibration, summarize
from ser_model.evaluation.report import describe_origin, write_corpora_report, write_report
from ser_model.files import atomic_folder
from ser_model.recognize import WEIGHTS
from ser_model.training.classic import ClassicSettings, train_classic
from ser_model.training.clips import OPUS_BIT_RATES, RAVDESS, fingerprint_clips, shuffle_labels
from ser_model.training.corpora import HUB_COPY, UNLABELED, Corpora, CorpusError, read_corpora, use_of
from ser_model.training.encoder_head import HeadSettings, embed_clips, fit_head, teach, train_heads
from ser_model.training.ensemble import (
    ENSEMBLE_SIZE,
    JOIN,
    Checkpoint,
    FoldLogits,
    combine_seeds,
    describe_fit,
    find_networks,
    join_folds,
    list_ensembles,
    load_ensemble,
    load_models,
    select_corpus,
)
from ser_model.training.fit import (
    FitSettings,
    SoftLabels,
    distributed_training,
    fit_network,
    fit_speaker_space,
    is_main_process,
    limit_threads,
    main_process_first,
    num_processes,
    predict_clips,
)
from ser_model.training.folds import BY_SPEAKER, OTHERS, PROTOCOLS, Fold, select_folds, split_clips
from ser_model.training.publish import PublishError, push_weights, save_weights

JOB_BYTES = 4 * 1024**3  # memory of a job that trains a network
TEACHER_EPOCHS = 15
MAX_LISTED = 24  # speakers of a corpus that metrics.json names
SHIPPED = {"cnn": WEIGHTS, "comparison": HEAD_FOLDER}  # where --protocol all writes what the page loads
SETTINGS = {"cnn": FitSettings, "classic": ClassicSettings, "comparison": HeadSettings}


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 2 means bad input, explained on standard error."""
    args = parse_args(argv)
    try:
        with distributed_training():
            if args.data:
                train(args)
            if args.push and is_main_process():
                print(push_weights(args.out, args.push))
    except (CorpusError, AudioError, ComparisonMissing, PublishError, WeightsError, OSError, ValueError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    return 0


def train(args: argparse.Namespace) -> None:
    """Read the corpora, and train what the protocol asks for."""
    if num_processes() > 1 and args.model != "cnn":
        raise ValueError(f"torchrun is for --model cnn. Start {args.model} with python train.py.")
    metrics = read_fold_metrics(args) if args.protocol == "all" else {}
    with main_process_first():
        corpora = open_corpora(args)
    if is_main_process():
        for line in corpora.about.values():
            print(line, file=sys.stderr)
    if args.protocol == "all":
        train_on_all(corpora, metrics, args)
    else:
        cross_validate(corpora, args)


def open_corpora(args: argparse.Namespace) -> Corpora:
    """Read the corpora of the command line."""
    with_power = args.model == "cnn" or args.join is not None  # the clips are compared with those of the networks
    corpora = read_corpora(
        args.data, args.extra, args.unlabeled, allow_missing=args.allow_missing, with_power=with_power
    )
    if args.model == "cnn" and not args.teacher:  # nothing says what unlabeled clips are
        corpora = replace(corpora, clips=[clip for clip in corpora.clips if clip.corpus != UNLABELED])
    if args.shuffle_labels:
        corpora = replace(corpora, clips=shuffle_labels(corpora.clips))
    if args.protocol not in ("corpora", "all") and not any(clip.corpus == RAVDESS for clip in corpora.clips):
        raise CorpusError(f"--protocol {args.protocol} needs RAVDESS. Add its folder to --data.")
    return corpora


def list_folds(corpora: Corpora, args: argparse.Namespace) -> list[Fold]:
    """Split the clips as the command line says."""
    if args.protocol == "all":
        return [fold for fold in split_clips(corpora.clips, "corpora") if fold.name == OTHERS]
    return select_folds(split_clips(corpora.clips, args.protocol, args.validation), args.folds)


def cross_validate(corpora: Corpora, args: argparse.Namespace) -> None:
    """Score every clip with models that were not trained on its speaker or corpus, and write the report."""
    started = time.monotonic()
    folds, settings = list_folds(corpora, args), make_settings(args, corpora.emotions)
    if args.model == "cnn":
        networks = train_networks(folds, args.seeds, settings, args)
    elif args.model == "classic":
        networks = train_classic(folds, args.seeds, corpora.table, settings, args.protocol == "random-copies")
    else:
        networks = train_heads(folds, args.seeds, corpora.table, settings, Encoder.load(args.encoder), corpora.emotions)
        for one in networks:
            made_by = describe_fit(settings, one.fold)
            Checkpoint(args.out, one.fold.name, one.seed).save_logits(one.logits, made_by)
    if not is_main_process():
        return

    of_ensembles = args.model == "cnn"
    models = combine_seeds(networks) if of_ensembles else networks
    joined = join_folds(models, load_models(args.join, folds)) if args.join else []
    about = {
        "ensembles": list_ensembles(args.seeds) if of_ensembles else [(seed,) for seed in range(args.seeds)],
        "protocol": args.protocol,
        "validation": args.validation,
        "model": args.model,
        "encoder": Path(args.encoder).name if args.model == "comparison" else None,
        "teacher": args.teacher and Path(args.teacher).name,
        "found": corpora.about,
        "labels": "shuffled" if args.shuffle_labels else "as acted",
        "settings": asdict(settings) | ({"opus_bit_rates": OPUS_BIT_RATES} if args.model == "cnn" else {}),
        "seeds": list(range(args.seeds)),
        "folds": {fold.name: describe_fold(fold) for fold in folds},
        "command": describe_command(args),
    }
    about |= describe_training(about, any(one.cached for one in networks), started, args.out / "metrics.json")
    if args.protocol == "corpora":
        by_corpus = calibrate_corpora(models)
        metrics = summarize_corpora(by_corpus, corpora.emotions) | {"calibration": fit_corpora(models)} | about
        if joined:
            fitted = {name: fit_corpora(joined)[name] for name in ("temperature", "abstention_threshold", "accuracies")}
            metrics["join"] = asdict(JOIN) | fitted
            metrics["joined"] = summarize_corpora(calibrate_corpora(joined), corpora.emotions)
        write_corpora_report(args.out, metrics, by_corpus)
        mean = metrics["mean"]
        print(f"UAR on corpora left out {100 * mean['uar']:.1f} %, sure {100 * mean['sure']:.0f} %: {args.out}")
        return
    bias = NO_BIAS if args.shuffle_labels else BiasSettings()
    predictions = calibrate_folds(select_corpus(models, RAVDESS), bias)
    single = summarize(calibrate_folds(select_corpus(networks, RAVDESS), bias), corpora.emotions)
    metrics = summarize(predictions, corpora.emotions) | {
        "calibration": fit_calibration(select_corpus(models, RAVDESS), settings=bias),
        "single_networks": {name: single[name] for name in ("uar", "uar_std_over_seeds")},
        "by_speaker": measure_further(models, bias, corpora.emotions),
    }
    if joined:
        ravdess = summarize(calibrate_folds(select_corpus(joined, RAVDESS), bias), corpora.emotions)
        kept = {name: ravdess[name] for name in ("uar", "uar_interval_95", "accuracy", "ece", "sure")}
        metrics["joined"] = kept | {"by_speaker": measure_further(joined, bias, corpora.emotions)}
    write_report(args.out, metrics | about, predictions)
    print(f"UAR {100 * metrics['uar']:.1f} %, accuracy {100 * metrics['accuracy']:.1f} %: {args.out}")


def measure_further(models: list[FoldLogits], bias: BiasSettings, emotions: tuple[str, ...]) -> dict[str, Any]:
    """Measure the folds by speaker of the corpora besides RAVDESS, on the emotions that each of them has."""
    found = {}
    for name in sorted({clip.corpus for one in models for clip in one.fold.test} - {RAVDESS}):
        own = select_corpus(models, name)
        by_fold = use_of(name) != "validate"  # every fold scores those, so they are calibrated by speaker
        groups = {one.fold.name if by_fold else clip.speaker for one in own for clip in one.fold.test}
        if len(groups) > 1:
            predictions = calibrate_folds(own, bias, by_fold=by_fold)
            right = right_answers([clip for one in own for clip in one.fold.test], len(emotions))
            restricted = replace(predictions, probabilities=restrict(predictions.probabilities, right))
            found[name] = summarize(restricted, emotions)
    kept = ("clips", "uar", "uar_interval_95", "accuracy", "recall", "ece", "sure", "gender")
    return {name: {figure: one[figure] for figure in kept} for name, one in found.items()}


def train_networks(folds: list[Fold], seeds: int, settings: FitSettings, args: argparse.Namespace) -> list[FoldLogits]:
    """Train a network for each fold and seed, several side by side, and return the logits for the test clips."""
    jobs = 1 if num_processes() > 1 else args.jobs or default_jobs(JOB_BYTES)
    tasks = [(fold, seed) for seed in range(seeds) for fold in folds]
    made_by = {fold.name: describe_fit(settings, fold, args.teacher) for fold in folds}
    known = [Checkpoint(args.run, fold.name, seed).load_logits(made_by[fold.name]) for fold, seed in tasks]
    missing = [task for task, logits in zip(tasks, known, strict=True) if logits is None]
    if jobs == 1:
        trained = [train_fold(fold, seed, settings, args) for fold, seed in missing]
    else:  # every job opens the corpora itself: their arrays lie in the cache on disk, which processes share
        run = Parallel(n_jobs=jobs)
        trained = run(delayed(train_in_job)(fold.name, seed, settings, args, jobs) for fold, seed in missing)
    new = iter(trained)
    return [
        FoldLogits(fold, seed, next(new) if logits is None else logits, cached=logits is not None)
        for (fold, seed), logits in zip(tasks, known, strict=True)
    ]


def train_in_job(name: str, seed: int, settings: FitSettings, args: argparse.Namespace, jobs: int) -> Any:
    """Open the corpora in a process of its own and train one network."""
    limit_threads(jobs)
    fold = next(fold for fold in list_folds(open_corpora(args), args) if fold.name == name)
    return train_fold(fold, seed, settings, args)


def train_fold(fold: Fold, seed: int, settings: FitSettings, args: argparse.Namespace) -> Any:
    """Train one network, save it, and return its logits for the test clips."""
    limit_threads(num_processes())
    teacher = load_teacher(fold, args, settings.network.emotions) if args.teacher else None

    def report(epoch: int, loss: float) -> None:
        print(f"fold {fold.name} seed {seed}: epoch {epoch}, loss {loss:.3f}", file=sys.stderr, flush=True)

    network = fit_network(fold.train, settings, seed, teacher, report)
    if not is_main_process():
        return None
    logits = predict_clips(network, fold.test)
    Checkpoint(args.run, fold.name, seed).save(network, logits, describe_fit(settings, fold, args.teacher))
    return logits


def load_teacher(fold: Fold, args: argparse.Namespace, emotions: Sequence[str]) -> SoftLabels:
    """Return what the teacher says of the training clips of a fold; computed once for all seeds."""
    path = args.run / "teacher" / f"{fold.name}-{Path(args.teacher).name}-{fingerprint_clips(fold.train)}.npz"
    if not path.exists():
        encoder = Encoder.load(args.teacher)
        layers = embed_clips(open_corpora(args).table, encoder)
        taught = teach(fold.train, layers, encoder, HeadSettings(epochs=TEACHER_EPOCHS), emotions)
        with atomic_folder(path.parent) as tmp:
            np.savez_compressed(tmp / path.name, files=list(taught), taught=np.stack(list(taught.values())))
    with np.load(path) as file:
        return dict(zip(file["files"].tolist(), file["taught"], strict=True))


def train_on_all(corpora: Corpora, metrics: dict[str, Any], args: argparse.Namespace) -> None:
    """Train one model on all that may be trained on, and write it with the calibration of the folds."""
    (fold,) = list_folds(corpora, args)
    settings = make_settings(args, corpora.emotions)
    if tuple(metrics["emotions"]) != corpora.emotions:
        raise ValueError(f"{args.calibration} has other emotions. Run its folds again with the same --extra.")
    if args.model == "comparison":
        encoder = Encoder.load(args.encoder)
        head = fit_head(fold.train, embed_clips(corpora.table, encoder), encoder, 0, settings, corpora.emotions)
        with atomic_folder(args.out) as tmp:
            save_head(tmp, head, metrics["calibration"] | {"join": metrics["join"]})
    else:
        # the same networks as those of the fold that leaves out none of the corpora to train on
        train_networks([fold], ENSEMBLE_SIZE, settings, args)
        if is_main_process():
            folders = find_networks(args.run / "networks", fold.name, range(ENSEMBLE_SIZE))
            network = load_ensemble(folders)
            save_weights(args.out, network, fit_speaker_space(network, fold.train), args.calibration)
    if is_main_process():
        print(args.out)


def make_settings(args: argparse.Namespace, emotions: tuple[str, ...]) -> Any:
    """Return the settings of the model, with the epochs of the command line and the emotions of the corpora."""
    settings = SETTINGS[args.model]()
    if isinstance(settings, FitSettings):
        settings = replace(settings, network=replace(settings.network, emotions=emotions))
    return replace(settings, epochs=args.epochs) if args.epochs else settings


def read_fold_metrics(args: argparse.Namespace) -> dict[str, Any]:
    """Read the metrics of the folds whose calibration a model of all actors gets.

    Raises:
        ValueError: They are of another model, of shuffled labels, of known speakers, or lack what the model needs.
    """
    metrics: Any = json.loads(args.calibration.read_text())
    encoder = Path(args.encoder).name if args.model == "comparison" else None
    wanted = {"model": args.model, "labels": "as acted", "validation": False, "encoder": encoder}
    found = metrics if isinstance(metrics, dict) else {}
    if "calibration" not in found or any(found.get(name) != value for name, value in wanted.items()):
        raise ValueError(
            f"{args.calibration} is not of folds of this model. Give the metrics.json that train.py wrote for "
            f"--protocol corpora --model {args.model}."
        )
    by_stranger = (*BY_SPEAKER, "corpora")
    if found["protocol"] not in by_stranger:
        raise ValueError(f"{args.calibration} is of known speakers. Give one of --protocol {', '.join(by_stranger)}.")
    if args.model == "comparison" and "join" not in found:
        raise ValueError(
            f"{args.calibration} does not say how to join the answers. Run its folds again with --protocol corpora "
            "--join RUN, a run of the networks."
        )
    if args.model == "cnn" and any(len(seeds) != ENSEMBLE_SIZE for seeds in found["ensembles"]):
        raise ValueError(
            f"{args.calibration} is of single networks; ensembles of {ENSEMBLE_SIZE} are more confident. "
            f"Run the folds again with --seeds {ENSEMBLE_SIZE} or more."
        )
    return found


def describe_training(metrics: dict[str, Any], cached: bool, started: float, earlier: Path) -> dict[str, Any]:
    """Say when, where and in how many minutes the networks were trained.

    If their logits were cached, that is what the earlier metrics.json says, if it is of the same settings and seeds.
    """
    origin = {"processes": num_processes(), "minutes": None, **describe_origin(("torch", "numpy"))}
    if not cached:
        return origin | {"minutes": round((time.monotonic() - started) / 60, 1)}
    old = json.loads(earlier.read_text()) if earlier.exists() else {}
    new = json.loads(json.dumps({name: metrics[name] for name in ("settings", "seeds", "folds")}))
    same = all(old.get(name) == value for name, value in new.items())
    return {name: old.get(name, value) for name, value in origin.items()} if same else origin


def describe_fold(fold: Fold) -> dict[str, Any]:
    """Return what a fold scores and how much it trains on; of RAVDESS and CREMA-D the speakers by name."""
    corpora = sorted({clip.corpus for clip in fold.test})
    speakers = {corpus: sorted({clip.speaker for clip in fold.test if clip.corpus == corpus}) for corpus in corpora}
    few = {corpus: names if len(names) <= MAX_LISTED else len(names) for corpus, names in speakers.items()}
    return {"speakers": few, "clips": len(fold.test), "training_clips": Counter(clip.corpus for clip in fold.train)}


def describe_command(args: argparse.Namespace) -> str:
    """Return the command line that makes the same figures, with DIR for folders."""
    start = "python" if num_processes() == 1 else f"torchrun --nproc_per_node={num_processes()}"
    words = [f"{start} train.py --data {'DIR ' * len(args.data)}--protocol {args.protocol} --model {args.model}"]
    words += [f"--encoder {Path(args.encoder).name}"] if args.model == "comparison" else []
    words += [f"--join {args.join}"] if args.join else []
    words += [f"--teacher {Path(args.teacher).name}"] if args.teacher else []
    words += [f"--unlabeled {' '.join('DIR' for _ in args.unlabeled)}"] if args.unlabeled else []
    words += [f"--extra {args.extra.name}"] if args.extra else []
    words += ["--validation"] if args.validation else []
    words += ["--shuffle-labels"] if args.shuffle_labels else []
    words += [f"--folds {' '.join(args.folds)}"] if args.folds else []
    words += [f"--epochs {args.epochs}"] if args.epochs else []
    return " ".join([*words, f"--seeds {args.seeds}", f"--out {args.out}"])


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line; options that contradict each other end the program with one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    group = parser.add_argument_group("corpora")
    group.add_argument(
        "--data", nargs="+", metavar="DIR", help=f"folders with corpora, or {HUB_COPY}, a copy on the Hub"
    )
    group.add_argument("--extra", type=Path, metavar="MANIFEST.csv", help="more clips to train on; never scored")
    group.add_argument("--unlabeled", type=Path, nargs="+", default=[], metavar="DIR", help="speech for the teacher")
    group.add_argument("--shuffle-labels", action="store_true", help="shuffle the emotions, to look for leaks")
    group.add_argument("--allow-missing", action="store_true", help="accept an incomplete RAVDESS")
    group = parser.add_argument_group("protocol")
    group.add_argument("--protocol", choices=PROTOCOLS, default="luna")
    group.add_argument("--folds", nargs="+", help="only these folds, by name")
    group.add_argument("--validation", action="store_true", help="score validation speakers, leave out test speakers")
    group.add_argument("--seeds", type=positive_int, metavar="N", help="train with seeds 0 to N-1 (default: 1)")
    group = parser.add_argument_group("model")
    group.add_argument("--model", choices=SETTINGS, default="cnn")
    group.add_argument("--encoder", help=f"Whisper, wav2vec2, ...; name or folder (default: {DEFAULT_ENCODER})")
    group.add_argument("--join", type=Path, metavar="RUN", help="join the head with the networks of a run")
    group.add_argument("--teacher", metavar="ENCODER", help="let heads on this encoder teach the network")
    group.add_argument("--epochs", type=positive_int, help=f"default: {FitSettings().epochs} for cnn")
    group = parser.add_argument_group("output")
    group.add_argument("--out", type=Path, help="folder of the results (default: runs/PROTOCOL-MODEL, or the weights)")
    group.add_argument("--calibration", type=Path, metavar="METRICS.json", help="of the folds, for --protocol all")
    group.add_argument("--jobs", type=positive_int, help="networks side by side (default: by cores and memory)")
    group.add_argument("--push", metavar="OWNER/NAME", help="publish the weights, alone or after --protocol all")
    args = parser.parse_args(argv)
    if problem := find_contradiction(args):
        parser.error(problem)
    args.seeds, args.encoder = args.seeds or 1, args.encoder or DEFAULT_ENCODER
    to_weights = args.data is None or args.protocol == "all"
    args.out = args.out or (SHIPPED[args.model] if to_weights else Path(f"runs/{args.protocol}-{args.model}"))
    args.run = args.calibration.parent if args.calibration else args.out  # where checkpoints lie
    return args


def find_contradiction(args: argparse.Namespace) -> str | None:
    """Return which options do not go together, and what to do."""
    if args.data is None:
        return "--data DIR is needed" if args.push is None else None
    for_all, scored = args.protocol == "all", args.folds or args.validation or args.seeds
    problems = {
        "--push goes with --protocol all and --model cnn, or without --data": (
            args.push and (args.protocol, args.model) != ("all", "cnn")
        ),
        "--protocol all makes cnn or comparison weights and needs --calibration METRICS.json of their folds": (
            for_all and (args.model not in SHIPPED or args.calibration is None)
        ),
        "--shuffle-labels looks for leaks between folds; use it with another protocol": (
            for_all and args.shuffle_labels
        ),
        "--folds, --validation and --seeds are for folds; leave them out with --protocol all": for_all and scored,
        "--calibration goes with --protocol all": args.calibration and not for_all,
        "--protocol random-copies shows the leak of the classic recipe; use it with --model classic": (
            args.protocol == "random-copies" and args.model != "classic"
        ),
        "--encoder goes with --model comparison": args.encoder and args.model != "comparison",
        "the classic recipe is measured on RAVDESS alone; leave out --extra": args.model == "classic" and args.extra,
        "--join goes with --model comparison": args.join and args.model != "comparison",
        "--teacher goes with --model cnn": args.teacher and args.model != "cnn",
        "--unlabeled needs --teacher, which labels it": args.unlabeled and not args.teacher,
    }
    return next((problem for problem, holds in problems.items() if holds), None)


def positive_int(text: str) -> int:
    """Read a number that must be 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
