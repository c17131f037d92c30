"""The folder where recordings lie while they are of use, and the broom that empties it, whatever became of the visit.

Gradio deletes what it remembers; what a process that was killed left, or an upload that broke off, nobody remembers.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

from gradio.utils import get_upload_folder

KEPT_S = 3_540  # with SWEEP_S an hour at most
SWEEP_S = 60
MOST_BYTES = 2 * 1024**3  # of all visitors together: a hundred full recordings
BLOCK_BYTES = 4_096  # what the smallest file takes

logger = logging.getLogger(__name__)


class NotOursError(Exception):
    """The folder of recordings belongs to somebody else."""


def folder() -> Path:
    """Return the folder of uploads."""
    return Path(get_upload_folder()).resolve()


def sweep(place: Path, kept_s: float = KEPT_S) -> None:
    """Delete files that nobody touched for longer than kept_s, then the folders that are empty."""
    for root, _, names in os.walk(place, topdown=False):
        for name in names:
            path = Path(root, name)
            try:
                if _is_older(path, kept_s):
                    path.unlink()
            except OSError as error:
                logger.warning("a recording cannot be deleted: %s", error.strerror)
        if Path(root) != place and _is_older(Path(root), kept_s) and not any(Path(root).iterdir()):
            Path(root).rmdir()


def measure() -> int:
    """Return how many bytes all recordings take together, a block at least for each."""
    return sum(_measure(Path(root, name)) for root, _, names in os.walk(folder()) for name in names)


def keep_clean() -> None:
    """Close the folder to the machine's other users, and sweep it in the background from now on.

    Raises:
        NotOursError: Another user made it, or a link in its place, which would have files of others deleted.
    """
    place = Path(get_upload_folder())
    place.mkdir(parents=True, exist_ok=True)
    own = os.geteuid() if hasattr(os, "geteuid") else 0  # as stat says on Windows, where temporary folders are apart
    if place.is_symlink() or place.stat().st_uid != own:
        raise NotOursError(f"{place} belongs to somebody else. Set GRADIO_TEMP_DIR to a folder of your own.")
    place.chmod(0o700)
    threading.Thread(target=_sweep_on, args=(folder(),), daemon=True).start()


def _measure(path: Path) -> int:
    try:
        return max(path.lstat().st_size, BLOCK_BYTES)
    except OSError:  # swept while it was counted
        return 0


def _is_older(path: Path, kept_s: float) -> bool:
    """Tell how long a file lies here, whatever age a copy brought along; one from the future is of another clock."""
    status = path.lstat()
    return abs(time.time() - max(status.st_mtime, status.st_ctime)) > kept_s


def _sweep_on(place: Path) -> None:
    while True:
        try:
            sweep(place)
        except OSError as error:  # such as a folder that is gone already; the next round goes on
            logger.warning("the folder of recordings cannot be swept: %s", error.strerror)
        time.sleep(SWEEP_S)
