"""The figures on the page are those of results/, whatever they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ui import quality, texts
from ui.answer import percent

METRICS = {
    "accuracy": 0.5,
    "recall": {"sad": 0.25, "happy": 0.75},
    "accuracy_by_actor": {"01": 0.3, "02": 0.5, "03": 0.9},
    "sure": {"coverage": 0.7, "accuracy": 0.8},
    "gender": {"accuracy": 0.98},
}


def write(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "metrics.json").write_text(content)


def test_figures_follow_the_files(tmp_path: Path) -> None:
    write(tmp_path / "luna", json.dumps(METRICS))
    write(tmp_path / "random", json.dumps({"accuracy": 0.875}))
    ladder, recall, actors = quality.describe(tmp_path)["charts"]
    assert [(bar["name"], bar["percent"]) for bar in ladder["bars"]] == [
        (texts.CHANCE, "12%"), (texts.THIS_MODEL, "50%"), (texts.PEOPLE, "62%"), (texts.RANDOM, "88%")
    ]  # fmt: skip
    assert [bar["percent"] for bar in recall["bars"]] == ["25%", "75%"]
    assert [bar["percent"] for bar in actors["bars"]] == ["30%", "50%", "90%"]
    assert "70%" in quality.describe(tmp_path)["notes"][0]


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '"x"', '{"accuracy": 0.5}', json.dumps(METRICS | {"accuracy": "x"}), "\x00"]
)
@pytest.mark.parametrize("folder", ["luna", "random"])
def test_a_damaged_file_is_left_out_and_logged(
    tmp_path: Path, folder: str, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / folder, content)
    if folder != "luna":
        write(tmp_path / "luna", json.dumps(METRICS))
    shown = quality.describe(tmp_path)
    if content != '{"accuracy": 0.5}' or folder == "luna":
        assert shown["charts"] == []
        assert "cannot be shown" in caplog.text
    assert texts.TERMS in shown["notes"]


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    assert quality.describe(tmp_path) == {"charts": [], "notes": [texts.TERMS]}


def test_the_figures_of_the_repository_are_shown() -> None:
    metrics = json.loads((quality.RESULTS / "luna/metrics.json").read_text())
    (chart,) = [chart for chart in quality.describe()["charts"] if chart["label"] == texts.ACCURACY[0]]
    (own,) = [bar for bar in chart["bars"] if bar["leads"]]
    assert own["percent"] == percent(metrics["accuracy"])
