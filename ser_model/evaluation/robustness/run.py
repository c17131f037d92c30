"""The robustness suite: python -m ser_model robustness. Each clip is predicted by networks not trained on its actor.

Recordings go the whole way from the bytes of a file to the answer, as in the product.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from ser_model.audio import AudioError, AudioSource, Waveform, load_audio
from ser_model.batch import default_jobs
from ser_model.calibration import Calibration
from ser_model.cnn import weights_id
from ser_model.evaluation.metrics import Predictions, calibrate_folds, fit_calibration, measure_uar
from ser_model.evaluation.report import describe_origin, write_document
from ser_model.evaluation.robustness.changes import CHECKS, CLEAN, Check, Recording, write_wav
from ser_model.evaluation.robustness.report import check_bars, check_calibration, check_fairness, draw_robustness
from ser_model.evaluation.robustness.sounds import LENGTHS_S, NON_SPEECH, make_sound
from ser_model.files import atomic_folder
from ser_model.frontend import SAMPLE_RATE
from ser_model.labels import EMOTIONS
from ser_model.recognize import WEIGHTS, EmotionRecognizer
from ser_model.training.clips import list_speech, make_clips, prepare
from ser_model.training.corpora import load_ravdess
from ser_model.training.ensemble import NETWORKS, FoldLogits, find_networks, load_ensemble
from ser_model.training.fit import predict_clips
from ser_model.training.folds import split_clips
from ser_model.vad import SpeechDetector

GROUPS = (*dict.fromkeys(check.group for check in CHECKS), "product", "fairness", "calibration")
JOB_BYTES = 1024**3  # memory of a process
NUM_OTHERS = 40  # clips of training actors from which babble is made
VARIANTS = 10  # of each kind of sound that is not speech
REFUSED = -1  # the answer to a recording that raises an AudioError; never right
BRIEF_S, LONG_S = (0.1, 0.2, 0.3, 0.4, 0.49), 30
TOLERANCE = 1e-6

Row = dict[str, Any]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Actor:
    """The test clips of an actor, and the ensemble that was not trained on them.

    Attributes:
        networks: Folders of the members.
        calibration: Fitted to the other actors.
        files: Names of the clips.
        sources: Their paths or bytes.
        truth: Class index of each.
        others: Speech of training actors, for babble.
    """

    networks: tuple[Path, ...]
    calibration: Calibration
    files: tuple[str, ...]
    sources: tuple[AudioSource, ...]
    truth: tuple[int, ...]
    others: tuple[Waveform, ...]

    def load(self) -> EmotionRecognizer:
        """Load the ensemble with its calibration."""
        return EmotionRecognizer(load_ensemble(self.networks), self.calibration)


@dataclass(frozen=True)
class Answers:
    """The answers to the clips of some actors: class indices or REFUSED, by the name of the check.

    Attributes:
        truth: (clip,) acted emotion.
        predicted: (clip,) for each check.
        brief_refused: (clip,) whether less than half a second of it was refused.
        long_averaged: (actor,) whether half a minute of clips was answered with the mean of its windows.
    """

    truth: Ints
    predicted: dict[str, Ints]
    brief_refused: tuple[bool, ...]
    long_averaged: tuple[bool, ...]


def main(argv: list[str]) -> int:
    """Measure how changes of a recording change the answer, and draw the figure beside the JSON file."""
    parser = argparse.ArgumentParser(prog="python -m ser_model robustness", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON file")
    parser.add_argument("--networks", type=Path, default=NETWORKS, metavar="DIR", help=f"default: {NETWORKS}")
    parser.add_argument("--only", nargs="+", default=GROUPS, metavar="GROUP", help="only these groups of checks")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], metavar="N", help="of the ensemble's networks")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes side by side (default: by cores and memory)")
    parser.add_argument("--limit", type=int, metavar="N", help="only N clips of each actor")
    parser.add_argument("--variants", type=int, default=VARIANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    unknown = [group for group in arguments.only if group not in GROUPS]
    if unknown:
        raise ValueError(f"There is no group {unknown[0]}. Choose from {', '.join(GROUPS)}.")
    arguments.jobs = arguments.jobs or default_jobs(JOB_BYTES)
    report = measure_robustness(arguments)
    write_document(arguments.out, report)
    with atomic_folder(arguments.out.parent) as tmp:
        draw_robustness(report).savefig(tmp / arguments.out.with_suffix(".png").name, dpi=110)
    for bar in report["bars"].values():
        holds = "holds" if bar["holds"] else "does not hold"
        print(f"{bar['what']}: {bar['value']:.3f}, bar {bar['bar']}: {holds}", file=sys.stderr)
    return 0


def measure_robustness(settings: argparse.Namespace) -> dict[str, Any]:
    """Run the suite on the speech of RAVDESS.

    Args:
        settings: The options of main.

    Raises:
        ValueError: Networks are missing.

    Returns:
        The document of results/robustness.json: every row, the checks passed by group, and the bars.
    """
    corpus = load_ravdess(settings.data, song=False)
    sources = {row["file"]: row["audio"]["bytes"] or row["audio"]["path"] for row in corpus}
    folds = [fold for fold in split_clips(make_clips(prepare(corpus)), "luna") if fold.test]
    folders = {fold.name: find_networks(settings.networks, fold.name, settings.seeds) for fold in folds}
    logits = [FoldLogits(fold, 0, predict_clips(load_ensemble(folders[fold.name]), fold.test)) for fold in folds]
    actors = [actor for one in logits for actor in list_actors(one, logits, folders[one.fold.name], sources, settings)]
    checks = [check for check in CHECKS if check.group in settings.only]
    answers = _predict(actors, checks, settings)
    clean = answers.predicted[CLEAN.name]
    rows = [_check(check, answers) for check in checks]
    if "product" in settings.only:
        rows += _check_product(actors, answers, settings)
    predictions = calibrate_folds(logits)
    if "fairness" in settings.only:
        speech: dict[str, list[Waveform]] = {}
        for clip in (clip for fold in folds for clip in fold.test):
            speech.setdefault(clip.speaker, []).append(clip.speech)
        pitches = _spread(mean_pitch, [(own,) for own in speech.values()], settings.jobs, "pitch")
        rows += check_fairness(predictions, dict(zip(speech, pitches, strict=True)))
    if "calibration" in settings.only:
        rows += check_calibration(predictions)
    groups = {name: [row for row in rows if row["group"] == name] for name in settings.only}
    return {
        "command": _describe_command(settings),
        "clips": int(answers.truth.size),
        "seeds": settings.seeds,
        "weights_id": weights_id(WEIGHTS),  # of the product cases; the others are of the networks of the folds
        "clean_uar": measure_uar(answers.truth, clean),
        "clean_as_in_the_folds": _share_as_in_folds(actors, clean, predictions),
        "signal_to_noise": "relative to the RMS of the speech; ser-tests takes the whole recording, some 3 dB easier",
        "bars": check_bars(rows),
        "groups": {
            name: {
                "checks": len(own),
                "passed": sum(row["pass"] for row in own),
                "random_rater_passed": sum(row["random_rater"]["pass"] for row in own),
            }
            for name, own in groups.items()
            if own
        },
        "rows": rows,
        **describe_origin(("torch", "silero-vad")),
    }


def list_actors(
    one: FoldLogits,
    folds: list[FoldLogits],
    networks: tuple[Path, ...],
    sources: dict[str, Any],
    settings: argparse.Namespace,
) -> list[Actor]:
    """List the test actors of a fold, with the calibration that was fitted to the others in all folds."""
    rng = np.random.default_rng(0)
    speech = [clip.speech for clip in list_speech(one.fold.train)]
    others = tuple(speech[i] for i in rng.permutation(len(speech))[:NUM_OTHERS])
    actors = []
    for number in sorted({clip.speaker for clip in one.fold.test}):
        clips = [clip for clip in one.fold.test if clip.speaker == number]
        if settings.limit:  # spread over the emotions, by which they are sorted
            clips = [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, settings.limit).astype(int))]
        calibration = Calibration.from_config(fit_calibration(folds, number))
        files, truth = tuple(clip.file for clip in clips), tuple(clip.emotion for clip in clips)
        actors.append(Actor(networks, calibration, files, tuple(sources[file] for file in files), truth, others))
    return actors


def predict_actor(actor: Actor, checks: Sequence[Check], with_product: bool) -> Answers:
    """Predict every recording of an actor as it is and after every change."""
    recognizer, detector = actor.load(), SpeechDetector()
    predicted: dict[str, list[int]] = {check.name: [] for check in (CLEAN, *checks)}
    brief_refused, long_averaged = [], []
    waveforms = [load_audio(source) for source in actor.sources]
    for file, waveform in zip(actor.files, waveforms, strict=True):
        first, last = 0, waveform.size
        try:
            span = detector.detect(waveform)
            first, last = round(span.start_s * SAMPLE_RATE), round(span.end_s * SAMPLE_RATE)
        except AudioError:  # all of it counts as speech
            pass
        recording = Recording(waveform, (first, last), actor.others)
        for check in (CLEAN, *checks):
            changed = check.change(recording, make_rng(check.name, file))
            predicted[check.name].append(_answer(recognizer, check.write(changed)))
        if with_product:
            rng = make_rng("brief", file)
            start = rng.integers(first, max(last - SAMPLE_RATE // 2, first + 1))
            part = waveform[start : start + round(rng.choice(BRIEF_S) * SAMPLE_RATE)]
            brief_refused.append(_answer(recognizer, write_wav()(part)) == REFUSED)
    if with_product:
        long = np.resize(np.concatenate(waveforms), LONG_S * SAMPLE_RATE)
        prediction = recognizer.recognize(write_wav()(long))
        windows = np.array([list(segment.probabilities.values()) for segment in prediction.timeline])
        differences = windows.mean(axis=0) - list(prediction.probabilities.values())
        long_averaged.append(len(windows) > 1 and bool(np.abs(differences).max() < TOLERANCE))
    arrays = {name: np.array(given) for name, given in predicted.items()}
    return Answers(np.array(actor.truth), arrays, tuple(brief_refused), tuple(long_averaged))


def predict_sounds(kind: str, actors: list[Actor], variants: int) -> Row:
    """Give variants of a sound that is not speech to every ensemble and to the shipped weights.

    Returns:
        A row of the report: how often it was refused, answered with "not sure", and answered.
    """
    recognizers = [*(actor.load() for actor in actors), EmotionRecognizer.load()]
    counts = Counter({"refused": 0, "not sure": 0, "answered": 0})
    for variant in range(variants):
        data = write_wav()(make_sound(kind, make_rng(kind, str(variant))))
        try:
            counts.update("answered" if one.recognize(data).sure else "not sure" for one in recognizers)
        except AudioError:  # all share the detector that refuses
            counts["refused"] += len(recognizers)
    parameters = f"{variants} synthetic ones of {LENGTHS_S[0]} to {LENGTHS_S[1]} s, {len(recognizers)} models"
    answered = [False] * (counts["refused"] + counts["not sure"]) + [True] * counts["answered"]
    return _product_row(kind, parameters, [not one for one in answered]) | {"counts": dict(counts)}


def make_rng(*names: str) -> np.random.Generator:
    """Return random numbers that depend on these names only, not on what ran before."""
    return np.random.default_rng([zlib.crc32(name.encode()) for name in names])


def mean_pitch(clips: Sequence[Waveform]) -> float:
    """Return the mean over clips of the median pitch (YIN) of their loud frames in Hz, as in ser-tests."""
    import librosa  # noqa: PLC0415 - only fairness needs it

    medians = []
    for waveform in clips:
        pitch_hz = librosa.yin(waveform, fmin=60, fmax=350, sr=SAMPLE_RATE, hop_length=256)
        level = librosa.feature.rms(y=waveform, hop_length=256)[0]
        medians.append(float(np.median(pitch_hz[level[: pitch_hz.size] > 0.2 * level.max()])))
    return float(np.mean(medians))


def _predict(actors: list[Actor], checks: list[Check], settings: argparse.Namespace) -> Answers:
    with_product = "product" in settings.only
    parts = _spread(predict_actor, [(actor, checks, with_product) for actor in actors], settings.jobs, "actors")
    return Answers(
        np.concatenate([part.truth for part in parts]),
        {check.name: np.concatenate([part.predicted[check.name] for part in parts]) for check in (CLEAN, *checks)},
        tuple(passed for part in parts for passed in part.brief_refused),
        tuple(passed for part in parts for passed in part.long_averaged),
    )


def _answer(recognizer: EmotionRecognizer, data: bytes) -> int:
    try:
        return int(np.argmax(list(recognizer.recognize(data).probabilities.values())))
    except AudioError:
        return REFUSED


def _check(check: Check, answers: Answers) -> Row:
    """Compare the answers to the changed recordings with those to the clean ones, and with those of a random rater."""
    clean, changed = answers.predicted[CLEAN.name], answers.predicted[check.name]
    rng = np.random.default_rng(0)
    random = [rng.integers(0, len(EMOTIONS), clean.size) for _ in range(2)]
    return {
        "group": check.group,
        "name": check.name,
        "parameters": check.parameters,
        **_compare(check, answers.truth, clean, changed),
        "clean_uar": measure_uar(answers.truth, clean),
        "uar": measure_uar(answers.truth, changed),
        "refused": int((changed == REFUSED).sum()),
        "threshold": {"unchanged": check.unchanged, "uar_change": check.uar_change},
        "random_rater": _compare(check, answers.truth, *random),
    }


def _compare(check: Check, truth: Ints, clean: Ints, changed: Ints) -> Row:
    unchanged = float((clean == changed).mean())
    uar_change = measure_uar(truth, changed) - measure_uar(truth, clean)
    passed = unchanged > check.unchanged and (check.uar_change is None or uar_change > check.uar_change)
    return {"unchanged": unchanged, "uar_change": uar_change, "pass": bool(passed)}


def _check_product(actors: list[Actor], answers: Answers, settings: argparse.Namespace) -> list[Row]:
    models = list({actor.networks: actor for actor in actors}.values())
    answered = (answers.predicted[CLEAN.name] != REFUSED).tolist()
    tasks = [(kind, models, settings.variants) for kind in NON_SPEECH]
    return [
        *_spread(predict_sounds, tasks, settings.jobs, "sounds"),
        _product_row("under half a second", "0.1 to 0.49 s of every clip is refused", list(answers.brief_refused)),
        _product_row("half a minute", "30 s of an actor: the mean of several windows", list(answers.long_averaged)),
        _product_row("every clip", "no clip of the corpus is refused", answered),
    ]


def _product_row(name: str, parameters: str, passed: list[bool]) -> Row:
    """Return the row of a case that must hold every time."""
    row = {"group": "product", "name": name, "parameters": parameters, "share": float(np.mean(passed))}
    return row | {"threshold": {"share": 1.0}, "pass": all(passed), "random_rater": {"share": 0.0, "pass": False}}


def _share_as_in_folds(actors: list[Actor], clean: Ints, predictions: Predictions) -> float:
    """Return the share of clean files that get the answer of the folds, which predict the span of speech alone."""
    known = dict(zip(predictions.files.tolist(), predictions.predicted.tolist(), strict=True))
    return float((clean == [known[file] for actor in actors for file in actor.files]).mean())


def _spread(function: Callable[..., Any], tasks: list[tuple[Any, ...]], jobs: int, unit: str) -> list[Any]:
    """Run tasks side by side with a progress bar; the results have their order."""
    running = Parallel(n_jobs=jobs, return_as="generator")(delayed(function)(*task) for task in tasks)
    return list(tqdm(running, total=len(tasks), desc=unit, file=sys.stderr))


def _describe_command(settings: argparse.Namespace) -> str:
    """Return the command line that makes the same figures, with DIR for the corpus."""
    words = ["python -m ser_model robustness --data DIR --out results/robustness.json"]
    words += [f"--only {' '.join(settings.only)}"] if tuple(settings.only) != GROUPS else []
    words += [] if settings.seeds == [0, 1] else [f"--seeds {' '.join(map(str, settings.seeds))}"]
    words += [f"--limit {settings.limit}"] if settings.limit else []
    return " ".join(words)
