from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_model.evaluation.baseline import KINDS, Judged, Part, answer, main, measure
from ser_model.labels import EMOTIONS
from ser_model.speaker import SpeakerSpace

EACH, WIDTH = 6, 24  # clips of each emotion, numbers of an embedding
LABELS = np.repeat(np.arange(8), EACH)
PLACES = 2 * np.random.default_rng(7).standard_normal((8, WIDTH))  # where the made emotions lie


def act(rng: np.random.Generator) -> Part:
    """A made speaker who lies apart from the others, and whom the network hears poorly."""
    embedding = PLACES[LABELS] + 6 * rng.standard_normal(WIDTH) + 0.5 * rng.standard_normal((LABELS.size, WIDTH))
    logits = 0.5 * np.eye(8)[LABELS] + rng.standard_normal((LABELS.size, 8))
    return Part(logits, embedding, LABELS, np.arange(LABELS.size) % EACH == 0)


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    rng = np.random.default_rng(0)
    known = [act(rng) for _ in range(10)]
    space = SpeakerSpace.fit(
        np.concatenate([part.embedding for part in known]),
        np.tile(LABELS, len(known)),
        np.repeat(np.arange(len(known)), LABELS.size),
        tuple(map(str, EMOTIONS)),
        dimensions=16,
    )
    return [Judged(fold, 0, space, [act(rng), act(rng)]) for fold in ("0", "1")]


@pytest.mark.parametrize(("kind", "learned"), [("none", 0), ("one", 1), ("eight", 8), ("unlabelled", 0)])
def test_clips_that_a_voice_was_learned_from_are_not_scored(judged: list[Judged], kind: str, learned: int) -> None:
    part = judged[0].parts[0]
    for plain in (False, True):
        truth, logits = answer(judged[0].space, part, kind, plain)
        assert truth.size == len(logits) == LABELS.size - learned


def test_the_gain_is_over_hearing_the_same_clips_without_the_voice(judged: list[Judged]) -> None:
    rows = {kind: measure(judged, kind) for kind in KINDS}
    assert rows["none"]["gain"] == 0
    for kind in ("one", "eight", "unlabelled"):
        assert rows[kind]["gain"] > 0.2
        assert np.mean(list(rows[kind]["gain_by_fold"].values())) == pytest.approx(rows[kind]["gain"])


def test_without_networks_one_line_says_how_to_make_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", "nowhere", "--networks", str(tmp_path), "--out", str(tmp_path / "x.json")]) == 2
    assert "python train.py --data DIR --protocol luna" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "x.json").exists()
