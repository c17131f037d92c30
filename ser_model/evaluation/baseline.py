"""What a learned voice is worth to a new speaker: python -m ser_model.evaluation.baseline --data DIR.

Networks of the Luna folds score their validation and test actors with nothing known of the speaker, after one neutral
clip, after eight guided clips (one of each emotion: statement 1, repetition 1, normal intensity), and with the
speaker's own clips at hand without labels (transductive). Clips that a voice was learned from are not scored. The
settings are chosen on validation actors.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.calibrate import fit_temperature, softmax
from ser_model.cnn import load_network
from ser_model.evaluation.metrics import measure_ece, measure_uar
from ser_model.files import WEIGHTS_NAME
from ser_model.labels import EMOTIONS
from ser_model.speaker import SpeakerSettings, SpeakerSpace
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import score_clips
from ser_model.training.folds import split_clips
from ser_model.training.ravdess import ClipName, load_ravdess

KINDS = ("none", "one", "eight", "unlabelled")
GRID = {"speaker_ratio": (1.0, 2.0, 4.0), "emotion_ratio": (0.4, 0.75, 1.5), "scale": (0.12, 0.25, 0.5)}
CACHE_NAME = "baseline.npz"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One speaker's clips as the network of one fold hears them.

    Attributes:
        logits: (clip, 8).
        embedding: (clip, width).
        truth: (clip,) class index.
        guided: (clip,) whether it is one of the eight that a voice is learned from.
    """

    logits: Array
    embedding: Array
    truth: NDArray[np.int64]
    guided: NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """A fold of one seed: the space of its training actors, its validation and its test actors, one Part each."""

    fold: str
    seed: int
    space: SpeakerSpace
    validation: list[Part]
    test: list[Part]

    def with_settings(self, settings: SpeakerSettings) -> Judged:
        """Return the same with other settings."""
        return replace(self, space=replace(self.space, settings=settings))


Answers = tuple[NDArray[np.int64], Array]  # (clip,) truth and (clip, 8) logits of what was scored


