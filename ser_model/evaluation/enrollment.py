"""How much enrollment helps with a new speaker: python -m ser_model enrollment --data DIR.

The ensembles of the Luna folds predict the clips of their test actors without enrollment, after one neutral clip, and
after eight clips (one of each emotion: statement 1, repetition 1, normal intensity). Enrolled clips are not scored.
Settings are chosen with --validation.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.calibration import fit_abstention_threshold, fit_temperature, softmax
from ser_model.cnn import load_network
from ser_model.evaluation.metrics import ABSTAIN_SHARE, measure_ece, measure_uar
from ser_model.evaluation.report import describe_origin, write_document
from ser_model.labels import EMOTIONS, Emotion, Intensity
from ser_model.speaker import SpeakerSettings, SpeakerSpace
from ser_model.training.clips import make_clips, prepare
from ser_model.training.corpora import RavdessName, load_ravdess
from ser_model.training.ensemble import NETWORKS, combine_logits, find_networks, list_ensembles
from ser_model.training.fit import predict_clips
from ser_model.training.folds import select_folds, split_clips

ENROLLED = ("one", "eight")
KINDS = ("none", *ENROLLED)
GRID = {"speaker_ratio": (1.0, 2.0, 4.0), "emotion_ratio": (0.4, 0.75, 1.5), "scale": (0.12, 0.25, 0.5)}
VALIDATION_NETWORKS = Path("runs/validation/networks")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Speaker:
    """The clips of a test actor, and the outputs of an ensemble for them."""

    actor: str  # 01 to 24
    logits: Array  # (clip, emotion)
    embedding: Array  # (clip, width)
    truth: NDArray[np.int64]  # (clip,) class index
    enrollable: NDArray[np.bool_]  # (clip,) whether it is one of the eight clips for enrollment


@dataclass(frozen=True)
class FoldModel:
    """An ensemble of one fold: the speaker space of its training actors, and its test actors."""

    fold: str
    seed: int
    space: SpeakerSpace
    speakers: list[Speaker]


@dataclass(frozen=True)
class ScoredClips:
    """The scored clips of all folds and ensembles, one row each."""

    folds: NDArray[np.str_]
    seeds: NDArray[np.int64]
    actors: NDArray[np.str_]
    truth: NDArray[np.int64]
    logits: Array

    def uar(self, fold: str | None = None) -> float:
        """Mean over the ensembles of the UAR on one fold or on all."""
        rows = np.ones(self.truth.size, bool) if fold is None else self.folds == fold
        predicted = self.logits.argmax(axis=1)
        own = [rows & (self.seeds == seed) for seed in np.unique(self.seeds)]
        return float(np.mean([measure_uar(self.truth[one], predicted[one]) for one in own]))


def main(argv: list[str]) -> int:
    """Measure how much enrollment helps with a new speaker, and calibrate the predictions for enrolled speakers."""
    parser = argparse.ArgumentParser(prog="python -m ser_model enrollment", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--networks", type=Path, metavar="DIR", help=f"of train.py --protocol luna ({NETWORKS})")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="use the networks of seeds 0 to N-1")
    parser.add_argument("--folds", nargs="+", metavar="NAME", help="only these folds (default: all five)")
    parser.add_argument("--validation", action="store_true", help="try all settings on validation actors")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: results/enrollment.json")
    arguments = parser.parse_args(argv)
    validation = arguments.validation
    networks = arguments.networks or (VALIDATION_NETWORKS if validation else NETWORKS)
    out = arguments.out or Path(f"results/enrollment{'-validation' if validation else ''}.json")
    models = list(read_folds(arguments.data, networks, arguments.seeds, validation, arguments.folds))
    report = measure_enrollment(models, validation)
    command = f"python -m ser_model enrollment --data DIR --seeds {arguments.seeds}{' --validation' * validation}"
    command += f" --folds {' '.join(arguments.folds)}" if arguments.folds else ""
    write_document(out, {"command": command, "seeds": arguments.seeds, **report})
    for kind, row in report["rows"].items():
        own = f", with its own calibration {row['enrolled']['ece']:.3f}" if "enrolled" in row else ""
        print(f"{kind:10} UAR {row['uar']:.4f}  ECE {row['ece']:.3f}{own}", file=sys.stderr)
    return 0


def measure_enrollment(models: list[FoldModel], validation: bool = False) -> dict[str, Any]:
    """Return the document of results/enrollment.json; for validation with all the settings that were tried."""
    report: dict[str, Any] = {
        "settings": asdict(SpeakerSettings()),
        "rows": {kind: measure(models, kind) for kind in KINDS},
        "calibration": fit_enrolled([score(models, kind) for kind in ENROLLED]),
        **describe_origin(("torch", "numpy")),
    }
    if validation:
        report["tried"] = try_settings(models)
    return report


def read_folds(
    data: Path, networks: Path, seeds: int, validation: bool, names: list[str] | None = None
) -> Iterable[FoldModel]:
    """Run every ensemble of the Luna folds on every speech clip, and fit the space of its training actors."""
    find_networks(networks, names[0] if names else "0", range(seeds))  # fails before clips are decoded, which is slow
    clips = make_clips(prepare(load_ravdess(data, song=False)))
    labels, actors = np.array([clip.emotion for clip in clips]), np.array([clip.speaker for clip in clips])
    row_of = {clip.file: row for row, clip in enumerate(clips)}
    enrollable = np.array([RavdessName.parse(clip.file) == RavdessName(Intensity.NORMAL, 1, 1) for clip in clips])
    for fold in select_folds(split_clips(clips, "luna", validation), names):
        folders = find_networks(networks, fold.name, range(seeds))
        own = [predict_clips(load_network(folder), clips) for folder in folders]
        train = [row_of[clip.file] for clip in fold.train]
        for number, members in enumerate(list_ensembles(seeds)):
            outputs = combine_logits([own[seed] for seed in members])
            assert outputs.embedding is not None
            emotions = tuple(map(str, EMOTIONS))
            space = SpeakerSpace.fit(outputs.embedding[train], labels[train], actors[train], emotions)
            speakers = []
            for actor in sorted({clip.speaker for clip in fold.test}):
                rows = [row_of[clip.file] for clip in fold.test if clip.speaker == actor]
                emotion, embedding = outputs.emotion[rows], outputs.embedding[rows]
                speakers.append(Speaker(actor, emotion, embedding, labels[rows], enrollable[rows]))
            yield FoldModel(fold.name, number, space, speakers)


def score(models: list[FoldModel], kind: str, adapted: bool = True) -> ScoredClips:
    """Return the logits for the clips that are scored after one kind of enrollment, adapted to the speaker or not."""
    parts = []
    for model in models:
        for speaker in model.speakers:
            enrolled = speaker.enrollable & ((speaker.truth == Emotion.NEUTRAL.class_index) | (kind == "eight"))
            enrolled = enrolled & (kind in ENROLLED)
            logits, embedding = speaker.logits[~enrolled], speaker.embedding[~enrolled]
            if enrolled.any() and adapted:
                clips = {str(EMOTIONS[speaker.truth[i]]): speaker.embedding[[i]] for i in np.flatnonzero(enrolled)}
                logits = model.space.adapt(logits, embedding, model.space.enroll(clips))
            names = (np.full(len(logits), value) for value in (model.fold, model.seed, speaker.actor))
            parts.append((*names, speaker.truth[~enrolled], logits))
    return ScoredClips(*map(np.concatenate, zip(*parts, strict=True)))


def measure(models: list[FoldModel], kind: str) -> dict[str, Any]:
    """Measure one kind of enrollment; the gain is over the same clips without it."""
    own, plain, none = score(models, kind), score(models, kind, adapted=False), score(models, "none")
    folds = [str(fold) for fold in np.unique(own.folds)]
    temperature = np.zeros(own.truth.size)  # the one without enrollment, fitted on the other folds
    for fold in folds:
        others = none.folds != fold
        temperature[own.folds == fold] = fit_temperature(none.logits[others], none.truth[others])
    row = {
        "uar": own.uar(),
        "gain": own.uar() - plain.uar(),
        "gain_by_fold": {fold: own.uar(fold) - plain.uar(fold) for fold in folds},
        "ece": measure_ece(softmax(own.logits, temperature[:, None]), own.truth),
    }
    return row | ({"enrolled": measure_enrolled(models, own)} if kind in ENROLLED else {})


def fit_enrolled(answers: list[ScoredClips], held_out_actor: str | None = None) -> dict[str, float]:
    """Fit the fields of Calibration for enrolled speakers to the clips of all actors but one."""
    kept = [(one, one.actors != held_out_actor) for one in answers]
    logits, truth = (np.concatenate([getattr(one, name)[rows] for one, rows in kept]) for name in ("logits", "truth"))
    temperature = fit_temperature(logits, truth)
    threshold = fit_abstention_threshold(softmax(logits, temperature), ABSTAIN_SHARE)
    return {"enrolled_temperature": temperature, "enrolled_abstention_threshold": threshold}


def measure_enrolled(models: list[FoldModel], scored: ScoredClips) -> dict[str, float]:
    """Measure predictions whose calibration, for each actor, was fitted to the other enrolled actors."""
    answers = [score(models, kind) for kind in ENROLLED]
    fitted = {actor: fit_enrolled(answers, actor) for actor in np.unique(scored.actors).tolist()}
    temperature, threshold = (
        np.array([fitted[actor][name] for actor in scored.actors.tolist()])
        for name in ("enrolled_temperature", "enrolled_abstention_threshold")
    )
    probabilities = softmax(scored.logits, temperature[:, None])
    sure = probabilities.max(axis=1) >= threshold
    correct = probabilities.argmax(axis=1) == scored.truth
    return {
        "ece": measure_ece(probabilities, scored.truth),
        "coverage": float(sure.mean()),
        "accuracy_when_sure": float(correct[sure].mean()),
    }


def try_settings(models: list[FoldModel]) -> list[dict[str, Any]]:
    """Measure every combination of GRID, the best first by the mean UAR of both kinds of enrollment."""
    rows = []
    for values in itertools.product(*GRID.values()):
        settings = SpeakerSettings(**dict(zip(GRID, values, strict=True)))
        changed = [replace(model, space=replace(model.space, settings=settings)) for model in models]
        rows.append(asdict(settings) | {kind: score(changed, kind).uar() for kind in ENROLLED})
    return sorted(rows, key=lambda row: -(row["one"] + row["eight"]))
