"""What metrics.json says of how its figures were made: the command, the seeds, the time, the machine."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ser_model.evaluation.origin import describe_origin
from ser_model.training.processes import Team


def describe_run(arguments: argparse.Namespace, team: Team, minutes: float | None) -> dict[str, Any]:
    """Say how and with what the figures were made; minutes are those of the run that trained, None when not known."""
    return {
        "seeds": list(range(arguments.seeds)),
        "command": describe_command(arguments, team),
        "processes": team.count,
        "minutes": minutes,
        **describe_origin(("torch", "numpy")),
    }


def recall_minutes(path: Path, settings: dict[str, Any], seeds: int) -> float | None:
    """Return how long it took to train what is now judged anew, from the metrics.json of that run.

    None when there is none, or when it had other settings or seeds.
    """
    if not path.exists():
        return None
    earlier = json.loads(path.read_text())
    same = earlier["settings"] == json.loads(json.dumps(settings)) and len(earlier["seeds"]) == seeds
    minutes: float | None = earlier["minutes"] if same else None
    return minutes


def describe_command(arguments: argparse.Namespace, team: Team) -> str:
    """Write the command line that makes the same figures, with DIR for the corpus."""
    start = "python" if team.count == 1 else f"torchrun --nproc_per_node={team.count}"
    words = [f"{start} train.py --data DIR", f"--protocol {arguments.protocol}", f"--model {arguments.model}"]
    words += [f"--encoder {arguments.encoder}"] if arguments.model == "wav2vec2" else []
    words += [f"--extra {arguments.extra.name}"] if arguments.extra else []
    words += ["--choosing"] if arguments.choosing else []
    words += ["--shuffle-labels"] if arguments.shuffle_labels else []
    words += [f"--folds {' '.join(arguments.folds)}"] if arguments.folds else []
    words += [f"--epochs {arguments.epochs}"] if arguments.epochs else []
    return " ".join([*words, f"--seeds {arguments.seeds}", f"--out {arguments.out}"])
