"""What a learned voice is worth to a new speaker: python -m ser_model.evaluation.baseline --data DIR.

Networks of the Luna folds score their test actors with nothing known of the speaker, after one neutral clip, after
eight guided clips (one of each emotion: statement 1, repetition 1, normal intensity), and with the speaker's own clips
at hand without labels (transductive). Clips that a voice was learned from are not scored. The settings are chosen with
--choosing, on validation actors and networks of train.py --choosing.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.audio import AudioError
from ser_model.calibrate import fit_temperature, softmax
from ser_model.cnn import WeightsError, load_network
from ser_model.evaluation.metrics import measure_ece, measure_uar
from ser_model.evaluation.networks import CHOOSING, NETWORKS, find_networks
from ser_model.evaluation.origin import describe_origin, write_document
from ser_model.files import WEIGHTS_NAME
from ser_model.labels import EMOTIONS
from ser_model.speaker import SpeakerSettings, SpeakerSpace
from ser_model.training.arguments import count
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import score_clips
from ser_model.training.folds import split_clips
from ser_model.training.joined import list_models
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
    """A fold of one seed: the space of its training actors, and a Part for each actor that is scored."""

    fold: str
    seed: int
    space: SpeakerSpace
    parts: list[Part]

    def with_settings(self, settings: SpeakerSettings) -> Judged:
        """Return the same with other settings."""
        return replace(self, space=replace(self.space, settings=settings))


Answers = tuple[NDArray[np.int64], Array]  # (clip,) truth and (clip, 8) logits of what was scored


def main(argv: list[str] | None = None) -> int:
    """Measure every kind of knowledge, and write the table; 2 means bad input, said in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--networks", type=Path, metavar="DIR", help=f"usually {NETWORKS}, with --choosing {CHOOSING}")
    parser.add_argument("--seeds", type=count, default=1, metavar="N", help="of the networks, from 0 on")
    parser.add_argument("--choosing", action="store_true", help="try every setting, on validation actors")
    parser.add_argument("--out", type=Path, default=Path("results/baseline.json"), metavar="FILE")
    arguments = parser.parse_args(argv)
    try:
        networks = arguments.networks or (CHOOSING if arguments.choosing else NETWORKS)
        judged = list(read_folds(arguments.data, networks, arguments.seeds, arguments.choosing))
        report = summarise(judged, arguments.seeds, arguments.choosing)
        write_document(arguments.out, report)
    except (AudioError, WeightsError, OSError, ValueError) as error:
        print(f"ser_model: {error}", file=sys.stderr)
        return 2
    for kind, row in report["rows"].items():
        print(f"{kind:10} UAR {row['uar']:.4f}  ECE {row['ece']:.3f}")
    return 0


def summarise(judged: list[Judged], seeds: int, choosing: bool) -> dict[str, Any]:
    """Return the document of results/baseline.json, or with choosing that of results/baseline-choosing.json."""
    flag = " --choosing" if choosing else ""
    report = {
        "command": f"python -m ser_model.evaluation.baseline --data DIR --seeds {seeds}{flag}",
        "seeds": seeds,
        "settings": asdict(SpeakerSettings()),
        "rows": {kind: measure(judged, kind) for kind in KINDS},
        **describe_origin(("torch", "numpy")),
    }
    if choosing:
        report["softness"] = {kind: fit_softness(judged, kind) for kind in KINDS if kind != "none"}
        report["tried"] = try_settings(judged)
    return report


