"""Every benchmark runs in its small form; how fast it was does not matter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import report
from benchmarks.__main__ import BENCHMARKS, main
from ser_model.cnn import weights_id
from ser_model.recognize import WEIGHTS


def run_small(name: str, out: Path) -> dict[str, Any]:
    assert main([name, "--small", "--out", str(out)]) == 0
    return dict(json.loads((out / f"{name}.json").read_text()))


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_writes_its_command_machine_versions_and_weights(
    name: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    document = run_small(name, tmp_path)
    assert document["command"].startswith(f"python -m benchmarks {name}")
    assert set(document["machine"]) == {"cores", "processor", "load_before"}
    assert {"date", "versions"} < set(document)
    assert document["weights_id"] == weights_id(WEIGHTS)
    published = json.loads((project / f"results/{name}.json").read_text())
    assert published.keys() == document.keys()
    if name == "load":
        check_load(document)


def check_load(document: dict[str, Any]) -> None:
    """Nobody is lost, nobody gets another's answer, and whoever is refused is told that the queue is full."""
    different, _, recordings = document["different_answers"].partition(" of ")
    assert different == recordings, "an answer that went to another visitor would not be noticed"
    for crowd in ("visitors", "rush", "afterwards"):
        assert document[crowd]["failed"] == document[crowd]["swapped"] == 0
    assert document["visitors"]["refused"] == document["afterwards"]["refused"] == 0
    rush = document["rush"]
    assert rush["right"] + rush["refused"] == rush["visitors"]
    assert rush["refused"] > 0
    assert all("full" in message for message in rush["messages"])
    assert document["still_running"]


def test_a_result_names_no_path(tmp_path: Path) -> None:
    report.write_result(tmp_path, "some", {"ms": 1.0}, ("numpy",))
    text = (tmp_path / "some.json").read_text()
    assert "/" not in text
    assert set(json.loads(text)["versions"]) == {"python", "numpy"}


def test_functions_are_timed_alternately_after_their_warm_up() -> None:
    ran: list[str] = []
    runs = {"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}
    assert set(report.time_alternately(runs, rounds=2, warm_up=1)) == {"a", "b"}
    assert "".join(ran) == "aabb" * 2


def test_synthetic_voices_differ_and_have_the_requested_length() -> None:
    voices = [report.synthesize_voice(2.5, number) for number in range(24)]
    assert {voice.size for voice in voices} == {40_000}
    assert len({voice.tobytes() for voice in voices}) == 24
    assert all(voice.dtype == np.float32 for voice in voices)
