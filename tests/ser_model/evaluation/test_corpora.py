"""Figures on corpora that were left out, from made-up logits that can be checked by hand."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_corpus import make_clip

from ser_model.calibration import softmax
from ser_model.evaluation.corpora import (
    COVERAGE,
    CorpusPredictions,
    calibrate_corpora,
    fit_corpora,
    restrict,
    right_answers,
    summarize_corpora,
)
from ser_model.evaluation.report import write_corpora_report
from ser_model.labels import UNKNOWN
from ser_model.training.ensemble import HEADS, FoldLogits
from ser_model.training.fit import ClipLogits
from ser_model.training.folds import Fold

NEUTRAL, CALM, HAPPY, SAD, ANGRY = range(5)


def make_fold(corpus: str, count: int, sharpness: float, right_share: float = 0.7, **more: int) -> FoldLogits:
    """Answers about a corpus with three emotions; the sharper, the more confident they are."""
    rng = np.random.default_rng([*corpus.encode(), count])
    clips = [make_clip(f"{corpus}/{i}", HAPPY + i % 3, f"{corpus}-{i % 4}", corpus, **more) for i in range(count)]
    said = [clip.emotion if rng.random() < right_share else int(rng.integers(8)) for clip in clips]
    logits = sharpness * (np.eye(8)[said] + 0.1 * rng.random((count, 8)))
    pair = sharpness * rng.standard_normal((count, 2))
    return FoldLogits(Fold(corpus, [], clips), 0, ClipLogits(logits, pair, pair))


def louder(one: FoldLogits, factor: float = 5.0) -> FoldLogits:
    return replace(one, logits=ClipLogits(*(factor * getattr(one.logits, head) for head in HEADS)))


def stack(one: FoldLogits, other: FoldLogits) -> ClipLogits:
    return ClipLogits(*(np.concatenate([getattr(part.logits, head) for part in (one, other)]) for head in HEADS))


def test_the_clips_of_a_corpus_do_not_calibrate_their_own_predictions() -> None:
    one, two, three = make_fold("urdu", 60, 4), make_fold("tess", 60, 6), make_fold("ased", 60, 8)
    assert (
        fit_corpora([one, two, three], "ased")
        == fit_corpora([one, two, louder(three)], "ased")
        == fit_corpora([one, two])
    )
    assert fit_corpora([one, two, three], "urdu") != fit_corpora([one, two, louder(three)], "urdu")
    before, after = calibrate_corpora([one, two, three]), calibrate_corpora([one, two, louder(three)])
    own = fit_corpora([one, two])
    scored = before.corpora == "ased"
    for predictions in (before, after):
        confidence = predictions.probabilities[scored].max(axis=1)
        assert (predictions.sure[scored] == (confidence >= own["abstention_threshold"])).all()
    logits = three.logits.emotion / own["temperature"]
    assert before.probabilities[scored] == pytest.approx(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    with pytest.raises(ValueError, match="at least two"):
        calibrate_corpora([one])


def test_every_corpus_counts_alike_however_large_it_is() -> None:
    small, large = make_fold("urdu", 90, 4, 0.4), make_fold("tess", 90, 4, 0.9)
    many = replace(
        large,
        fold=Fold("tess", [], large.fold.test * 20),
        logits=ClipLogits(*(np.tile(getattr(large.logits, head), (20, 1)) for head in HEADS)),
    )
    fitted, same = fit_corpora([small, large]), fit_corpora([small, many])
    assert same["temperature"] == pytest.approx(fitted["temperature"], rel=1e-4)
    assert same["abstention_threshold"] == pytest.approx(fitted["abstention_threshold"], rel=1e-4)
    alone = [fit_corpora([one])["temperature"] for one in (large, small)]
    assert alone[0] < fitted["temperature"] < alone[1]
    assert fitted["class_bias"] == []


def test_the_given_share_of_strangers_gets_an_answer() -> None:
    folds = [make_fold("urdu", 300, 5), make_fold("tess", 100, 5), make_fold("ased", 200, 5)]
    predictions = calibrate_corpora(folds)
    shares = [predictions.sure[predictions.corpora == name].mean() for name in ("urdu", "tess", "ased")]
    assert np.mean(shares) == pytest.approx(COVERAGE, abs=0.1)


def test_the_accuracies_are_those_of_answers_as_sure() -> None:
    fold = make_fold("urdu", 400, 5)
    fitted = fit_corpora([fold])
    accuracies = np.array(fitted["accuracies"])  # (level, confidence and accuracy)
    assert (np.diff(accuracies, axis=0) >= 0).all()
    assert accuracies[0, 0] == fitted["abstention_threshold"]
    confidence = softmax(fold.logits.emotion, fitted["temperature"]).max(axis=1)
    correct = right_answers(fold.fold.test)[np.arange(400), fold.logits.emotion.argmax(axis=1)]
    assert accuracies[:, 1].mean() == pytest.approx(correct[confidence >= accuracies[0, 0]].mean(), abs=0.02)


def test_unknown_labels_calibrate_nothing() -> None:
    one = make_fold("urdu", 60, 4, gender=UNKNOWN, intensity=UNKNOWN)
    fitted = fit_corpora([one])
    assert (fitted["gender_temperature"], fitted["intensity_temperature"]) == (1, 1)


def test_neutral_and_calm_are_one_where_a_corpus_has_only_one_of_them() -> None:
    both = [make_clip("a", NEUTRAL), make_clip("b", CALM), make_clip("c", SAD)]
    one = [
        make_clip("d", NEUTRAL, corpus="nemo"),
        make_clip("e", SAD, corpus="nemo"),
        make_clip("f", CALM, corpus="turev-db"),
    ]
    right = right_answers([*both, *one])
    assert [np.flatnonzero(row).tolist() for row in right] == [[0], [1], [3], [0, 1], [3], [0, 1]]


def test_an_answer_is_chosen_among_the_emotions_of_the_corpus() -> None:
    right = right_answers([make_clip("a", NEUTRAL, corpus="nemo"), make_clip("b", SAD, corpus="nemo")])
    probabilities = np.array([[0.2, 0.2, 0.1, 0.3, 0.2, 0, 0, 0], [0.1, 0.1, 0.0, 0.3, 0.5, 0, 0, 0]])
    restricted = restrict(probabilities, right)
    assert restricted.argmax(axis=1).tolist() == [NEUTRAL, SAD]  # .4 against .3, and .2 against .3
    assert restricted[0] == pytest.approx([4 / 7, 0, 0, 3 / 7, 0, 0, 0, 0])


def make_predictions(corpus: str, rows: list[tuple[int, int, float, bool]]) -> CorpusPredictions:
    """Rows of truth, answer, its probability, and whether it is sure; what is left goes to disgust."""
    clips = [make_clip(f"{corpus}/{i}", row[0], f"{corpus}-{i % 2}", corpus) for i, row in enumerate(rows)]
    probabilities = np.zeros((len(rows), 8))
    for line, (_, answer, probability, _) in zip(probabilities, rows, strict=True):
        line[answer], line[6] = probability, 1 - probability
    return CorpusPredictions(
        files=np.array([clip.file for clip in clips]),
        corpora=np.array([corpus] * len(rows)),
        speakers=np.array([clip.speaker for clip in clips]),
        truth=np.array([clip.emotion for clip in clips]),
        right=right_answers(clips),
        probabilities=probabilities,
        sure=np.array([row[3] for row in rows]),
        folds=np.array(["others"] * len(rows)),
        seeds=np.zeros(len(rows), int),
    )


@pytest.fixture
def predictions() -> CorpusPredictions:
    urdu = [(NEUTRAL, CALM, 0.9, True), (NEUTRAL, NEUTRAL, 0.7, True), (SAD, SAD, 0.8, True), (SAD, ANGRY, 0.6, False)]
    urdu += [(ANGRY, SAD, 0.8, True), (ANGRY, ANGRY, 0.4, False)]  # the last says disgust, which URDU lacks
    tess = [(HAPPY, HAPPY, 1.0, True), (HAPPY, HAPPY, 1.0, False), (SAD, HAPPY, 0.6, False)]
    parts = [make_predictions(name, rows) for name, rows in {"urdu": urdu, "tess": tess}.items()]
    return CorpusPredictions(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in CorpusPredictions.__dataclass_fields__
        }
    )


def test_figures_are_those_that_a_calculation_by_hand_gives(predictions: CorpusPredictions) -> None:
    summary = summarize_corpora(predictions)
    assert set(summary["corpora"]) == {"urdu", "tess"}
    urdu, tess = summary["corpora"]["urdu"], summary["corpora"]["tess"]
    assert urdu["recall"] == {"neutral": 1.0, "sad": 0.5, "angry": 0.5}
    assert (urdu["clips"], urdu["speakers"], urdu["chance"]) == (6, 2, 1 / 3)
    assert urdu["uar"] == pytest.approx(2 / 3)
    assert urdu["accuracy"] == pytest.approx(3 / 6)  # an answer that a visitor gets is not restricted
    assert urdu["accuracy_of_worst_speaker"] == pytest.approx(1 / 3)
    assert urdu["ece"] == pytest.approx((0.1 + 0.3 + (1.6 - 1) + 0.6 + 0.6) / 6)
    assert (urdu["sure"], urdu["sure_accuracy"]) == (pytest.approx(4 / 6), 0.75)
    assert (tess["uar"], tess["sure_accuracy"]) == (0.5, 1)
    assert summary["mean"]["uar"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert summary["worst"] == {
        "uar": 0.5, "ece": max(urdu["ece"], tess["ece"]), "sure": pytest.approx(1 / 3), "sure_accuracy": 0.75
    }  # fmt: skip


def test_corpora_to_choose_with_are_reported_and_calibrated_on_only_where_nothing_else_is_scored() -> None:
    reported, chosen = [make_fold("urdu", 60, 4), make_fold("tess", 60, 6)], make_fold("turev-db", 60, 2)
    folds = [
        replace(one, fold=replace(one.fold, test=one.fold.test + chosen.fold.test), logits=stack(one, chosen))
        for one in reported
    ]
    with_them, without = calibrate_corpora(folds), calibrate_corpora(reported)
    assert with_them.files.tolist() == without.files.tolist()
    assert with_them.probabilities == pytest.approx(without.probabilities)
    assert fit_corpora(folds) == fit_corpora(reported)
    validation = calibrate_corpora([chosen, make_fold("emospeech", 60, 2)])
    assert set(summarize_corpora(validation)["corpora"]) == {"turev-db", "emospeech"}


def test_the_table_has_what_is_reported(predictions: CorpusPredictions, tmp_path: Path) -> None:
    write_corpora_report(tmp_path, summarize_corpora(predictions), predictions)
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["corpus"] for row in rows} == set(json.loads((tmp_path / "metrics.json").read_text())["corpora"])
    assert (rows[0]["true"], rows[0]["sure"], rows[0]["calm"]) == ("neutral", "1", "0.9000")
