"""What libraries read from the environment when they are imported: no telemetry, and a cache that can be written."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

NO_TELEMETRY = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY")


def prepare() -> None:
    """Set what the environment does not set itself. Processes that are started later inherit it."""
    for name in NO_TELEMETRY:
        os.environ.setdefault(name, "1")
    if "NUMBA_CACHE_DIR" not in os.environ and not _numba_has_a_cache():
        with suppress(OSError):  # nowhere can anything be written, which others say better
            folder = tempfile.mkdtemp(prefix="numba-")  # of this process only: what is in it is run
            os.environ["NUMBA_CACHE_DIR"] = folder
            atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _numba_has_a_cache() -> bool:
    """Return whether numba can write beside librosa, whose functions it compiles, or in the user's cache."""
    librosa = find_spec("librosa")
    if librosa is None or librosa.origin is None:
        return True
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - Path raises without a home
    for place in (Path(librosa.origin).parent / "core", Path(home, "numba")):
        with suppress(OSError):
            if place.is_absolute():
                place.mkdir(parents=True, exist_ok=True)
                if os.access(place, os.W_OK):
                    return True
    return False
