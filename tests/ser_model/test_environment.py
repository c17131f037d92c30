"""No telemetry, and a cache for numba wherever the program lies."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from ser_model import environment


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*environment.NO_TELEMETRY, "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")  # restores it at the end
        monkeypatch.delenv(name)
    monkeypatch.setattr(environment.tempfile, "tempdir", str(tmp_path))


def lie_in(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = types.SimpleNamespace(origin=str(place / "librosa/__init__.py"))
    monkeypatch.setattr(environment, "find_spec", lambda _: spec)


@pytest.mark.parametrize("home", ["/proc/nowhere", "~"])
def test_where_nothing_can_be_written_numba_gets_a_folder_of_this_process(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie_in(Path("/proc/nowhere"), monkeypatch)
    monkeypatch.setenv("HOME", home)
    environment.prepare()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    environment.prepare()  # as a process that this one starts
    assert Path(os.environ["NUMBA_CACHE_DIR"]) == folder


def test_numba_keeps_its_own_place_if_it_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/proc/nowhere")
    lie_in(tmp_path, monkeypatch)
    environment.prepare()
    assert "NUMBA_CACHE_DIR" not in os.environ
    lie_in(Path("/proc/nowhere"), monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    environment.prepare()
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_onnx_runtime_leaves_no_identifier(project: Path, tmp_path: Path) -> None:
    code = "from ser_model.vad import SpeechDetector; SpeechDetector()"
    environ = {"HOME": str(tmp_path), "PATH": os.defpath}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=project, env=environ)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
