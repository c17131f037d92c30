"""Folders and files that appear when all of them is written, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


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


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as a .npy file, in a folder that is made when missing.

    A process that ends meanwhile, or a machine that loses its power, leaves no half of it under the wanted name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.half")
    with half.open("wb") as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
