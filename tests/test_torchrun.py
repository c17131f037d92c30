"""Several processes that train one network together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_corpus import write_corpus

PATIENCE_S = 900
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), (2, 3, 5, 6, 9, 10, 14, 15, 16), repetitions=2)


def start(project: Path, corpus: Path, out: Path, epochs: int, *how: str) -> subprocess.Popen[str]:
    words = [sys.executable, *how, "train.py", "--data", corpus, "--allow-missing", "--jobs", 1]
    words += ["--folds", 0, "--epochs", epochs, "--out", out]
    return subprocess.Popen(
        [str(word) for word in words], cwd=project, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(project: Path, corpus: Path, tmp_path: Path) -> None:
    metrics = {}
    for name, how in {"one": [], "two": TORCHRUN}.items():
        run = start(project, corpus, tmp_path / name, 30, *how)
        _, errors = run.communicate(timeout=PATIENCE_S)
        assert run.returncode == 0, errors
        assert errors.count("epoch 30,") == 1  # the first process alone speaks
        metrics[name] = json.loads((tmp_path / name / "metrics.json").read_text())
    assert metrics["two"]["processes"] == 2
    assert metrics["two"]["command"].startswith("torchrun --nproc_per_node=2 train.py")
    assert min(one["uar"] for one in metrics.values()) > 0.9  # chance: 0.125
    assert abs(metrics["one"]["uar"] - metrics["two"]["uar"]) < 0.04  # three of its eighty clips
    again = start(project, corpus, tmp_path / "two", 30, *TORCHRUN)  # takes up what is there
    _, errors = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0
    assert "epoch" not in errors


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_when_one_process_is_killed_the_other_says_so_and_no_half_network_is_left(
    rank: int, project: Path, corpus: Path, tmp_path: Path
) -> None:
    run = start(project, corpus, tmp_path / "out", 10_000, *TORCHRUN)
    try:
        assert run.stderr is not None
        for line in run.stderr:
            if "epoch 2," in line:
                break
        os.kill(find_worker(run.pid, rank), signal.SIGKILL)
        _, errors = run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
    assert run.returncode != 0
    assert "train.py: Another training process has ended" in errors
    assert "Give the same command again" in errors
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_when_one_is_killed_before_it_trains_nothing_is_left_and_nobody_waits(
    project: Path, corpus: Path, tmp_path: Path
) -> None:
    run = start(project, corpus, tmp_path / "out", 10_000, *TORCHRUN)
    try:
        os.kill(find_worker(run.pid, 1), signal.SIGKILL)
        _, errors = run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
    assert run.returncode != 0
    assert "Signal 9 (SIGKILL)" in errors
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def find_worker(torchrun: int, rank: int) -> int:
    """Return the process id of torchrun's child with this rank, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split():
            if f"RANK={rank}" in Path(f"/proc/{child}/environ").read_text().split("\0"):
                return int(child)
        time.sleep(0.05)
    raise AssertionError(f"torchrun has no child of rank {rank}")
