"""Folders whose files appear when all of them are written, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_whole(folder: Path) -> Iterator[Path]:
    """Give a temporary folder to write to; its files are renamed into the wanted one at the end of the block.

    When the block fails, or the process is stopped, what lay in the wanted folder is still there as it was.

    Args:
        folder: Made when missing; files of the same names are replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".half", dir=folder.parent))
    try:
        yield half
        folder.mkdir(exist_ok=True)
        for path in sorted(half.iterdir()):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(half)
