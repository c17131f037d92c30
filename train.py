"""Cross-validate the emotion recognizer on RAVDESS, or train the weights that are shipped.

A smoke run:
    python train.py --data DIR --protocol luna --epochs 2 --folds 0 --out runs/smoke
The figures of the README. With --out results/luna the logits there are reused, not trained again:
    python train.py --data DIR --protocol luna --seeds 5 --out runs/luna
The shipped weights, trained on all actors, with the calibration of those folds:
    python train.py --data DIR --protocol all --calibration results/luna/metrics.json
Publish them with their model card and code on the model hub:
    python train.py --push OWNER/NAME
The comparison head on a frozen encoder, first measured, then made for the page:
    python train.py --data DIR --protocol luna --model comparison --out results/comparison
    python train.py --data DIR --protocol all --model comparison --calibration results/comparison/metrics.json
Further clips join the training part of every fold; a new emotion becomes a class (see training/corpora.py):
    python train.py --data DIR --protocol luna --seeds 2 --extra MANIFEST.csv --out runs/extra
Each network on two processes, on GPUs if there are any:
    torchrun --nproc_per_node=2 train.py --data DIR --protocol luna --out runs/luna
Choose settings on validation actors, so that the test actors stay unseen:
    python train.py --data DIR --protocol luna --validation --out runs/validation
Look for leaks: with shuffled labels the UAR must be near chance, 12.5 %:
    python train.py --data DIR --protocol luna --shuffle-labels --epochs 10 --out results/permutation

An interrupted run continues with the next fold when it is started again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from ser_model.audio import AudioError
from ser_model.batch import default_jobs
from ser_model.cnn import EmotionCnn, WeightsError, ensemble_networks
from ser_model.comparison import DEFAULT_ENCODER, HEAD_FOLDER, ComparisonMissing, Encoder, save_head
from ser_model.evaluation.metrics import NO_BIAS, BiasSettings, calibrate_folds, fit_calibration, summarize
from ser_model.evaluation.report import describe_origin, write_report
from ser_model.files import atomic_folder
from ser_model.recognize import WEIGHTS
from ser_model.training.classic import ClassicSettings, train_classic
from ser_model.training.corpora import OPUS_BIT_RATES, Clip, Corpus, CorpusError, read_corpus, shuffle_labels
from ser_model.training.encoder_head import HeadSettings, embed_clips, fit_head, train_heads
from ser_model.training.ensemble import (
    ENSEMBLE_SIZE,
    Checkpoint,
    FoldLogits,
    combine_seeds,
    describe_fit,
    list_ensembles,
)
from ser_model.training.fit import (
    FitSettings,
    distributed_training,
    fit_network,
    fit_speaker_space,
    is_main_process,
    limit_threads,
    main_process_first,
    num_processes,
    predict_clips,
)
from ser_model.training.folds import BY_ACTOR, PROTOCOLS, Fold, add_training_clips, select_folds, split_clips
from ser_model.training.publish import PublishError, push_weights, save_weights

JOB_BYTES = 3 * 1024**3  # memory of a job that trains a network
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
    """Read the corpus, and train what the protocol asks for."""
    if num_processes() > 1 and args.model != "cnn":
        raise ValueError(f"torchrun is for --model cnn. Start {args.model} with python train.py.")
    metrics = read_fold_metrics(args) if args.protocol == "all" else {}
    with main_process_first():
        corpus = read_corpus(args.data, args.extra, args.allow_missing, with_opus=args.model == "cnn")
    if args.shuffle_labels:
        corpus = replace(corpus, clips=shuffle_labels(corpus.clips))
    settings = make_settings(args, corpus)
    if args.protocol == "all":
        train_on_all(corpus, settings, metrics, args)
    else:
        cross_validate(corpus, settings, args)


def cross_validate(corpus: Corpus, settings: Any, args: argparse.Namespace) -> None:
    """Score every clip with models that were not trained on its actor, and write the report."""
    started = time.monotonic()
    folds = select_folds(split_clips(corpus.clips, args.protocol, args.validation), args.folds)
    folds = add_training_clips(folds, corpus.extra)
    if args.model == "cnn":
        networks = train_networks(folds, args.seeds, settings, args.out, args.jobs)
    elif args.model == "classic":
        networks = train_classic(folds, args.seeds, corpus.table, settings, args.protocol == "random-copies")
    else:
        encoder = Encoder.load(args.encoder)
        networks = train_heads(folds, args.seeds, corpus.table, settings, encoder, corpus.emotions)
    if not is_main_process():
        return

    bias = NO_BIAS if args.shuffle_labels else BiasSettings()
    single = summarize(calibrate_folds(networks, bias), corpus.emotions)
    of_ensembles = args.model == "cnn"
    models = combine_seeds(networks) if of_ensembles else networks
    ensembles = list_ensembles(args.seeds) if of_ensembles else [(seed,) for seed in range(args.seeds)]
    predictions = calibrate_folds(models, bias)
    metrics = summarize(predictions, corpus.emotions) | {
        "calibration": fit_calibration(models, settings=bias),
        "single_networks": {name: single[name] for name in ("uar", "uar_std_over_seeds", "uar_by_seed")},
        "ensembles": ensembles,  # the seeds of each
        "protocol": args.protocol,
        "validation": args.validation,
        "model": args.model,
        "encoder": args.encoder if args.model == "comparison" else None,
        "extra": corpus.about,
        "labels": "shuffled" if args.shuffle_labels else "as acted",
        "settings": asdict(settings) | ({"opus_bit_rates": OPUS_BIT_RATES} if args.model == "cnn" else {}),
        "seeds": list(range(args.seeds)),
        "folds": {fold.name: sorted({clip.actor for clip in fold.test}) for fold in folds},
        "command": describe_command(args),
    }
    metrics |= describe_training(metrics, any(one.cached for one in networks), started, args.out / "metrics.json")
    write_report(args.out, metrics, predictions)
    print(f"UAR {100 * metrics['uar']:.1f} %, accuracy {100 * metrics['accuracy']:.1f} %: {args.out}")


def train_networks(
    folds: list[Fold], seeds: int, settings: FitSettings, out: Path, jobs: int | None = None
) -> list[FoldLogits]:
    """Train a network for each fold and seed, several side by side, and return the logits for the test clips."""
    jobs = 1 if num_processes() > 1 else jobs or default_jobs(JOB_BYTES)
    tasks = [(fold, seed) for seed in range(seeds) for fold in folds]
    # each job gets a copy of its clips, so none is prepared before a job is free
    run = Parallel(n_jobs=jobs, pre_dispatch="n_jobs")
    found = run(delayed(train_fold)(fold, seed, settings, out, jobs) for fold, seed in tasks)
    return [FoldLogits(fold, seed, *own) for (fold, seed), own in zip(tasks, found, strict=True)]


def train_fold(fold: Fold, seed: int, settings: FitSettings, out: Path, jobs: int) -> tuple[Any, bool]:
    """Return the logits of one network for its test clips, and whether they come from an earlier run."""
    checkpoint, made_by = Checkpoint(out, fold.name, seed), describe_fit(settings, fold)
    cached = checkpoint.load_logits(made_by)
    if cached is not None:
        return cached, True
    limit_threads(jobs * num_processes())
    network = fit_network(
        fold.train, settings, seed, lambda *epoch: print_epoch(f"fold {fold.name} seed {seed}", *epoch)
    )
    if not is_main_process():
        return None, False
    logits = predict_clips(network, fold.test)
    checkpoint.save(network, logits, made_by)
    return logits, False


def train_on_all(corpus: Corpus, settings: Any, metrics: dict[str, Any], args: argparse.Namespace) -> None:
    """Train one model on all actors, and write it with the calibration of the folds."""
    clips = corpus.clips + corpus.extra
    if tuple(metrics["emotions"]) != corpus.emotions:
        raise ValueError(f"{args.calibration} has other emotions. Run its folds again with the same --extra.")
    if args.model == "comparison":
        encoder = Encoder.load(args.encoder)
        head = fit_head(clips, embed_clips(corpus.table, encoder), encoder, 0, settings, corpus.emotions)
        with atomic_folder(args.out) as tmp:
            save_head(tmp, head, metrics["calibration"])
    else:
        jobs = 1 if num_processes() > 1 else args.jobs or default_jobs(JOB_BYTES)
        tasks = (delayed(train_member)(clips, settings, seed, jobs) for seed in range(ENSEMBLE_SIZE))
        network = ensemble_networks(Parallel(n_jobs=jobs)(tasks))
        if is_main_process():
            save_weights(args.out, network, fit_speaker_space(network, clips), args.calibration)
    if is_main_process():
        print(args.out)


def train_member(clips: list[Clip], settings: FitSettings, seed: int, jobs: int) -> EmotionCnn:
    """Train one network of the ensemble on all clips."""
    limit_threads(jobs * num_processes())
    return fit_network(clips, settings, seed, lambda *epoch: print_epoch(f"all, seed {seed}", *epoch))


def print_epoch(name: str, epoch: int, loss: float) -> None:
    """Report progress on standard error."""
    print(f"{name}: epoch {epoch}, loss {loss:.3f}", file=sys.stderr, flush=True)


def make_settings(args: argparse.Namespace, corpus: Corpus) -> Any:
    """Return the settings of the model, with the epochs of the command line and the emotions of the corpus."""
    settings = SETTINGS[args.model]()
    if isinstance(settings, FitSettings):
        settings = replace(settings, network=replace(settings.network, emotions=corpus.emotions))
    return replace(settings, epochs=args.epochs) if args.epochs else settings


def read_fold_metrics(args: argparse.Namespace) -> dict[str, Any]:
    """Read the metrics of the folds whose calibration a model of all actors gets.

    Raises:
        ValueError: They are of another model, of shuffled labels, or of known speakers.
    """
    metrics: Any = json.loads(args.calibration.read_text())
    encoder = args.encoder if args.model == "comparison" else None
    wanted = {"model": args.model, "labels": "as acted", "validation": False, "encoder": encoder}
    found = metrics if isinstance(metrics, dict) else {}
    if "calibration" not in found or any(found.get(name) != value for name, value in wanted.items()):
        raise ValueError(
            f"{args.calibration} is not of folds of this model. Give the metrics.json that train.py wrote for "
            f"--protocol luna --model {args.model}."
        )
    if found["protocol"] not in BY_ACTOR:
        raise ValueError(f"{args.calibration} is of known speakers. Give one of --protocol {', '.join(BY_ACTOR)}.")
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


def describe_command(args: argparse.Namespace) -> str:
    """Return the command line that makes the same figures, with DIR for the corpus."""
    start = "python" if num_processes() == 1 else f"torchrun --nproc_per_node={num_processes()}"
    words = [f"{start} train.py --data DIR --protocol {args.protocol} --model {args.model}"]
    words += [f"--encoder {args.encoder}"] if args.model == "comparison" else []
    words += [f"--extra {args.extra.name}"] if args.extra else []
    words += ["--validation"] if args.validation else []
    words += ["--shuffle-labels"] if args.shuffle_labels else []
    words += [f"--folds {' '.join(args.folds)}"] if args.folds else []
    words += [f"--epochs {args.epochs}"] if args.epochs else []
    return " ".join([*words, f"--seeds {args.seeds}", f"--out {args.out}"])


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line; options that contradict each other end the program with one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    group = parser.add_argument_group("corpus")
    group.add_argument("--data", help="folder with RAVDESS clips or zip files, or the name of a copy on the Hub")
    group.add_argument("--extra", type=Path, metavar="MANIFEST.csv", help="more clips to train on; never scored")
    group.add_argument("--shuffle-labels", action="store_true", help="shuffle the emotions, to look for leaks")
    group.add_argument("--allow-missing", action="store_true", help="accept an incomplete corpus")
    group = parser.add_argument_group("protocol")
    group.add_argument("--protocol", choices=PROTOCOLS, default="luna")
    group.add_argument("--folds", nargs="+", help="only these folds, by name")
    group.add_argument("--validation", action="store_true", help="score validation actors, leave out the test actors")
    group.add_argument("--seeds", type=positive_int, metavar="N", help="train with seeds 0 to N-1 (default: 1)")
    group = parser.add_argument_group("model")
    group.add_argument("--model", choices=SETTINGS, default="cnn")
    group.add_argument("--encoder", help=f"wav2vec2, HuBERT or WavLM, name or folder (default: {DEFAULT_ENCODER})")
    group.add_argument("--epochs", type=positive_int, help=f"passes over the clips (default: {FitSettings().epochs})")
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
        "--extra goes with --model cnn or comparison: the classic recipe is measured on RAVDESS alone": (
            args.model == "classic" and args.extra
        ),
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
