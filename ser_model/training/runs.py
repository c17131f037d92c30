"""Trains the networks of a cross-validation, one for each fold and seed, and scores with each what it never heard."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from joblib import Parallel, delayed

from ser_model.cnn import EmotionCnn, join_networks, save_network
from ser_model.evaluation.judge import Outcome
from ser_model.files import CONFIG_NAME
from ser_model.training.clips import CODED_BIT_RATES, Clip
from ser_model.training.fit import FitSettings, Scores, fit_network, limit_threads, score_clips
from ser_model.training.folds import Fold
from ser_model.training.joined import JOINED, name_network
from ser_model.training.layers import HeadSettings, Layers, fit_head, score_layers
from ser_model.training.processes import ALONE, Team
from ser_model.training.whole import write_whole
from ser_model.wav2vec2 import Encoder

HEADS = ("emotion", "gender", "intensity")


def run_networks(
    folds: list[Fold], seeds: int, settings: FitSettings, keep: Path, jobs: int, team: Team = ALONE
) -> list[Outcome]:
    """Train a network for each fold and seed.

    Args:
        folds: What is trained on and scored.
        seeds: How many seeds, from 0 on.
        settings: How the networks learn.
        keep: Folder for networks and scores; the scores that an earlier run left there are taken up.
        jobs: Networks trained side by side; a team trains one after the other.
        team: The processes that train each network together.

    Returns:
        In the first process one outcome a network, in the others nothing.
    """
    jobs = jobs if team.count == 1 else 1
    tasks = [(fold, seed) for seed in range(seeds) for fold in folds]
    # a job gets its own copy of a fold's clips, a gigabyte: none waits in memory, and none comes back with the scores
    run = Parallel(n_jobs=jobs, pre_dispatch="n_jobs")
    found = run(delayed(run_fold)(fold, seed, settings, keep, jobs, team) for fold, seed in tasks)
    pairs = zip(tasks, found, strict=True)
    return [Outcome(fold, seed, *said) for (fold, seed), said in pairs if said is not None]


def run_fold(
    fold: Fold, seed: int, settings: FitSettings, keep: Path, jobs: int, team: Team
) -> tuple[Scores, bool] | None:
    """Score with one fold's network: train it, or take up the scores that an earlier run left.

    Returns:
        In the first process of a team the scores, and whether an earlier run left them.
    """
    limit_threads(jobs * team.count)
    name = name_network(fold.name, seed)
    clips = {"clips": fingerprint_clips(fold.train), "scored": fingerprint_clips(fold.test)}
    wanted = json.dumps(asdict(settings) | clips, sort_keys=True)
    path = keep / "scores" / f"{name}.npz"
    scores = recall_scores(path, wanted) if team.is_first else None
    recalled = team.agree(scores is not None)
    if not recalled:
        network = fit_network(fold.train, settings, seed, make_reporter(f"fold {fold.name} seed {seed}"), team)
        if team.is_first:
            keep_network(keep / "networks" / name, network)
            scores = score_clips(network, fold.test)
            keep_scores(path, wanted, scores)
    return None if scores is None else (scores, recalled)


def fit_model(clips: list[Clip], settings: FitSettings, jobs: int, team: Team = ALONE) -> EmotionCnn:
    """Train the networks of one model on the same clips, some side by side, and join them."""
    jobs = jobs if team.count == 1 else 1
    tasks = [delayed(_fit)(clips, settings, seed, jobs, team) for seed in range(JOINED)]
    return join_networks(Parallel(n_jobs=jobs)(tasks))


def _fit(clips: list[Clip], settings: FitSettings, seed: int, jobs: int, team: Team) -> EmotionCnn:
    limit_threads(jobs * team.count)
    return fit_network(clips, settings, seed, make_reporter(f"all, seed {seed}"), team)


def keep_network(folder: Path, network: EmotionCnn) -> None:
    """Write a fold's network, for what is measured on sound later: robustness, a speaker's own voice."""
    with write_whole(folder) as half:
        digest = save_network(network, half)
        (half / CONFIG_NAME).write_text(json.dumps(asdict(network.config) | {"weights_sha256": digest}))


def keep_scores(path: Path, settings: str, scores: Scores) -> None:
    """Write what a network said, with what made it; small enough to be committed, so that seeds add up over days."""
    small = {head: getattr(scores, head).astype(np.float32) for head in HEADS}
    with write_whole(path.parent) as half:
        np.savez_compressed(half / path.name, settings=np.array(settings), **small)


def recall_scores(path: Path, settings: str) -> Scores | None:
    """Read scores, if they are there, whole, and were made by these settings."""
    if not path.exists():
        return None
    try:
        with np.load(path) as kept:
            if str(kept["settings"]) != settings:
                return None
            return Scores(**{head: kept[head].astype(np.float64) for head in HEADS})
    except (BadZipFile, EOFError, KeyError, ValueError):  # cut, or no scores of ours: made anew
        return None


def run_heads(
    folds: list[Fold], seeds: int, settings: HeadSettings, encoder: Encoder, layers: Layers, emotions: tuple[str, ...]
) -> list[Outcome]:
    """Fit a head on an encoder's kept vectors for each fold and seed, in seconds each."""
    outcomes = []
    for seed in range(seeds):
        for fold in folds:
            head = fit_head(fold.train, layers, encoder, seed, settings, emotions)
            outcomes.append(Outcome(fold, seed, score_layers(head, fold.test, layers)))
    return outcomes


def fingerprint_clips(clips: list[Clip]) -> str:
    """Return a name for clips and their labels that changes when they do."""
    digest = hashlib.sha256()
    for clip in clips:
        coded = "" if clip.coded is None else f" coded {CODED_BIT_RATES}"
        digest.update(f"{clip.file} {clip.span} {clip.emotion} {clip.gender} {clip.intensity}{coded}\n".encode())
    return f"{len(clips)}-{digest.hexdigest()[:12]}"


def make_reporter(name: str) -> Callable[[int, float], None]:
    """Return a function that prints an epoch's loss on standard error."""
    return lambda epoch, loss: print(f"{name}: epoch {epoch}, loss {loss:.3f}", file=sys.stderr, flush=True)
