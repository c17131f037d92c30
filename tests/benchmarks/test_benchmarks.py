"""Every benchmark runs in its small form and writes what the README's table reads; how fast it was does not matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report, voices
from ser_model.evaluation.speed import ROWS, describe_speed


def run_small(name: str, project: Path, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--small", "--out", out]
    done = subprocess.run(command, check=False, cwd=project, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return dict(json.loads((out / f"{name}.json").read_text()))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ROWS, "films"])
def test_it_writes_the_command_the_machine_the_versions_and_the_date(name: str, project: Path, tmp_path: Path) -> None:
    document = run_small(name, project, tmp_path)
    assert document["command"].startswith(f"python -m benchmarks.{name}")
    assert set(document["machine"]) == {"cores", "processor", "load_before"}
    assert {"command", "date", "versions", "weights_sha256"} < set(document)
    if name in ROWS:
        assert describe_speed(tmp_path).count("python -m benchmarks.") == len(ROWS[name])
    if name == "load":
        check_load(document)


def check_load(document: dict[str, Any]) -> None:
    """Nobody is lost, nobody gets another's answer, and whoever is refused is told that the queue is full."""
    different, _, recordings = document["different_answers"].partition(" of ")
    assert different == recordings, "an answer that went to another visitor would not be noticed"
    for crowd in ("staying", "at_once", "afterwards"):
        assert document[crowd]["failed"] == document[crowd]["swapped"] == 0
    assert document["staying"]["refused"] == document["afterwards"]["refused"] == 0
    rush = document["at_once"]
    assert rush["right"] + rush["refused"] == rush["visitors"]
    assert rush["refused"] > 0
    assert all("full" in sentence for sentence in rush["said"])
    assert document["still_running"]


def test_a_result_names_no_machine_and_no_path(tmp_path: Path) -> None:
    path = report.write(tmp_path, "some", "python -m benchmarks.some", {"ms": 1.0}, ("numpy",))
    text = path.read_text()
    assert "/" not in text.replace("benchmarks/", "")
    assert set(json.loads(text)["versions"]) == {"python", "numpy"}


def test_things_timed_in_turn_run_equally_often() -> None:
    ran: list[str] = []
    took = report.time_in_turn({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, rounds=4, warm_up=2)
    assert ran == ["a", "b"] * 6
    assert set(took) == {"a", "b"}


def test_what_is_timed_warm_runs_right_before_it_is_timed() -> None:
    ran: list[str] = []
    runs = {"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}
    report.time_in_turn(runs, rounds=1, warm_up=1, just_before=2)
    assert "".join(ran) == "aaabbb" * 2


def test_made_voices_differ_and_have_the_length_asked_for() -> None:
    sounds = [voices.say(2.5, number) for number in range(24)]
    assert {sound.size for sound in sounds} == {40_000}
    assert len({sound.tobytes() for sound in sounds}) == 24
    assert voices.read_wav(voices.to_wav(sounds[0])).size == 120_000


def test_the_table_leaves_out_what_was_not_measured(tmp_path: Path) -> None:
    assert "benchmarks" not in describe_speed(tmp_path)
    held = {"clips": 500, "resident_mb": 800.0, "growth_mb": 1.0, "growth_over_the_last": 400}
    report.write(tmp_path, "memory", "python -m benchmarks.memory", held, ())
    assert describe_speed(tmp_path).count("`python -m benchmarks.memory`") == 1
