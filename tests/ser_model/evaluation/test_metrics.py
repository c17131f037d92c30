from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_model.evaluation.metrics import Scored, bootstrap_uar, measure_ece, measure_selective, measure_uar, summarise
from ser_model.evaluation.report import write_report
from ser_model.labels import EMOTIONS


def make_scored(rng: np.random.Generator, right_share: float, seeds: int = 1) -> Scored:
    actors = np.tile(np.repeat(np.arange(1, 25), 16), seeds)
    truth = np.tile(np.arange(8), actors.size // 8)
    guess = np.where(rng.random(truth.size) < right_share, truth, rng.integers(0, 8, truth.size))
    probabilities = np.full((truth.size, 8), 0.05)
    probabilities[np.arange(truth.size), guess] = 0.65
    gender, intensity = (actors + 1) % 2, np.where(truth > 0, rng.integers(0, 2, truth.size), 0)
    return Scored(
        files=np.array([f"clip-{i}" for i in range(truth.size)]),
        actors=actors,
        truth=truth,
        probabilities=probabilities,
        sure=rng.random(truth.size) < 0.7,
        gender_truth=gender,
        gender_probabilities=np.stack([1.0 - gender, gender], axis=1),
        intensity_truth=intensity,
        intensity_probabilities=np.tile([0.6, 0.4], (truth.size, 1)),
        folds=np.array([str(actor % 5) for actor in actors]),
        seeds=np.repeat(np.arange(seeds), actors.size // seeds),
    )


def test_uar_weighs_every_emotion_alike() -> None:
    truth = np.array([0] * 90 + [1] * 10)
    assert measure_uar(truth, np.zeros(100, int)) == 0.5


def test_ece_is_the_gap_between_certainty_and_truth() -> None:
    sure = np.tile([0.9, 0.1], (100, 1))
    assert measure_ece(sure, np.zeros(100, int)) == pytest.approx(0.1)
    assert measure_ece(sure, np.array([0] * 90 + [1] * 10)) == pytest.approx(0.0)
    assert measure_ece(np.tile([1.0, 0.0], (10, 1)), np.ones(10, int)) == pytest.approx(1.0)


def test_abstaining_drops_the_least_sure_answers() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    truth = np.array([0, 0, 1, 1])
    assert measure_selective(probabilities, truth, 0.5) == 1.0
    assert measure_selective(probabilities, truth, 0.0) == 0.5


def test_the_interval_holds_the_uar_and_widens_with_fewer_actors(rng: np.random.Generator) -> None:
    scored = make_scored(rng, 0.6)
    low, high = bootstrap_uar(scored)
    assert low < measure_uar(scored.truth, scored.guess) < high
    few_low, few_high = bootstrap_uar(scored.select(scored.actors < 7))
    assert few_high - few_low > high - low


def test_intensity_is_also_measured_without_neutral_which_is_always_normal(rng: np.random.Generator) -> None:
    scored = make_scored(rng, 0.7)
    intensity = summarise(scored)["intensity"]
    neutral = scored.truth == 0
    assert intensity["accuracy_without_neutral"] == pytest.approx((scored.intensity_truth[~neutral] == 0).mean())
    assert intensity["accuracy"] > intensity["accuracy_without_neutral"]
    assert intensity["recall_without_neutral"] == {"normal": 1.0, "strong": 0.0}
    assert "neutral" not in intensity["accuracy_by_emotion"]
    assert 0 <= intensity["worst_actor"][1] <= intensity["accuracy"]


def test_an_emotion_without_scored_clips_has_no_recall_but_may_be_guessed(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    scored = make_scored(rng, 0.7)
    wide = np.hstack([scored.probabilities, np.where(scored.truth == 3, 0.9, 0.0)[:, None]])
    emotions = (*EMOTIONS, "bored")
    metrics = summarise(replace(scored, probabilities=wide), emotions)
    assert list(metrics["recall"]) == list(EMOTIONS)
    assert metrics["recall"]["sad"] == 0
    assert metrics["uar_interval_95"][0] <= metrics["uar"] <= metrics["uar_interval_95"][1]
    assert sum(row[8] for row in metrics["confusion"]) == (scored.truth == 3).sum()
    write_report(tmp_path, metrics, replace(scored, probabilities=wide))
    assert "surprised,bored,gender" in (tmp_path / "predictions.csv").read_text()


def test_the_summary_agrees_with_the_table_it_is_written_beside(rng: np.random.Generator, tmp_path: Path) -> None:
    scored = make_scored(rng, 0.7, seeds=2)
    metrics = summarise(scored)
    write_report(tmp_path, metrics, scored)
    saved = json.loads((tmp_path / "metrics.json").read_text())
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
    right = [row["true"] == max(names, key=lambda name: float(row[name])) for row in rows]
    assert np.mean(right) == pytest.approx(saved["accuracy"])
    assert saved["clips"] * 2 == len(rows)
    assert saved["gender"]["accuracy"] == 1.0
    assert {row["intensity"] for row in rows} == {"normal"}
    assert len(saved["accuracy_by_actor"]) == 24
    assert (tmp_path / "figure.png").stat().st_size > 10_000