def main() -> None:
    """Measure every kind of knowledge, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--networks", type=Path, default=Path("results/luna/networks"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/baseline.json"))
    arguments = parser.parse_args()
    judged = list(read_folds(arguments.data, arguments.networks, arguments.seeds))
    report = {
        "command": f"python -m ser_model.evaluation.baseline --data DIR --seeds {arguments.seeds}",
        "seeds": arguments.seeds,
        "settings": asdict(SpeakerSettings()),
        "softness_on_validation": {kind: fit_softness(judged, kind) for kind in ("one", "eight", "unlabelled")},
        "tried_on_validation": try_settings(judged),
        "rows": {kind: measure(judged, kind) for kind in KINDS},
    }
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    for kind, row in report["rows"].items():
        print(
            f"{kind:10} validation {row['validation_uar']:.4f}  test {row['test_uar']:.4f}  ECE {row['test_ece']:.3f}"
        )


def read_folds(data: Path, networks: Path, seeds: int) -> Iterable[Judged]:
    """Score every spoken clip with every network of the Luna folds, and fit the space of its training actors."""
    clips = prepare_clips(load_ravdess(data, ("speech",)))
    labels, actors = np.array([clip.emotion for clip in clips]), np.array([clip.actor for clip in clips])
    place = {clip.file: row for row, clip in enumerate(clips)}
    for seed, fold in itertools.product(range(seeds), split_clips(clips, "luna")):
        logits, embedding = score_once(networks / f"fold-{fold.name}-seed-{seed}", clips)
        train = np.array([place[clip.file] for clip in fold.train])
        space = SpeakerSpace.fit(embedding[train], labels[train], actors[train], tuple(map(str, EMOTIONS)))
        parts = [
            [_take(part, place, actor, logits, embedding) for actor in sorted({clip.actor for clip in part})]
            for part in (fold.validation, fold.test)
        ]
        yield Judged(fold.name, seed, space, *parts)


def score_once(folder: Path, clips: list[Clip]) -> tuple[Array, Array]:
    """Return the (clip, 8) logits and (clip, width) embeddings of a network, kept beside it for the next time."""
    digest = hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest() + str(len(clips))
    cache = folder / CACHE_NAME
    if cache.exists():
        with np.load(cache, allow_pickle=False) as kept:
            if str(kept["digest"]) == digest:
                return kept["logits"].astype(np.float64), kept["embedding"].astype(np.float64)
    scores = score_clips(load_network(folder), clips)
    assert scores.embedding is not None
    np.savez(cache, digest=digest, logits=scores.emotion, embedding=scores.embedding.astype(np.float32))
    return scores.emotion, scores.embedding


def try_settings(judged: list[Judged]) -> list[dict[str, Any]]:
    """Measure every combination of GRID on validation actors, the best first by the mean of the three ways to learn."""
    rows = []
    for values in itertools.product(*GRID.values()):
        settings = SpeakerSettings(**dict(zip(GRID, values, strict=True)))
        changed = [one.with_settings(settings) for one in judged]
        kinds = [kind for kind in KINDS if kind != "none"]
        uars = {kind: _mean_uar(changed, kind, lambda one: one.validation) for kind in kinds}
        rows.append(asdict(settings) | uars)
    return sorted(rows, key=lambda row: -(row["one"] + row["eight"] + row["unlabelled"]))


def measure(judged: list[Judged], kind: str) -> dict[str, Any]:
    """Measure one kind of knowledge; the gain is over hearing the same clips with nothing known of the speaker."""
    folds = sorted({one.fold for one in judged})
    row: dict[str, Any] = {}
    sides: dict[str, Callable[[Judged], list[Part]]] = {"validation": lambda o: o.validation, "test": lambda o: o.test}
    for name, side in sides.items():
        uars = {fold: _mean_uar([one for one in judged if one.fold == fold], kind, side) for fold in folds}
        plain = {fold: _mean_uar([o for o in judged if o.fold == fold], kind, side, plain=True) for fold in folds}
        uar = _mean_uar(judged, kind, side)
        row |= {
            f"{name}_uar": uar,
            f"{name}_gain": uar - _mean_uar(judged, kind, side, plain=True),
            f"{name}_uar_by_fold": uars,
            f"{name}_gain_by_fold": {fold: uars[fold] - plain[fold] for fold in folds},
        }
    return row | {"test_ece": _measure_ece(judged, kind)}


def answer(space: SpeakerSpace, part: Part, kind: str, plain: bool = False) -> Answers:
    """Return truth and logits of the clips of one speaker that are scored."""
    learned = part.guided & ((part.truth == 0) | (kind == "eight")) & (kind in ("one", "eight"))
    rest = ~learned
    logits, embedding = part.logits[rest], part.embedding[rest]
    if kind == "unlabelled" and not plain:
        logits = space.adapt(logits, embedding)
    elif learned.any() and not plain:
        chosen = {str(EMOTIONS[part.truth[row]]): part.embedding[[row]] for row in np.flatnonzero(learned)}
        logits = space.correct(logits, embedding, space.learn(chosen))
    return part.truth[rest], logits


def _take(clips: list[Clip], place: dict[str, int], actor: int, logits: Array, embedding: Array) -> Part:
    own = [clip for clip in clips if clip.actor == actor]
    rows = np.array([place[clip.file] for clip in own])
    names = [ClipName.parse(clip.file) for clip in own]
    guided = np.array([(n.intensity, n.statement, n.repetition) == ("normal", 1, 1) for n in names])
    return Part(logits[rows], embedding[rows], np.array([clip.emotion for clip in own]), guided)


def _mean_uar(judged: list[Judged], kind: str, side: Callable[[Judged], list[Part]], plain: bool = False) -> float:
    """UAR over all clips of a seed's folds, mean of the seeds."""
    uars = []
    for seed in sorted({one.seed for one in judged}):
        answers = [answer(one.space, part, kind, plain) for one in judged if one.seed == seed for part in side(one)]
        truth, logits = (np.concatenate(column) for column in zip(*answers, strict=True))
        uars.append(measure_uar(truth, logits.argmax(axis=1)))
    return float(np.mean(uars))


def fit_softness(judged: list[Judged], kind: str) -> float:
    """Return how much softer than now the logits would have to be for the networks' own temperatures, on validation."""
    ratios = []
    for one in judged:
        parts = {kind: [answer(one.space, part, kind) for part in one.validation] for kind in ("none", kind)}
        columns = [zip(*answers, strict=True) for answers in parts.values()]
        plain, heard = (fit_temperature(*reversed([np.concatenate(c) for c in pair])) for pair in columns)
        ratios.append(heard / plain)
    return float(np.exp(np.mean(np.log(ratios))))


def _measure_ece(judged: list[Judged], kind: str) -> float:
    """Calibration error over the test actors with each network's own temperature, which knows nothing of voices."""
    truths, probabilities = [], []
    for one in judged:
        plain = [answer(one.space, part, "none") for part in one.validation]
        known, logits = (np.concatenate(column) for column in zip(*plain, strict=True))
        temperature = fit_temperature(logits, known)
        for part in one.test:
            truth, heard = answer(one.space, part, kind)
            truths.append(truth)
            probabilities.append(softmax(heard, temperature))
    return measure_ece(np.concatenate(probabilities), np.concatenate(truths))


if __name__ == "__main__":
    main()
