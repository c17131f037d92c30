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
from ser_model.evaluation.metrics import calibrate_folds, fit_calibration, measure_uar
from ser_model.evaluation.report import describe_origin, write_document
from ser_model.evaluation.robustness.changes import CHECKS, CLEAN, Check, Recording, encode
from ser_model.evaluation.robustness.report import check_bars, check_calibration, check_fairness
from ser_model.evaluation.robustness.sounds import LENGTHS_S, NON_SPEECH, make_sound
from ser_model.frontend import SAMPLE_RATE
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
BRIEF, LONG = "under half a second", "half a minute"
PRODUCT = {BRIEF: "0.1 to 0.49 s of every clip is refused", LONG: "30 s of an actor: the mean of several windows"}
TOLERANCE = 1e-6

Row = dict[str, Any]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Actor:
    """The test clips of an actor, and the ensemble that was not trained on them."""

    networks: tuple[Path, ...]  # folders of the members
    calibration: Calibration  # fitted to the other actors
    files: tuple[str, ...]  # names of the clips
    sources: tuple[AudioSource, ...]
    truth: tuple[int, ...]  # class index of each
    others: tuple[Waveform, ...]  # speech of training actors, for babble

    def load(self) -> EmotionRecognizer:
        """Load the ensemble with its calibration."""
        return EmotionRecognizer(load_ensemble(self.networks), self.calibration)


def main(argv: list[str]) -> int:
    """Measure how changes of a recording change the answer."""
    parser = argparse.ArgumentParser(prog="python -m ser_model robustness", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON file")
    parser.add_argument("--networks", type=Path, default=NETWORKS, metavar="DIR", help=f"default: {NETWORKS}")
    parser.add_argument("--only", nargs="+", default=GROUPS, metavar="GROUP", help="only these groups of checks")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], metavar="N", help="of the ensemble's networks")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes side by side (default: by cores and memory)")
    parser.add_argument("--limit", type=int, metavar="N", help="only N clips of each actor")
    settings = parser.parse_args(argv)
    if unknown := [group for group in settings.only if group not in GROUPS]:
        raise ValueError(f"There is no group {unknown[0]}. Choose from {', '.join(GROUPS)}.")
    settings.jobs = settings.jobs or default_jobs(JOB_BYTES)
    report = measure_robustness(settings)
    write_document(settings.out, report)
    for bar in report["bars"].values():
        holds = "holds" if bar["holds"] else "does not hold"
        print(f"{bar['what']}: {bar['value']:.3f}, bar {bar['bar']}: {holds}", file=sys.stderr)
    return 0


