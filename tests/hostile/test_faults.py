"""The command lines where nothing can be written: they go on where they can, and say one line where they cannot."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest


def run(project: Path, *arguments: str, limit_bytes: int = -1, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of the project, perhaps where no file may grow beyond a limit, as on a full disk."""

    def fill_disk() -> None:
        if limit_bytes >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    environment |= {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    quiet = {"capture_output": True, "text": True, "timeout": 100}
    return subprocess.run(command, check=False, cwd=project, env=environment, preexec_fn=fill_disk, **quiet)


@pytest.mark.parametrize(
    ("home", "limit_bytes", "warning"),
    [("/proc/nowhere", -1, "pages are kept in memory"), ("/dev/null", -1, "pages are kept in memory"), ("", 0, "")],
    ids=["nowhere", "no folder", "full disk"],
)
def test_a_home_without_room_costs_only_the_cached_pages(
    project: Path, tmp_path: Path, home: str, limit_bytes: int, warning: str
) -> None:
    environment = {"MOOD_HOME": home or str(tmp_path), "IMDB_BASE_URL": "http://imdb.invalid"}
    done = run(project, "scraper", "search", "--mood", "sad", limit_bytes=limit_bytes, **environment)
    assert done.returncode == 0
    assert done.stdout.count("https://www.imdb.com/title/") == 24
    assert warning in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_without_room_is_one_line(project: Path, tmp_path: Path) -> None:
    clip = str(project / "ui/voices/cheerful.wav")
    done = run(project, "ser_model", "predict", clip, "--out", str(tmp_path / "table.csv"), limit_bytes=100)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "File too large" in done.stderr or "No space" in done.stderr
