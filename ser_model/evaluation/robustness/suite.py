"""The whole suite: python -m ser_model robustness. Every clip is heard by the network that never heard its actor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import recall_score
from tqdm import tqdm

from ser_model.audio import Waveform
from ser_model.calibrate import Calibration
from ser_model.evaluation.judge import Outcome, calibrate, judge
from ser_model.evaluation.metrics import Scored
from ser_model.evaluation.networks import find_networks, load_joined
from ser_model.evaluation.origin import describe_origin
from ser_model.evaluation.robustness.checks import CHECKS, CLEAN, Check
from ser_model.evaluation.robustness.fairness import judge_calibration, judge_fairness
from ser_model.evaluation.robustness.listen import REFUSED, Actor, Heard, hear_actor
from ser_model.evaluation.robustness.pitch import measure_pitch
from ser_model.evaluation.robustness.product import KINDS, hear_sounds, make_row
from ser_model.labels import EMOTIONS
from ser_model.training.clips import prepare_clips
from ser_model.training.fit import score_clips
from ser_model.training.folds import Fold, split_clips
from ser_model.training.ravdess import load_ravdess

GROUPS = (*dict.fromkeys(check.group for check in CHECKS), "product", "fairness", "calibration")
CROWD = 40  # clips of training actors from which babble is made
VARIANTS = 10  # of each kind of sound that is no speech
SMALL_SHARE, CODEC_UNCHANGED, WHITE_LOSS = 0.8, 0.90, 0.05

Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What is run.

    Attributes:
        groups: Which of GROUPS.
        seeds: Of the networks that are heard as one model.
        jobs: Processes side by side.
        limit: At most so many clips of each actor.
    """

    groups: tuple[str, ...] = GROUPS
    seeds: tuple[int, ...] = (0, 1)
    jobs: int = 2
    limit: int | None = None


def measure_robustness(data: Path, networks: Path, settings: Settings) -> dict[str, Any]:
    """Run the suite on the speech clips.

    Args:
        data: Folder with RAVDESS.
        networks: Folder in which train.py --protocol luna left its networks.
        settings: What is run.

    Raises:
        ValueError: The networks are missing.

    Returns:
        The document of results/robustness.json: every row, the share of checks passed by group, and the bars.
    """
    corpus = load_ravdess(data, ("speech",))
    folds = [fold for fold in split_clips(prepare_clips(corpus), "luna") if fold.test]
    sources = {row["file"]: row["audio"]["bytes"] or row["audio"]["path"] for row in corpus}
    outcomes = [_score(fold, find_networks(networks, fold.name, settings.seeds)) for fold in folds]
    checks = [check for check in CHECKS if check.group in settings.groups]
    actors = [actor for outcome in outcomes for actor in _list_actors(outcome, outcomes, networks, sources, settings)]
    heard = _hear(actors, checks, settings)
    rows = [_judge(check, heard) for check in checks]
    if "product" in settings.groups:
        rows += _judge_product(actors, heard, settings)
    scored = judge(outcomes)
    if "fairness" in settings.groups:
        rows += judge_fairness(scored, _measure_pitches(outcomes, settings))
    if "calibration" in settings.groups:
        rows += judge_calibration(scored)
    return _report(rows, heard, settings) | {"clean_as_in_the_folds": _compare_with_folds(actors, heard, scored)}


def _compare_with_folds(actors: list[Actor], heard: Heard, scored: Scored) -> float:
    """Return the share of clean answers, heard from the file on, that are those of the folds, heard span by span."""
    known = dict(zip(scored.files.tolist(), scored.probabilities.argmax(axis=1).tolist(), strict=True))
    expected = [known[file] for actor in actors for file in actor.files]
    return float((heard.answers[CLEAN.name] == expected).mean())


def _score(fold: Fold, folders: Sequence[Path]) -> Outcome:
    return Outcome(fold, 0, score_clips(load_joined(folders), fold.test))


def _list_actors(
    outcome: Outcome, outcomes: list[Outcome], networks: Path, sources: dict[str, Any], settings: Settings
) -> Iterable[Actor]:
    fold = outcome.fold
    rng = np.random.default_rng(0)
    speech = [clip.speech for clip in fold.train if not clip.is_song]
    crowd = tuple(speech[i] for i in rng.permutation(len(speech))[:CROWD])
    for number in sorted({clip.actor for clip in fold.test}):
        clips = [clip for clip in fold.test if clip.actor == number]
        if settings.limit:  # spread over the emotions, which the names are sorted by
            clips = [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, settings.limit).astype(int))]
        yield Actor(
            number,
            find_networks(networks, fold.name, settings.seeds),
            Calibration.from_config(calibrate(outcomes, number)),
            tuple(clip.file for clip in clips),
            tuple(sources[clip.file] for clip in clips),
            tuple(clip.emotion for clip in clips),
            crowd,
        )


def _hear(actors: list[Actor], checks: list[Check], settings: Settings) -> Heard:
    """Hear all actors, and put together what was heard."""
    with_product = "product" in settings.groups
    parts = _spread(hear_actor, [(actor, checks, with_product) for actor in actors], settings.jobs, "actors")
    return Heard(
        np.concatenate([part.truth for part in parts]),
        {check.name: np.concatenate([part.answers[check.name] for part in parts]) for check in (CLEAN, *checks)},
        tuple(held for part in parts for held in part.brief_refused),
        tuple(held for part in parts for held in part.long_averaged),
    )


