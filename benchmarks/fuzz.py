"""Spoiled recordings through the whole recogniser: python -m benchmarks.fuzz [--cases N] [--first N] [--out FILE].

Each run of cases has a process with limits on time and memory of its own, so that a decoder that crashes, hangs or
takes all memory is seen, and the next case goes on. Writes results/fuzz.json.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.mutations import Corpus, make_case, make_corpus
from benchmarks.report import read_peak_mb
from ser_model.audio import AudioError
from ser_model.evaluation.origin import describe_origin, name_weights
from ser_model.recognize import EmotionRecognizer

OUT = Path("results/fuzz.json")
CASES = 20_000
CHUNK = 500  # cases a process
HANG_S = 5
MEMORY_MB = 2_000  # address space beyond what the program needs; the resident part of it is reported
VERSIONS = ("av", "soundfile", "soxr", "onnxruntime", "torch", "numpy")
NAMED = {"heard"} | {kind.__name__ for kind in AudioError.__subclasses__()}

Case = dict[str, Any]  # number, container, outcome, ms, peak_mb


def main() -> int:
    """Run the cases, write the report, and fail when something happened that has no name."""
    arguments = _parse_arguments()
    if arguments.child:
        _run_child(arguments.first, arguments.cases)
        return 0
    report = fuzz(arguments.first, arguments.cases)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps({name: report[name] for name in ("cases", "outcomes", "findings", "slowest", "peak_memory_mb")}))
    return 1 if report["findings"] else 0


def fuzz(first: int, cases: int) -> dict[str, Any]:
    """Run cases from a number on and sum up what happened."""
    started, done = time.monotonic(), list(_run_all(first, first + cases))
    slowest = max(done, key=lambda case: case["ms"])
    containers = sorted({case["container"] for case in done})
    return {
        "command": f"python -m benchmarks.fuzz --first {first} --cases {cases}",
        "cases": len(done),
        "outcomes": dict(Counter(case["outcome"] for case in done).most_common()),
        "by_container": {
            name: dict(Counter(case["outcome"] for case in done if case["container"] == name).most_common())
            for name in containers
        },
        "findings": [case for case in done if case["outcome"] not in NAMED],
        "slowest": {name: slowest[name] for name in ("number", "container", "outcome", "ms")},
        "peak_memory_mb": max(case["peak_mb"] for case in done),
        "peak_memory_before_the_first_case_mb": min(case["base_mb"] for case in done),
        "limits": {"hang_s": HANG_S, "extra_address_space_mb": MEMORY_MB},
        "took_s": round(time.monotonic() - started),
        "weights_sha256": name_weights(),
        **describe_origin(VERSIONS),
    }


def _run_all(first: int, stop: int) -> Iterator[Case]:
    """Run chunks of cases, each in a process of its own; what ended one is a case of its own kind."""
    while first < stop:
        count = min(CHUNK, stop - first)
        command = [sys.executable, "-m", "benchmarks.fuzz", "--child", "--first", str(first), "--cases", str(count)]
        child = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - itself
        lines = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
        done = [line for line in lines if "outcome" in line]
        yield from done
        first += len(done)
        if len(done) < count:
            if not lines or "outcome" in lines[-1]:
                raise RuntimeError(f"A process of the fuzzer did not start:\n{child.stderr[-2000:]}")
            hung = "Timeout (" in child.stderr
            yield lines[-1] | {"outcome": "hang" if hung else f"crash {child.returncode}", "ms": 1000 * HANG_S * hung}
            first += 1


def _run_child(first: int, count: int) -> None:
    """Judge cases and print one line of JSON before and one behind each."""
    corpus, recognizer = make_corpus(), EmotionRecognizer.load()
    recognizer.recognize(corpus["wav-16"])
    base_mb = read_peak_mb()
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_MB * 2**20,) * 2)
    for number in range(first, first + count):
        _run_case(number, corpus, recognizer, base_mb)


def _run_case(number: int, corpus: Corpus, recognizer: EmotionRecognizer, base_mb: int) -> None:
    container, data = make_case(number, corpus)
    case = {"number": number, "container": container, "peak_mb": 0, "base_mb": base_mb}
    print(json.dumps(case), flush=True)
    faulthandler.dump_traceback_later(HANG_S, exit=True)
    begin = time.perf_counter()
    try:
        recognizer.recognize(data)
        outcome = "heard"
    except AudioError as error:
        outcome = type(error).__name__
    except Exception as error:  # noqa: BLE001 - an error without a name is what is looked for
        outcome = f"unexpected {type(error).__name__}: {error}"
    faulthandler.cancel_dump_traceback_later()
    case |= {"outcome": outcome, "ms": round(1000 * (time.perf_counter() - begin), 1), "peak_mb": read_peak_mb()}
    print(json.dumps(case), flush=True)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first case")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
