"""Checkpoints of the networks of each fold and seed, and the ensembles they form.

The errors of two seeds differ; the product of their probabilities is right more often than either. Of more than two
seeds, each forms an ensemble with the next and the last with the first, so that each is part of two.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ser_model.cnn import CONFIG_NAME, EmotionCnn, ensemble_networks, load_network, save_network
from ser_model.comparison import JoinWeights
from ser_model.files import atomic_folder
from ser_model.training.clips import fingerprint_clips
from ser_model.training.fit import ClipLogits
from ser_model.training.folds import Fold

NETWORKS = Path("runs/luna/networks")  # where --protocol luna --out runs/luna saves them
ENSEMBLE_SIZE = 2
JOIN = JoinWeights()
HEADS = ("emotion", "gender", "intensity")
REMEDY = "Train the networks with: python train.py --data DIR --protocol luna --seeds 5 --out runs/luna"


@dataclass(frozen=True)
class FoldLogits:
    """The logits of one network or ensemble for the test clips of its fold."""

    fold: Fold  # the clips
    seed: int  # of the network, or the number of the ensemble
    logits: ClipLogits  # in the order of fold.test
    cached: bool = False  # whether they come from an earlier run


@dataclass(frozen=True)
class Checkpoint:
    """Where a run keeps the network of one fold and seed, and its logits for the test clips.

    The logits are small enough to be committed: with them, metrics can be computed again without training.
    """

    out: Path
    fold: str
    seed: int

    @property
    def network(self) -> Path:
        """The folder of config.json and model.safetensors."""
        return self.out / "networks" / name_network(self.fold, self.seed)

    @property
    def scores(self) -> Path:
        """The file of the logits, with the settings and clips that made them."""
        return self.out / "scores" / f"{name_network(self.fold, self.seed)}.npz"

    def save(self, network: EmotionCnn, logits: ClipLogits, made_by: str) -> None:
        """Write both; an interrupted run leaves neither or a complete one."""
        with atomic_folder(self.network) as folder:
            save_network(network, folder)
            (folder / CONFIG_NAME).write_text(json.dumps(asdict(network.config)))
        self.save_logits(logits, made_by)

    def save_logits(self, logits: ClipLogits, made_by: str) -> None:
        """Write the logits alone; made_by is from describe_fit."""
        with atomic_folder(self.scores.parent) as folder:
            arrays = {head: getattr(logits, head).astype(np.float32) for head in HEADS}
            np.savez_compressed(folder / self.scores.name, settings=np.array(made_by), **arrays)

    def load_logits(self, made_by: str) -> ClipLogits | None:
        """Read the logits if they are there, complete, and were made by the same settings from the same clips."""
        try:
            with np.load(self.scores) as file:
                if str(file["settings"]) == made_by:
                    return ClipLogits(**{head: file[head].astype(np.float64) for head in HEADS})
        except (FileNotFoundError, BadZipFile, EOFError, KeyError, ValueError):
            pass
        return None


def describe_fit(settings: Any, fold: Fold, teacher: str | None = None) -> str:
    """Return the settings and the fingerprints of the clips as text; equal text means that nothing changed."""
    clips = {"clips": fingerprint_clips(fold.train), "scored": fingerprint_clips(fold.test)}
    taught = {"teacher": Path(teacher).name} if teacher else {}
    return json.dumps(asdict(settings) | clips | taught, sort_keys=True)


def list_ensembles(seeds: int) -> list[tuple[int, ...]]:
    """Return the seeds of each ensemble: one ensemble of up to two seeds, else as many as there are seeds."""
    if seeds <= ENSEMBLE_SIZE:
        return [tuple(range(seeds))]
    return [(seed, (seed + 1) % seeds) for seed in range(seeds)]


def combine_seeds(networks: list[FoldLogits]) -> list[FoldLogits]:
    """Return the logits of each ensemble for each fold."""
    known = {(one.fold.name, one.seed): one for one in networks}
    folds = {one.fold.name: one.fold for one in networks}
    combined = []
    for number, seeds in enumerate(list_ensembles(len({one.seed for one in networks}))):
        for name, fold in folds.items():
            members = [known[name, seed] for seed in seeds]
            logits = combine_logits([member.logits for member in members])
            combined.append(FoldLogits(fold, number, logits, any(member.cached for member in members)))
    return combined


def select_corpus(networks: list[FoldLogits], corpus: str) -> list[FoldLogits]:
    """Keep the clips of one corpus, and the folds that score some."""
    kept = []
    for one in networks:
        rows = np.flatnonzero([clip.corpus == corpus for clip in one.fold.test])
        heads = {name: value[rows] for name, value in vars(one.logits).items() if value is not None}
        fold = replace(one.fold, test=[one.fold.test[row] for row in rows])
        kept += [replace(one, fold=fold, logits=ClipLogits(**heads))] if rows.size else []
    return kept


def load_models(out: Path, folds: list[Fold]) -> list[FoldLogits]:
    """Read the logits of the networks of an earlier run, combined to ensembles.

    Args:
        out: Of a run that scored the same folds.
        folds: Of this run.

    Raises:
        ValueError: The run scored other clips or has not finished.
    """
    found = []
    for fold in folds:
        files = sorted((out / "scores").glob(f"fold-{fold.name}-seed-*.npz"))
        for seed in range(len(files)):
            with np.load(Checkpoint(out, fold.name, seed).scores) as file:
                same = json.loads(str(file["settings"]))["scored"] == fingerprint_clips(fold.test)
                logits = ClipLogits(**{head: file[head].astype(np.float64) for head in HEADS}) if same else None
            if logits is None:
                raise ValueError(f"{out} scored other clips in fold {fold.name}. Run it again with the same --data.")
            found.append(FoldLogits(fold, seed, logits, cached=True))
        if not files:
            raise ValueError(f"{out} has no logits of fold {fold.name}. Finish that run first.")
    return combine_seeds(found)


def join_folds(heads: list[FoldLogits], networks: list[FoldLogits]) -> list[FoldLogits]:
    """Join the first head of each fold with every ensemble of its networks; the gender is that of the networks."""
    head_of = {one.fold.name: one.logits.emotion for one in reversed(heads)}
    joined = []
    for one in networks:
        emotion = JOIN.join(one.logits.emotion, head_of[one.fold.name])
        joined.append(replace(one, logits=replace(one.logits, emotion=emotion)))
    return joined


def combine_logits(members: Sequence[ClipLogits]) -> ClipLogits:
    """Return the logits of the ensemble that ensemble_networks makes of the same networks."""
    emotion = np.sum([member.emotion for member in members], axis=0)
    gender, intensity = (np.mean([getattr(one, head) for one in members], axis=0) for head in ("gender", "intensity"))
    embeddings = [member.embedding for member in members if member.embedding is not None]
    return ClipLogits(emotion, gender, intensity, np.concatenate(embeddings, axis=1) if embeddings else None)


def name_network(fold: str, seed: int) -> str:
    """Return the name of a network's checkpoint."""
    return f"fold-{fold}-seed-{seed}"


def find_networks(networks: Path, fold: str, seeds: Iterable[int]) -> tuple[Path, ...]:
    """Return the folders of a fold's networks.

    Args:
        networks: Such as runs/luna/networks.
        fold: Its name.
        seeds: Of the networks.

    Raises:
        ValueError: One does not exist. The message says how to train it.
    """
    folders = tuple(networks / name_network(fold, seed) for seed in seeds)
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"{folder} is missing. {REMEDY}")
    return folders


def load_ensemble(folders: Sequence[Path]) -> EmotionCnn:
    """Load networks as one ensemble.

    Raises:
        WeightsError: One is missing or damaged.
    """
    return ensemble_networks([load_network(folder) for folder in folders])
