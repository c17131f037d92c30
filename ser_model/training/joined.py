"""Networks trained apart that are heard as one model: which, and what they say together.

Two seeds err on different clips; the product of their probabilities is right more often than either. With more seeds
than two, each is joined with the next and the last with the first, so that each takes part in two models.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ser_model.evaluation.judge import Outcome
from ser_model.training.fit import Scores

JOINED = 2  # networks of a model


def list_models(seeds: int) -> list[tuple[int, ...]]:
    """Return the seeds that make up each model: one pair for each of three seeds or more, all of them when fewer."""
    if seeds <= JOINED:
        return [tuple(range(seeds))]
    return [(seed, (seed + 1) % seeds) for seed in range(seeds)]


def name_network(fold: str, seed: int) -> str:
    """Return what a network's scores and folder are called."""
    return f"fold-{fold}-seed-{seed}"


def join_outcomes(outcomes: list[Outcome]) -> list[Outcome]:
    """Return what the models say, from what their networks said of the same folds."""
    known = {(outcome.fold.name, outcome.seed): outcome for outcome in outcomes}
    folds = list(dict.fromkeys(outcome.fold.name for outcome in outcomes))
    models = enumerate(list_models(len({outcome.seed for outcome in outcomes})))
    return [
        _join([known[fold, seed] for seed in seeds], number)
        for (number, seeds), fold in itertools.product(models, folds)
    ]


def join_scores(parts: Sequence[Scores]) -> Scores:
    """Return what networks say together, as the network of join_networks does."""
    emotion = np.sum([part.emotion for part in parts], axis=0)
    gender, intensity = (np.mean([getattr(part, head) for part in parts], axis=0) for head in ("gender", "intensity"))
    return Scores(emotion, gender, intensity)


def _join(outcomes: list[Outcome], number: int) -> Outcome:
    scores = join_scores([outcome.scores for outcome in outcomes])
    return Outcome(outcomes[0].fold, number, scores, any(outcome.recalled for outcome in outcomes))
