from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_model.__main__ import main
from ser_model.evaluation.enrollment import (
    ENROLLED,
    KINDS,
    FoldModel,
    Speaker,
    fit_enrolled,
    measure,
    measure_enrollment,
    score,
)
from ser_model.labels import EMOTIONS
from ser_model.speaker import SpeakerSpace

EACH, WIDTH = 6, 24  # clips of each emotion, size of an embedding
LABELS = np.repeat(np.arange(8), EACH)
MEANS = 2 * np.random.default_rng(7).standard_normal((8, WIDTH))  # of the emotions


def make_speaker(rng: np.random.Generator, actor: str) -> Speaker:
    """A speaker far from the others, whom the network predicts poorly."""
    embedding = MEANS[LABELS] + 6 * rng.standard_normal(WIDTH) + 2 * rng.standard_normal((LABELS.size, WIDTH))
    logits = 0.5 * np.eye(8)[LABELS] + rng.standard_normal((LABELS.size, 8))
    return Speaker(actor, logits, embedding, LABELS, np.arange(LABELS.size) % EACH == 0)


@pytest.fixture(scope="module")
def models() -> list[FoldModel]:
    rng = np.random.default_rng(0)
    known = [make_speaker(rng, str(number)) for number in range(10)]
    space = SpeakerSpace.fit(
        np.concatenate([speaker.embedding for speaker in known]),
        np.tile(LABELS, len(known)),
        np.repeat(np.arange(len(known)), LABELS.size),
        tuple(map(str, EMOTIONS)),
        dimensions=16,
    )
    return [
        FoldModel(fold, 0, space, [make_speaker(rng, str(int(fold) * 2 + i)) for i in (1, 2)]) for fold in ("0", "1")
    ]


@pytest.mark.parametrize(("kind", "enrolled"), [("none", 0), ("one", 1), ("eight", 8)])
def test_enrolled_clips_are_not_scored(models: list[FoldModel], kind: str, enrolled: int) -> None:
    for adapted in (True, False):
        assert score(models, kind, adapted).truth.size == 4 * (LABELS.size - enrolled)


def test_the_gain_is_over_the_same_clips_without_enrollment(models: list[FoldModel]) -> None:
    rows = {kind: measure(models, kind) for kind in KINDS}
    assert rows["none"]["gain"] == 0
    for kind in ENROLLED:
        assert rows[kind]["gain"] > 0.2
        assert np.mean(list(rows[kind]["gain_by_fold"].values())) == pytest.approx(rows[kind]["gain"])


def test_an_enrolled_actor_is_calibrated_on_the_others(models: list[FoldModel]) -> None:
    answers = [score(models, kind) for kind in ENROLLED]
    changed = [replace(one, logits=np.where(one.actors[:, None] == "1", 9, 1) * one.logits) for one in answers]
    assert fit_enrolled(answers, held_out_actor="1") == fit_enrolled(changed, held_out_actor="1")
    assert fit_enrolled(answers, held_out_actor="2") != fit_enrolled(changed, held_out_actor="2")


def test_their_own_calibration_is_better_than_the_plain_one(models: list[FoldModel]) -> None:
    report = measure_enrollment(models, validation=True)
    for kind in ENROLLED:
        own = report["rows"][kind]["enrolled"]
        assert own["ece"] < report["rows"][kind]["ece"]
        assert 0 < own["coverage"] < 1
        assert own["accuracy_when_sure"] > report["rows"][kind]["uar"] - 0.02
    assert set(report["calibration"]) == {"enrolled_temperature", "enrolled_abstention_threshold"}
    assert len(report["tried"]) == 27


def test_networks_are_measured_from_their_folder(corpus_folder: Path, networks: Path, tmp_path: Path) -> None:
    out = tmp_path / "results/enrollment.json"
    command = ["enrollment", "--data", str(corpus_folder), "--networks", str(networks), "--out", str(out)]
    assert main(command) == 0
    assert '"rows"' in out.read_text()


def test_without_networks_one_line_tells_how_to_train_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.json"
    assert main(["enrollment", "--data", "nowhere", "--networks", str(tmp_path), "--out", str(out)]) == 2
    assert "python train.py --data DIR --protocol luna" in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()
