"""The folder as a Ray Data job; it runs in a process of its own, because Ray talks on the machine's own address."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.__main__ import main


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=project, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    (folder / "deep").mkdir(parents=True)
    for number in range(4):
        sf.write(folder / "deep" / f"voice-{number}.wav", speak(pitch_hz=110 + 30 * number), RATE_HZ)
    (folder / "letter.wav").write_text("dear reader")
    (folder / os.fsdecode(b"no-text-\xff.wav")).touch()
    return folder


needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install -r requirements-cluster.txt"
)


@needs_ray
@pytest.mark.slow
def test_ray_writes_the_same_table_as_the_processes_of_one_machine(
    project: Path, archive: Path, tmp_path: Path
) -> None:
    ours, rays = tmp_path / "ours.csv", tmp_path / "rays.csv"
    assert main(["predict", str(archive), "--out", str(ours), "--jobs", "1"]) == 0
    done = run(project, "-m", "ser_model", "predict", str(archive), "--out", str(rays), "--jobs", "2", "--ray")
    assert done.returncode == 0, done.stderr
    assert rays.read_text() == ours.read_text()


def test_without_ray_the_message_says_how_to_get_it(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["predict", str(archive), "--out", str(tmp_path / "t.csv"), "--ray"]) == 2
    assert "pip install -r requirements-cluster.txt" in capsys.readouterr().err


def test_ray_is_for_folders(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(archive / "deep/voice-0.wav"), "--ray"]) == 2
    assert "--ray and --jobs are for a folder" in capsys.readouterr().err
