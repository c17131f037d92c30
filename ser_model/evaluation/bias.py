"""What other settings of the biases would bring, on validation actors: python -m ser_model.evaluation.bias --data DIR.

Judges the scores that `python train.py --data DIR --protocol luna --choosing --out runs/choosing` left.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ser_model.audio import AudioError
from ser_model.evaluation.judge import NO_BIAS, BiasSettings, Outcome, judge
from ser_model.evaluation.metrics import summarise
from ser_model.evaluation.origin import describe_origin, write_document
from ser_model.labels import EMOTIONS, Emotion
from ser_model.training.corpus import read_corpus
from ser_model.training.fit import Scores
from ser_model.training.folds import split_clips
from ser_model.training.joined import name_network
from ser_model.training.ravdess import CorpusError
from ser_model.training.runs import HEADS

SAD_WEIGHTS, PENALTIES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5), (0.1, 0.3, 1.0)
SCORES = Path("runs/choosing/scores")


def main(argv: list[str] | None = None) -> int:
    """Measure every setting, and write the table; 2 means bad input, said in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--scores", type=Path, default=SCORES, metavar="DIR", help="of train.py --choosing")
    parser.add_argument("--out", type=Path, default=Path("results/bias-choosing.json"), metavar="FILE")
    arguments = parser.parse_args(argv)
    try:
        write_document(arguments.out, summarise_settings(read_outcomes(arguments.data, arguments.scores)))
    except (AudioError, CorpusError, BadZipFile, OSError, ValueError) as error:
        print(f"ser_model: {error}", file=sys.stderr)
        return 2
    return 0


def summarise_settings(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the document of results/bias-choosing.json."""
    grid = [BiasSettings(*pair) for pair in itertools.product(SAD_WEIGHTS, PENALTIES)]
    return {
        "command": "python -m ser_model.evaluation.bias --data DIR",
        "scored": "validation actors of the Luna folds, one network a fold",
        "chosen": asdict(BiasSettings()),
        "without": measure(outcomes, NO_BIAS),
        "rows": [asdict(settings) | measure(outcomes, settings) for settings in grid],
        **describe_origin(("numpy",)),
    }


def read_outcomes(data: Path, scores: Path) -> list[Outcome]:
    """Read what the networks of the first seed said of their validation actors."""
    outcomes = []
    for fold in split_clips(read_corpus(data).clips, "luna", choosing=True):
        with np.load(scores / f"{name_network(fold.name, 0)}.npz") as kept:
            outcomes.append(Outcome(fold, 0, Scores(**{head: kept[head].astype(np.float64) for head in HEADS})))
    return outcomes


def measure(outcomes: list[Outcome], settings: BiasSettings) -> dict[str, Any]:
    """Judge with other settings, each actor with biases that were fitted on the others."""
    found = summarise(judge(outcomes, settings), EMOTIONS)
    figures = {"uar": found["uar"], "sad_recall": found["recall"][Emotion.SAD], "ece": found["ece"]}
    return {name: round(value, 4) for name, value in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
