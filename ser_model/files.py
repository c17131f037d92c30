"""The one way to write files, for serving, training and evaluation: an interrupted run leaves none incomplete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder whose files replace those in the wanted one, or make it, at the end of the block.

    If the block fails or the process is stopped, the wanted folder stays as it was. Only that folder must be writable,
    or its parent if it does not exist yet.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = folder if folder.is_dir() else folder.parent  # on the same file system, so that files can be moved
    tmp = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".tmp", dir=place))
    try:
        yield tmp
        folder.mkdir(exist_ok=True)
        for path in sorted(tmp.iterdir()):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(tmp)
