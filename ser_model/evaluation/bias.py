"""What other settings of the biases would bring, on validation actors: python -m ser_model.evaluation.bias --data DIR.

Asks the networks that `python train.py --data DIR --protocol luna --choosing --out runs/choosing` left, about clips as
they are and as a browser sends them at its lowest rate: the stronger the biases, the more answers a codec tips.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.audio import AudioError, load_audio
from ser_model.calibrate import Calibration
from ser_model.cnn import WeightsError
from ser_model.evaluation.judge import BiasSettings, Outcome, calibrate, judge
from ser_model.evaluation.metrics import summarise
from ser_model.evaluation.networks import find_networks, load_joined
from ser_model.evaluation.origin import describe_origin
from ser_model.evaluation.robustness.formats import Codec
from ser_model.int8 import hasten
from ser_model.labels import EMOTIONS, Emotion
from ser_model.recognize import EmotionRecognizer
from ser_model.training.corpus import read_corpus
from ser_model.training.fit import Scores
from ser_model.training.folds import split_clips
from ser_model.training.joined import name_network
from ser_model.training.ravdess import CorpusError, load_ravdess
from ser_model.training.runs import HEADS

SAD_WEIGHTS, PENALTIES = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0), (0.3, 0.6, 1.0, 2.0)
SAD_ENOUGH, UNCHANGED_ENOUGH = 0.6, 0.89  # what the chosen settings must reach; of those that do, the highest UAR
NO_BIAS = BiasSettings(penalty=1e9)
CHOOSING = Path("runs/choosing")
CODED = Codec("libopus", "webm", 16_000)

Array = NDArray[np.float64]


def main(argv: list[str] | None = None) -> int:
    """Measure every setting, and write the table; 2 means bad input, said in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--choosing", type=Path, default=CHOOSING, metavar="DIR", help="of train.py --choosing")
    parser.add_argument("--out", type=Path, default=Path("results/bias-choosing.json"), metavar="FILE")
    arguments = parser.parse_args(argv)
    try:
        outcomes = read_outcomes(arguments.data, arguments.choosing)
        coded = hear_coded(outcomes, arguments.data, arguments.choosing)
    except (AudioError, CorpusError, WeightsError, OSError, ValueError) as error:
        print(f"ser_model: {error}", file=sys.stderr)
        return 2
    grid = [BiasSettings(*pair) for pair in itertools.product(SAD_WEIGHTS, PENALTIES)]
    report = {
        "command": "python -m ser_model.evaluation.bias --data DIR",
        "scored": "validation actors of the Luna folds, one network a fold",
        "chosen": asdict(BiasSettings()),
        "without": measure(outcomes, coded, NO_BIAS),
        "rows": [asdict(settings) | measure(outcomes, coded, settings) for settings in grid],
        **describe_origin(("numpy",)),
    }
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def read_outcomes(data: Path, choosing: Path) -> list[Outcome]:
    """Read what the networks of the first seed said of their validation actors."""
    outcomes = []
    for fold in split_clips(read_corpus(data).clips, "luna", choosing=True):
        with np.load(choosing / "scores" / f"{name_network(fold.name, 0)}.npz") as kept:
            outcomes.append(Outcome(fold, 0, Scores(**{head: kept[head].astype(np.float64) for head in HEADS})))
    return outcomes


def hear_coded(outcomes: list[Outcome], data: Path, choosing: Path) -> list[Array]:
    """Hear the same clips coded; (clip, emotion) logits for each fold, without biases."""
    sources = {row["file"]: row["audio"]["bytes"] or row["audio"]["path"] for row in load_ravdess(data, ("speech",))}
    folders = [find_networks(choosing / "networks", outcome.fold.name, (0,)) for outcome in outcomes]
    recognizers = [EmotionRecognizer(hasten(load_joined(folder)), Calibration()) for folder in folders]
    heard = []
    for outcome, recognizer in zip(outcomes, recognizers, strict=True):
        files = [CODED(load_audio(sources[clip.file])) for clip in outcome.fold.test]
        heard.append(np.log([list(recognizer.recognize(file).probabilities.values()) for file in files]))
    return heard


def measure(outcomes: list[Outcome], coded: list[Array], settings: BiasSettings) -> dict[str, Any]:
    """Judge with other settings, each actor with biases that were fitted on the others."""
    found = summarise(judge(outcomes, settings), EMOTIONS)
    figures = {"uar": found["uar"], "sad_recall": found["recall"][Emotion.SAD], "ece": found["ece"]}
    figures["unchanged_by_webm_opus_16"] = measure_unchanged(outcomes, coded, settings)
    return {name: round(value, 4) for name, value in figures.items()}


def measure_unchanged(outcomes: list[Outcome], coded: list[Array], settings: BiasSettings) -> float:
    """Return the share of clips whose answer stays when they are coded."""
    actors = {clip.actor for outcome in outcomes for clip in outcome.fold.test}
    biases = {actor: calibrate(outcomes, actor, settings)["emotion_bias"] for actor in actors}
    stayed = []
    for outcome, heard in zip(outcomes, coded, strict=True):
        bias = np.array([biases[clip.actor] for clip in outcome.fold.test])  # (clip, emotion)
        stayed.append((outcome.scores.emotion + bias).argmax(axis=1) == (heard + bias).argmax(axis=1))
    return float(np.concatenate(stayed).mean())


if __name__ == "__main__":
    sys.exit(main())
