"""What the hostile tests share: a copy of the program that may be spoiled."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

PARTS = ("app.py", "ser_model", "scraper", "ui", "examples")


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """The program alone, where its files can be spoiled."""
    for part in PARTS:
        source, target = project / part, tmp_path / "copy" / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
    return tmp_path / "copy"