def _judge(check: Check, heard: Heard) -> Row:
    """Compare the answers to the changed recordings with those to the clean ones, and with a random rater's."""
    clean, changed = heard.answers[CLEAN.name], heard.answers[check.name]
    rng = np.random.default_rng(0)
    random = [rng.integers(0, len(EMOTIONS), clean.size) for _ in range(2)]
    return {
        "group": check.group,
        "name": check.name,
        "parameters": check.parameters,
        **_compare(check, heard.truth, clean, changed),
        "clean_uar": _measure_uar(heard.truth, clean),
        "uar": _measure_uar(heard.truth, changed),
        "refused": int((changed == REFUSED).sum()),
        "threshold": {"unchanged": check.unchanged, "uar_change": check.uar_change},
        "random_rater": _compare(check, heard.truth, *random),
    }


def _compare(check: Check, truth: np.ndarray, clean: np.ndarray, changed: np.ndarray) -> Row:
    unchanged = float((clean == changed).mean())
    uar_change = _measure_uar(truth, changed) - _measure_uar(truth, clean)
    passed = unchanged > check.unchanged and (check.uar_change is None or uar_change > check.uar_change)
    return {"unchanged": unchanged, "uar_change": uar_change, "pass": bool(passed)}


def _measure_uar(truth: np.ndarray, guess: np.ndarray) -> float:
    """Mean of the recalls of the emotions that occur; unlike balanced_accuracy_score it bears answers that do not."""
    return float(recall_score(truth, guess, labels=np.unique(truth), average="macro", zero_division=0))


def _judge_product(actors: list[Actor], heard: Heard, settings: Settings) -> list[Row]:
    models = list({actor.networks: (actor.networks, actor.calibration) for actor in actors}.values())
    answered = (heard.answers[CLEAN.name] != REFUSED).tolist()
    return [
        *_spread(hear_sounds, [(kind, models, VARIANTS) for kind in KINDS], settings.jobs, "sounds"),
        make_row("under half a second", "0.1 to 0.49 s out of every clip is refused", list(heard.brief_refused)),
        make_row("half a minute", "30 s of an actor: several windows, and their mean", list(heard.long_averaged)),
        make_row("every clip", "no clip of the corpus is refused", answered),
    ]


def _measure_pitches(outcomes: list[Outcome], settings: Settings) -> dict[int, float]:
    spoken: dict[int, list[Waveform]] = {}
    for clip in (clip for outcome in outcomes for clip in outcome.fold.test):
        spoken.setdefault(clip.actor, []).append(clip.speech)
    tasks = [(waveforms,) for waveforms in spoken.values()]
    return dict(zip(spoken, _spread(measure_pitch, tasks, settings.jobs, "pitch"), strict=True))


def _spread(function: Callable[..., Any], tasks: list[tuple[Any, ...]], jobs: int, what: str) -> list[Any]:
    """Run tasks side by side, with a progress bar on standard error; results in the order of the tasks."""
    running = Parallel(n_jobs=jobs, return_as="generator")(delayed(function)(*task) for task in tasks)
    return list(tqdm(running, total=len(tasks), desc=what, file=sys.stderr))


def _report(rows: list[Row], heard: Heard, settings: Settings) -> dict[str, Any]:
    groups = {
        group: {
            "checks": len(own),
            "passed": sum(row["pass"] for row in own),
            "random_rater_passed": sum(row["random_rater"]["pass"] for row in own),
        }
        for group in settings.groups
        if (own := [row for row in rows if row["group"] == group])
    }
    return {
        "command": _describe_command(settings),
        "clips": int(heard.truth.size),
        "seeds": list(settings.seeds),
        "clean_uar": _measure_uar(heard.truth, heard.answers[CLEAN.name]),
        "signal_to_noise": "against the RMS of the speech alone; ser-tests takes the whole recording, some 3 dB easier",
        "bars": _judge_bars(rows),
        "groups": groups,
        "rows": rows,
        **describe_origin(("torch", "silero-vad")),
    }


def _describe_command(settings: Settings) -> str:
    """Write the command line that makes the same figures, with DIR for the corpus."""
    words = ["python -m ser_model robustness --data DIR --out results/robustness.json"]
    words += [f"--only {' '.join(settings.groups)}"] if settings.groups != GROUPS else []
    words += [] if settings.seeds == Settings.seeds else [f"--seeds {' '.join(map(str, settings.seeds))}"]
    words += [f"--limit {settings.limit}"] if settings.limit else []
    return " ".join(words)


def _judge_bars(rows: list[Row]) -> dict[str, Row]:
    """Say which bars of the project hold, of those whose rows were run."""
    by_group: dict[str, list[Row]] = {}
    for row in rows:
        by_group.setdefault(row["group"], []).append(row)
    white = [row for row in rows if row["name"] == "white noise 20 dB"]
    bars: dict[str, tuple[str, list[Row], Callable[[list[Row]], float], float]] = {
        "small": ("share of the small changes passed", by_group.get("small", []), _share_passed, SMALL_SHARE),
        "codec": ("least unchanged of the codecs", by_group.get("codec", []), _least_unchanged, CODEC_UNCHANGED),
        "white": ("UAR change by white noise at 20 dB", white, lambda own: own[0]["uar_change"], -WHITE_LOSS),
        "product": ("share of the product cases passed", by_group.get("product", []), _share_passed, 1.0),
    }
    return {
        name: {"what": what, "value": value, "bar": bar, "holds": value > bar if name == "codec" else value >= bar}
        for name, (what, own, measure, bar) in bars.items()
        if own and (value := measure(own)) is not None
    }


def _share_passed(rows: list[Row]) -> float:
    return float(np.mean([row["pass"] for row in rows]))


def _least_unchanged(rows: list[Row]) -> float:
    return min(float(row["unchanged"]) for row in rows)
