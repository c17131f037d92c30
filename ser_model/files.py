"""The files of weights and the config.json beside them: read, compared, or refused with what to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

CONFIG_NAME, WEIGHTS_NAME = "config.json", "model.safetensors"
REMEDY = "Fetch it again or run train.py --protocol all."


class WeightsError(RuntimeError):
    """The weights are missing or damaged; the message says how to get them."""


def read_checked(path: Path, digest: str | None) -> bytes:
    """Read a file and compare it with its SHA-256, if it has one.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds other bytes.
    """
    data = path.read_bytes()
    if digest not in (None, hashlib.sha256(data).hexdigest()):
        raise ValueError(f"{path} holds other bytes than were published")
    return data


def read_config(folder: Path) -> dict[str, Any]:
    """Read FOLDER/config.json.

    Raises:
        WeightsError: It is missing or damaged.
    """
    try:
        return dict(json.loads((folder / CONFIG_NAME).read_text()))
    except (OSError, TypeError, ValueError) as error:
        raise WeightsError(f"{folder / CONFIG_NAME} is missing or damaged. {REMEDY}") from error