def measure_robustness(settings: argparse.Namespace) -> dict[str, Any]:
    """Return the document of results/robustness.json; settings are the options of main."""
    corpus = load_ravdess(settings.data, song=False)
    sources = {row["file"]: row["audio"]["bytes"] or row["audio"]["path"] for row in corpus}
    folds = [fold for fold in split_clips(make_clips(prepare(corpus)), "luna") if fold.test]
    folders = {fold.name: find_networks(settings.networks, fold.name, settings.seeds) for fold in folds}
    logits = [FoldLogits(fold, 0, predict_clips(load_ensemble(folders[fold.name]), fold.test)) for fold in folds]
    actors = [actor for one in logits for actor in list_actors(one, logits, folders[one.fold.name], sources, settings)]
    checks = [check for check in CHECKS if check.group in settings.only]
    tasks = [(actor, checks, "product" in settings.only) for actor in actors]
    parts = _spread(predict_actor, tasks, settings.jobs, "actors")
    answers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    truth, clean = np.concatenate([actor.truth for actor in actors]), answers[CLEAN.name]
    rows = [_check(check, truth, clean, answers[check.name]) for check in checks]
    if "product" in settings.only:
        models = list({actor.networks: actor for actor in actors}.values())
        rows += _spread(predict_sounds, [(kind, models, VARIANTS) for kind in NON_SPEECH], settings.jobs, "sounds")
        rows += [_product_row(name, parameters, answers[name]) for name, parameters in PRODUCT.items()]
        rows.append(_product_row("every clip", "no clip of the corpus is refused", clean != REFUSED))
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
    in_folds = dict(zip(predictions.files.tolist(), predictions.predicted.tolist(), strict=True))
    return {
        "command": _describe_command(settings),
        "clips": int(truth.size),
        "seeds": settings.seeds,
        "weights_id": weights_id(WEIGHTS),  # of the product cases; the others are of the networks of the folds
        "clean_uar": measure_uar(truth, clean),
        # the folds predict the span of speech alone
        "clean_as_in_the_folds": float((clean == [in_folds[file] for one in actors for file in one.files]).mean()),
        "bars": check_bars(rows),
        "groups": {
            name: {"checks": len(own), "passed": sum(row["pass"] for row in own)} for name, own in groups.items() if own
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


def predict_actor(actor: Actor, checks: Sequence[Check], with_product: bool) -> dict[str, Ints]:
    """Return (clip,) class indices or REFUSED by the name of the check, and whether the PRODUCT cases held."""
    recognizer, detector = actor.load(), SpeechDetector()
    answers: dict[str, list[int]] = {name: [] for name in (CLEAN.name, *(check.name for check in checks), *PRODUCT)}
    waveforms = [load_audio(source) for source in actor.sources]
    for file, waveform in zip(actor.files, waveforms, strict=True):
        try:
            span = detector.detect(waveform)
            first, last = round(span.start_s * SAMPLE_RATE), round(span.end_s * SAMPLE_RATE)
        except AudioError:  # all of it counts as speech
            first, last = 0, waveform.size
        recording = Recording(waveform, (first, last), actor.others)
        for check in (CLEAN, *checks):
            changed = check.change(recording, make_rng(check.name, file))
            answers[check.name].append(_answer(recognizer, check.write(changed)))
        if with_product:
            rng = make_rng("brief", file)
            start = rng.integers(first, max(last - SAMPLE_RATE // 2, first + 1))
            part = waveform[start : start + round(rng.choice(BRIEF_S) * SAMPLE_RATE)]
            answers[BRIEF].append(_answer(recognizer, encode(part)) == REFUSED)
    if with_product:
        prediction = recognizer.recognize(encode(np.resize(np.concatenate(waveforms), LONG_S * SAMPLE_RATE)))
        windows = np.array([list(segment.probabilities.values()) for segment in prediction.timeline])
        differences = windows.mean(axis=0) - list(prediction.probabilities.values())
        answers[LONG].append(len(windows) > 1 and bool(np.abs(differences).max() < TOLERANCE))
    return {name: np.array(given) for name, given in answers.items()}


def predict_sounds(kind: str, actors: list[Actor], variants: int) -> Row:
    """Return a row on how a sound that is not speech is answered by every ensemble and by the shipped weights."""
    recognizers = [*(actor.load() for actor in actors), EmotionRecognizer.load()]
    counts = Counter({"refused": 0, "not sure": 0, "answered": 0})
    for variant in range(variants):
        data = encode(make_sound(kind, make_rng(kind, str(variant))))
        try:
            counts.update("answered" if one.recognize(data).sure else "not sure" for one in recognizers)
        except AudioError:  # all share the detector that refuses
            counts["refused"] += len(recognizers)
    parameters = f"{variants} synthetic ones of {LENGTHS_S[0]} to {LENGTHS_S[1]} s, {len(recognizers)} models"
    passed = np.repeat([True, False], [counts["refused"] + counts["not sure"], counts["answered"]])
    return _product_row(kind, parameters, passed) | {"counts": dict(counts)}


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


def _answer(recognizer: EmotionRecognizer, data: bytes) -> int:
    try:
        return int(np.argmax(list(recognizer.recognize(data).probabilities.values())))
    except AudioError:
        return REFUSED


def _check(check: Check, truth: Ints, clean: Ints, changed: Ints) -> Row:
    """Compare the answers to the changed recordings with those to the clean ones."""
    unchanged, uar = float((clean == changed).mean()), measure_uar(truth, changed)
    clean_uar = measure_uar(truth, clean)
    passed = unchanged > check.unchanged and (check.uar_change is None or uar - clean_uar > check.uar_change)
    return {
        "group": check.group,
        "name": check.name,
        "parameters": check.parameters,
        "unchanged": unchanged,
        "uar_change": uar - clean_uar,
        "pass": bool(passed),
        "clean_uar": clean_uar,
        "uar": uar,
        "refused": int((changed == REFUSED).sum()),
        "threshold": {"unchanged": check.unchanged, "uar_change": check.uar_change},
    }


def _product_row(name: str, parameters: str, passed: NDArray[Any]) -> Row:
    """Return the row of a case that must hold every time."""
    row = {"group": "product", "name": name, "parameters": parameters, "share": float(np.mean(passed))}
    return row | {"threshold": {"share": 1.0}, "pass": bool(passed.all())}


def _spread(function: Callable[..., Any], tasks: list[tuple[Any, ...]], jobs: int, unit: str) -> list[Any]:
    """Run tasks side by side with a progress bar; the results have their order."""
    running = Parallel(n_jobs=jobs, return_as="generator")(delayed(function)(*task) for task in tasks)
    return list(tqdm(running, total=len(tasks), desc=unit, file=sys.stderr))


def _describe_command(settings: argparse.Namespace) -> str:
    words = ["python -m ser_model robustness --data DIR --out results/robustness.json"]
    words += [f"--only {' '.join(settings.only)}"] if tuple(settings.only) != GROUPS else []
    words += [] if settings.seeds == [0, 1] else [f"--seeds {' '.join(map(str, settings.seeds))}"]
    words += [f"--limit {settings.limit}"] if settings.limit else []
    return " ".join(words)
