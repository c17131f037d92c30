from __future__ import annotations

import numpy as np

from ser_model.evaluation.metrics import Predictions
from ser_model.evaluation.robustness.report import check_bars, check_calibration, check_fairness

PITCH_HZ = {f"{actor:02d}": 120.0 if actor % 2 else 210.0 for actor in range(1, 25)}


def rate(right_share: dict[bool, float], rng: np.random.Generator) -> Predictions:
    """Sixty clips of each actor; women and men are predicted as well as the shares say."""
    names = [(e, i, s, r) for e in range(1, 9) for i in (1, 2) for s in (1, 2) for r in (1, 2) if (e, i) != (1, 2)]
    rows = [(actor, *name) for actor in range(1, 25) for name in names]
    actors, truth = np.array([row[0] for row in rows]), np.array([row[1] - 1 for row in rows])
    women = actors % 2 == 0
    right = rng.random(truth.size) < np.where(women, right_share[True], right_share[False])
    probabilities = np.full((truth.size, 8), 0.05)
    predicted = np.where(right, truth, rng.integers(0, 8, truth.size))
    probabilities[np.arange(truth.size), predicted] = 0.65
    two = np.stack([~women, women], axis=1).astype(float)
    return Predictions(
        files=np.array([f"03-01-0{e}-0{i}-0{s}-0{r}-{actor:02d}" for actor, e, i, s, r in rows]),
        speakers=np.array([f"{actor:02d}" for actor in actors]),
        truth=truth,
        probabilities=probabilities,
        sure=np.ones(truth.size, bool),
        gender_truth=women.astype(int),
        gender_probabilities=two,
        intensity_truth=np.array([row[2] - 1 for row in rows]),
        intensity_probabilities=two,
        folds=np.full(truth.size, "0"),
        seeds=np.zeros(truth.size, int),
    )


def test_a_rater_who_is_worse_with_women_fails_by_sex_and_pitch_and_not_by_statement(rng: np.random.Generator) -> None:
    rows = {row["name"]: row for row in check_fairness(rate({True: 0.5, False: 0.8}, rng), PITCH_HZ)}
    assert not rows["sex: women"]["pass"]
    assert not rows["pitch: low"]["pass"]
    assert "pitch: middle" not in rows  # nobody
    assert rows["statement: first"]["pass"]
    assert rows["sex: women"]["uar"] < rows["sex: men"]["uar"]
    assert rows["actor: 01"]["parameters"] == "60 of 1440 clips"
    assert rows["intensity: strong"]["parameters"] == "672 of 1344 clips"


def test_calibration_is_judged_by_its_bars(rng: np.random.Generator) -> None:
    error, selective = check_calibration(rate({True: 0.6, False: 0.6}, rng))
    assert error["pass"]
    assert error["ece"] < 0.05
    assert not selective["pass"]


def test_bars_are_judged_of_the_rows_that_were_run() -> None:
    rows = [{"group": "small", "name": str(i), "pass": i < 7} for i in range(10)]
    rows += [{"group": "codec", "name": "MP3", "unchanged": 0.9, "pass": True}]
    rows += [{"group": "noise", "name": "white noise 20 dB", "uar_change": -0.04, "pass": True}]
    bars = check_bars(rows)
    assert {name: bar["holds"] for name, bar in bars.items()} == {"small": False, "codec": False, "white": True}
    assert bars["small"]["value"] == 0.7
