"""Trains the networks of a cross-validation, one for each fold and seed, and scores with each what it never heard."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from joblib import Parallel, delayed

from ser_model.cnn import load_network, save_network
from ser_model.evaluation.judge import Outcome
from ser_model.training.clips import Clip
from ser_model.training.fit import FitSettings, fit_network, limit_threads, score_clips
from ser_model.training.folds import Fold


def run_networks(folds: list[Fold], seeds: int, settings: FitSettings, keep: Path, jobs: int) -> list[Outcome]:
    """Train a network for each fold and seed.

    Args:
        folds: What is trained on and scored.
        seeds: How many seeds, from 0 on.
        settings: How the networks learn.
        keep: Folder for the networks; those that an interrupted run left there are taken up.
        jobs: Networks trained side by side.
    """
    tasks = [(fold, seed) for seed in range(seeds) for fold in folds]
    return list(Parallel(n_jobs=jobs)(delayed(run_fold)(fold, seed, settings, keep, jobs) for fold, seed in tasks))


def run_fold(fold: Fold, seed: int, settings: FitSettings, keep: Path, jobs: int) -> Outcome:
    """Train one fold's network, or take up the one that an interrupted run left, and score with it."""
    limit_threads(jobs)
    folder = keep / f"fold-{fold.name}-seed-{seed}"
    wanted = json.loads(json.dumps(asdict(settings) | {"clips": fingerprint_clips(fold.train)}))
    marker = folder / "config.json"
    if not (marker.exists() and json.loads(marker.read_text()).get("settings") == wanted):
        network = fit_network(fold.train, settings, seed, make_reporter(f"fold {fold.name} seed {seed}"))
        folder.mkdir(parents=True, exist_ok=True)
        digest = save_network(network, folder)
        kept = asdict(settings.network) | {"settings": wanted, "weights_sha256": digest}
        marker.write_text(json.dumps(kept))
    network = load_network(folder)
    return Outcome(fold, seed, score_clips(network, fold.validation), score_clips(network, fold.test))


def fingerprint_clips(clips: list[Clip]) -> str:
    """Return a name for clips and their labels that changes when they do."""
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(f"{clip.file} {clip.span} {clip.emotion} {clip.gender} {clip.intensity}\n".encode())
    return f"{len(clips)}-{digest.hexdigest()[:12]}"


def make_reporter(name: str) -> Callable[[int, float], None]:
    """Return a function that prints an epoch's loss on standard error."""
    return lambda epoch, loss: print(f"{name}: epoch {epoch}, loss {loss:.3f}", file=sys.stderr, flush=True)
