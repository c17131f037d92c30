"""Several processes that train one network together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from made_corpus import write_corpus

PATIENCE_S = 900
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), (2, 3, 5, 6, 9, 10, 14, 15, 16), repetitions=2)


def start(project: Path, corpus: Path, out: Path, epochs: int, how: Sequence[str]) -> subprocess.Popen[str]:
    words = [sys.executable, *how, "train.py", "--data", corpus, "--allow-missing", "--jobs", 1]
    words += ["--folds", 0, "--epochs", epochs, "--out", out]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([str(word) for word in words], cwd=project, text=True, **pipes)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_and_resume(project: Path, corpus: Path, tmp_path: Path) -> None:
    metrics = {}
    for name, how in {"one": (), "two": TORCHRUN}.items():
        run = start(project, corpus, tmp_path / name, 12, how)
        _, errors = run.communicate(timeout=PATIENCE_S)
        assert run.returncode == 0, errors
        assert errors.count("epoch 12,") == 1  # only the main process reports
        metrics[name] = json.loads((tmp_path / name / "metrics.json").read_text())
    assert metrics["two"]["processes"] == 2
    assert metrics["two"]["command"].startswith("torchrun --nproc_per_node=2 train.py")
    assert min(one["uar"] for one in metrics.values()) > 0.9  # chance: 0.125
    assert abs(metrics["one"]["uar"] - metrics["two"]["uar"]) < 0.04  # three of the eighty clips
    again = start(project, corpus, tmp_path / "two", 12, TORCHRUN)
    _, errors = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0
    assert "epoch" not in errors


@pytest.mark.slow
def test_when_one_process_is_killed_the_run_stops_and_leaves_no_partial_network(
    project: Path, corpus: Path, tmp_path: Path
) -> None:
    run = start(project, corpus, tmp_path / "out", 10_000, TORCHRUN)
    try:
        assert run.stderr is not None
        next(line for line in run.stderr if "epoch 2," in line)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        workers = [pid for pid in children if b"LOCAL_RANK=1" in Path(f"/proc/{pid}/environ").read_bytes()]
        subprocess.run(["kill", "-9", *workers], check=True)
        run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
    assert run.returncode != 0
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
