"""Documents of results/, and what they say of where they come from: day, machine, versions, name of the weights."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ser_model.files import CONFIG_NAME
from ser_model.recognize import WEIGHTS


def describe_origin(packages: tuple[str, ...]) -> dict[str, Any]:
    """Return today's date, the machine, and the versions of Python and of some packages; nothing that names anybody."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": len(os.sched_getaffinity(0)), "processor": _read_processor()},
        "versions": {"python": platform.python_version(), **{package: version(package) for package in packages}},
    }


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write figures as indented JSON, in a folder that may not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def name_weights(folder: Path = WEIGHTS) -> str:
    """Return the SHA-256 of the weights that are shipped, for results that were measured with them."""
    return str(json.loads((folder / CONFIG_NAME).read_text())["weights_sha256"])


def _read_processor() -> str:
    """Return the processor's family as Linux calls it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
