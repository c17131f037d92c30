"""What every benchmark shares: its options, how it takes a median, and the file it writes with machine and versions."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ser_model.evaluation.origin import describe_origin, name_weights

RESULTS = Path("results")
LOAD_BEFORE = os.getloadavg()[0]  # of the last minute, before the benchmark itself loads anything


def read_options(name: str, about: str | None) -> argparse.ArgumentParser:
    """Return a parser with the two options that every benchmark has."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("--small", action="store_true", help="a few rounds: whether it works, not how fast it is")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help="where NAME.json is written")
    return parser


def time_ms(run: Callable[[], object]) -> float:
    """Run once; return the milliseconds it took."""
    started = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - started)


def time_in_turn(
    runs: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 3, just_before: int = 0
) -> dict[str, float]:
    """Time several things in turn, so that whatever else the machine does disturbs all of them alike.

    Args:
        runs: What to time, by name.
        rounds: How often each is timed.
        warm_up: How many rounds go before.
        just_before: How often each is run right before it is timed, to be timed warm; without, each finds in the
            processor's caches what the one before it left there.

    Returns:
        The median of each in milliseconds.
    """
    took: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(warm_up + rounds):
        for name, run in runs.items():
            for _ in range(just_before):
                run()
            ms = time_ms(run)
            if number >= warm_up:
                took[name].append(ms)
    return {name: round(statistics.median(times), 2) for name, times in took.items()}


def read_peak_mb() -> int:
    """Return this process's highest resident memory in MB, as Linux has it: getrusage gives a larger parent's."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024  # kB


def write(folder: Path, name: str, command: str, numbers: Mapping[str, Any], packages: tuple[str, ...]) -> Path:
    """Write FOLDER/NAME.json: the command, the numbers, and where they come from."""
    document = {"command": command, **numbers, "weights_sha256": name_weights(), **describe_origin(packages)}
    document["machine"]["load_before"] = round(LOAD_BEFORE, 2)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(path.read_text(), end="")
    return path
