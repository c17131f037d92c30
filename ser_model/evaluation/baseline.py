"""What one neutral clip of the speaker is worth: python -m ser_model.evaluation.baseline --data DIR.

The networks of the Luna folds score their validation and test actors again, with the speaker's own baseline taken from
one neutral clip (statement 1, repetition 1) that is then not scored; the weight is chosen on validation actors.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.calibrate import SpeakerBaseline
from ser_model.cnn import load_network
from ser_model.evaluation.metrics import measure_uar
from ser_model.labels import Emotion
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import score_clips
from ser_model.training.folds import split_clips
from ser_model.training.ravdess import load_ravdess

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
ENROLMENT = "03-01-01-01-01-01"  # a neutral clip's name without the actor

Part = tuple[list[Clip], NDArray[np.float64]]  # clips and their (clip, 8) logits


def main() -> None:
    """Measure every weight, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--networks", type=Path, default=Path("results/luna/networks"))
    parser.add_argument("--out", type=Path, default=Path("results/baseline.json"))
    arguments = parser.parse_args()
    validation, test = _score_folds(arguments.data, arguments.networks)
    usual = np.concatenate([logits[_find_neutral(clips)] for clips, logits in validation]).mean(axis=0)
    rows = [
        {"weight": w, "validation_uar": _measure(validation, usual, w), "test_uar": _measure(test, usual, w)}
        for w in WEIGHTS
    ]
    report: dict[str, Any] = {
        "command": "python -m ser_model.evaluation.baseline --data DIR",
        "rows": rows,
        "chosen_on_validation": max(rows, key=lambda row: row["validation_uar"]),
    }
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    print(arguments.out.read_text())


def _score_folds(data: Path, networks: Path) -> tuple[list[Part], list[Part]]:
    validation: list[Part] = []
    test: list[Part] = []
    for fold in split_clips(prepare_clips(load_ravdess(data, ("speech",))), "luna"):
        network = load_network(networks / f"fold-{fold.name}-seed-0")
        validation.append((fold.validation, score_clips(network, fold.validation).emotion))
        test.append((fold.test, score_clips(network, fold.test).emotion))
    return validation, test


def _measure(parts: list[Part], usual: NDArray[np.float64], weight: float) -> float:
    truth: list[int] = []
    guess: list[int] = []
    for clips, logits in parts:
        actors = np.array([clip.actor for clip in clips])
        enrolled = np.array([clip.file.startswith(ENROLMENT) for clip in clips])
        for actor in np.unique(actors):
            own, rest = (actors == actor) & enrolled, (actors == actor) & ~enrolled
            baseline = SpeakerBaseline.from_logits(logits[own], usual, weight)
            guess += (logits[rest] - baseline.offset).argmax(axis=1).tolist()
            truth += [clip.emotion for clip, kept in zip(clips, rest, strict=True) if kept]
    return measure_uar(np.array(truth), np.array(guess))


def _find_neutral(clips: list[Clip]) -> NDArray[np.bool_]:
    return np.array([clip.emotion == Emotion.NEUTRAL.class_index for clip in clips])


if __name__ == "__main__":
    main()
