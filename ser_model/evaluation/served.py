"""Whether networks hear in 8-bit integers what they hear in float32: python -m ser_model.evaluation.served --data DIR.

Asks the networks that `python train.py --data DIR --protocol luna --seeds 5 --out runs/luna` left, joined as they are
reported, about the speech of every clip of actors they never heard. Writes results/served.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ser_model.audio import AudioError
from ser_model.cnn import EmotionCnn, WeightsError
from ser_model.evaluation.judge import Outcome, judge
from ser_model.evaluation.metrics import Scored, summarise
from ser_model.evaluation.networks import NETWORKS, find_networks, load_joined
from ser_model.evaluation.origin import describe_origin, write_document
from ser_model.int8 import has_fast_int8, hasten
from ser_model.labels import EMOTIONS
from ser_model.training.arguments import count
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import Scores
from ser_model.training.folds import split_clips
from ser_model.training.joined import list_models
from ser_model.training.ravdess import CorpusError, load_ravdess


def main(argv: list[str] | None = None) -> int:
    """Measure both forms, and write the document; 2 means bad input, said in one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--networks", type=Path, default=NETWORKS, metavar="DIR")
    parser.add_argument("--seeds", type=count, default=5, metavar="N", help="of the networks (usually 5)")
    parser.add_argument("--out", type=Path, default=Path("results/served.json"), metavar="FILE")
    arguments = parser.parse_args(argv)
    if not has_fast_int8():
        print("ser_model: This processor serves float32. Run this on one that has VNNI.", file=sys.stderr)
        return 2
    try:
        trained, served = hear_both(arguments.data, arguments.networks, arguments.seeds)
        report = {
            "command": f"python -m ser_model.evaluation.served --data DIR --seeds {arguments.seeds}",
            "scored": "every clip of the Luna folds, by each model of joined networks",
            **compare(judge(trained), judge(served, calibrate_on=trained)),
            **describe_origin(("torch",)),
        }
        write_document(arguments.out, report)
    except (AudioError, CorpusError, WeightsError, OSError, ValueError) as error:
        print(f"ser_model: {error}", file=sys.stderr)
        return 2
    return 0


def hear_both(data: Path, networks: Path, seeds: int) -> tuple[list[Outcome], list[Outcome]]:
    """Return what every model says of its fold's test clips, as trained and as served."""
    trained, served = [], []
    for fold in split_clips(prepare_clips(load_ravdess(data, ("speech",))), "luna"):
        for number, joined in enumerate(list_models(seeds)):
            folders = find_networks(networks, fold.name, joined)
            trained.append(Outcome(fold, number, hear(load_joined(folders), fold.test)))
            served.append(Outcome(fold, number, hear(hasten(load_joined(folders)), fold.test)))
    return trained, served


def hear(network: EmotionCnn, clips: list[Clip]) -> Scores:
    """Score the clips' speech, one by one."""
    with torch.inference_mode():
        said = [network(torch.from_numpy(clip.speech).unsqueeze(0)) for clip in clips]
    return Scores(*(torch.cat(parts).double().numpy() for parts in zip(*said, strict=True)))


def compare(trained: Scored, served: Scored) -> dict[str, Any]:
    """Return how right both are, and how far apart."""
    found = {"float32": summarise(trained, EMOTIONS), "served": summarise(served, EMOTIONS)}
    actors = [one["accuracy_by_actor"] for one in found.values()]
    same = trained.probabilities.argmax(axis=1) == served.probabilities.argmax(axis=1)
    return {
        **{form: {name: round(one[name], 4) for name in ("uar", "accuracy", "ece")} for form, one in found.items()},
        "answers_unchanged": round(float(same.mean()), 4),
        "greatest_change_of_an_actors_accuracy": round(
            max(abs(actors[0][name] - actors[1][name]) for name in actors[0]), 4
        ),
        "median_and_greatest_change_of_a_probability": [
            round(float(np.quantile(np.abs(trained.probabilities - served.probabilities), share)), 5)
            for share in (0.5, 1)
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