def read_folds(data: Path, networks: Path, seeds: int, choosing: bool) -> Iterable[Judged]:
    """Score every spoken clip with every model of the Luna folds, and fit the space of its training actors."""
    find_networks(networks, "0", range(seeds))  # before the clips are heard, which takes longer
    clips = prepare_clips(load_ravdess(data, ("speech",)))
    labels, actors = np.array([clip.emotion for clip in clips]), np.array([clip.actor for clip in clips])
    place = {clip.file: row for row, clip in enumerate(clips)}
    for (number, model), fold in itertools.product(enumerate(list_models(seeds)), split_clips(clips, "luna", choosing)):
        heard = [score_once(folder, clips) for folder in find_networks(networks, fold.name, model)]
        logits = np.sum([one for one, _ in heard], axis=0)
        embedding = np.concatenate([other for _, other in heard], axis=1)
        train = np.array([place[clip.file] for clip in fold.train])
        space = SpeakerSpace.fit(embedding[train], labels[train], actors[train], tuple(map(str, EMOTIONS)))
        actors_scored = sorted({clip.actor for clip in fold.test})
        parts = [_take(fold.test, place, actor, logits, embedding) for actor in actors_scored]
        yield Judged(fold.name, number, space, parts)


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
    """Measure every combination of GRID, the best first by the mean of the three ways to learn."""
    rows = []
    for values in itertools.product(*GRID.values()):
        settings = SpeakerSettings(**dict(zip(GRID, values, strict=True)))
        changed = [one.with_settings(settings) for one in judged]
        kinds = [kind for kind in KINDS if kind != "none"]
        uars = {kind: _mean_uar(changed, kind) for kind in kinds}
        rows.append(asdict(settings) | uars)
    return sorted(rows, key=lambda row: -(row["one"] + row["eight"] + row["unlabelled"]))


def measure(judged: list[Judged], kind: str) -> dict[str, Any]:
    """Measure one kind of knowledge; the gain is over hearing the same clips with nothing known of the speaker."""
    folds = sorted({one.fold for one in judged})
    by_fold = {fold: [one for one in judged if one.fold == fold] for fold in folds}
    uars = {fold: _mean_uar(own, kind) for fold, own in by_fold.items()}
    uar = _mean_uar(judged, kind)
    return {
        "uar": uar,
        "gain": uar - _mean_uar(judged, kind, plain=True),
        "uar_by_fold": uars,
        "gain_by_fold": {fold: uars[fold] - _mean_uar(own, kind, plain=True) for fold, own in by_fold.items()},
        "ece": _measure_ece(judged, kind),
    }


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


def _mean_uar(judged: list[Judged], kind: str, plain: bool = False) -> float:
    """UAR over all clips of a seed's folds, mean of the seeds."""
    uars = []
    for seed in sorted({one.seed for one in judged}):
        answers = [answer(one.space, part, kind, plain) for one in judged if one.seed == seed for part in one.parts]
        truth, logits = (np.concatenate(column) for column in zip(*answers, strict=True))
        uars.append(measure_uar(truth, logits.argmax(axis=1)))
    return float(np.mean(uars))


def fit_softness(judged: list[Judged], kind: str) -> float:
    """Return how much softer than now the logits would have to be for the networks' own temperatures."""
    ratios = []
    for one in judged:
        parts = {kind: [answer(one.space, part, kind) for part in one.parts] for kind in ("none", kind)}
        columns = [zip(*answers, strict=True) for answers in parts.values()]
        plain, heard = (fit_temperature(*reversed([np.concatenate(c) for c in pair])) for pair in columns)
        ratios.append(heard / plain)
    return float(np.exp(np.mean(np.log(ratios))))


def _measure_ece(judged: list[Judged], kind: str) -> float:
    """Calibration error with the temperature of the other folds' plain answers, which knows nothing of voices."""
    truths, probabilities = [], []
    for one in judged:
        plain = [answer(o.space, part, "none") for o in judged if o.fold != one.fold for part in o.parts]
        known, logits = (np.concatenate(column) for column in zip(*plain, strict=True))
        temperature = fit_temperature(logits, known)
        for part in one.parts:
            truth, heard = answer(one.space, part, kind)
            truths.append(truth)
            probabilities.append(softmax(heard, temperature))
    return measure_ece(np.concatenate(probabilities), np.concatenate(truths))


if __name__ == "__main__":
    sys.exit(main())
