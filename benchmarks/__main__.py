"""Runs one benchmark and writes DIR/NAME.json: python -m benchmarks clip | start | load | soak | fuzz."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

BENCHMARKS = {
    "clip": "a 4 s clip from bytes to probabilities, and the network beside its alternatives",
    "start": "python app.py to the page and to the first answer, relative to the imports",
    "load": "50 visitors for two minutes, then 200 at once",
    "soak": "ten visitors for half an hour: does the memory grow?",
    "fuzz": "damaged recordings: is every failure a named error?",
}


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark that the command line names; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    for name, about in BENCHMARKS.items():
        command = names.add_parser(name, help=about, description=about)
        command.add_argument("--small", action="store_true", help="a few rounds, to see that it works")
        command.add_argument("--out", type=Path, default=Path("results"), metavar="DIR", help="default: %(default)s")
        if name == "fuzz":
            command.add_argument("--cases", type=int, default=20_000, metavar="N", help="default: %(default)s")
            command.add_argument("--first", type=int, default=0, metavar="N", help="number of the first case")
    options = parser.parse_args(argv)
    return int(importlib.import_module(f"benchmarks.{options.name}").run(options))


if __name__ == "__main__":
    sys.exit(main())
