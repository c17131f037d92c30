"""What must hold before a release: the results reach their bars and were measured with the shipped weights."""

from __future__ import annotations

import json
import sys
from functools import reduce
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "results"
sys.path.insert(0, str(PROJECT))

from ser_model.evaluation.report import find_other_weights  # noqa: E402 - found through the line above

AT_MOST = {  # file and place in it: bar
    "clip.json/path_ms/bytes_to_probabilities": 20,
    "clip.json/compared_ms/network_with_features": 7,
    "start.json/page_over_imports": 1.1,
    "start.json/first_clip_over_imports": 1.5,
    "load.json/visitors/p95_s": 2,
    "load.json/visitors/swapped": 0,
    "load.json/visitors/failed": 0,
    "load.json/visitors/refused": 0,
    "load.json/rush/swapped": 0,
    "load.json/rush/failed": 0,
    "load.json/memory_mb/resident": 1200,
    "soak.json/growth_mb": 20,
    "soak.json/visitors/failed": 0,
    "soak.json/visitors/swapped": 0,
    "fuzz.json/slowest/ms": 5000,
    "fuzz.json/peak_memory_mb": 1000,
    "luna/metrics.json/ece": 0.05,
    "corpora/metrics.json/mean/ece": 0.10,
    "corpora/metrics.json/worst/ece": 0.20,
}
AT_LEAST = {
    "clip.json/times_faster/librosa_48_khz": 4,
    "clip.json/times_faster/wav2vec2_base_sized_encoder": 80,
    "fuzz.json/cases": 20_000,
    "luna/metrics.json/uar": 0.69,
    "luna/metrics.json/by_speaker/crema-d/uar": 0.56,
    "luna/metrics.json/recall/sad": 0.55,
    "luna/metrics.json/accuracy_at_70_percent_coverage": 0.78,
    "luna/metrics.json/gender/accuracy": 0.985,
    "luna/metrics.json/gender/worst_actor/1": 0.90,
    "corpora/metrics.json/mean/uar": 0.44,
    "corpora/metrics.json/mean/sure": 0.25,
    "corpora/metrics.json/mean/sure_accuracy": 0.57,
    "corpora/metrics.json/worst/sure_accuracy": 0.42,
    "comparison-luna/metrics.json/uar": 0.74,
    "comparison-luna/metrics.json/joined/uar": 0.76,
    "comparison-corpora/metrics.json/mean/uar": 0.46,
    "comparison-corpora/metrics.json/joined/mean/uar": 0.49,
    "comparison-corpora/metrics.json/joined/mean/sure_accuracy": 0.62,
    "comparison-corpora/metrics.json/joined/worst/sure_accuracy": 0.47,
    "classic-random-copies/metrics.json/accuracy": 0.8157,
    "enrollment.json/rows/one/uar": 0.71,
    "enrollment.json/rows/eight/uar": 0.76,
    "robustness.json/bars/small/value": 0.8,
    "robustness.json/bars/codec/value": 0.9,
    "robustness.json/bars/white/value": -0.05,
    "robustness.json/bars/product/value": 1.0,
}


def main() -> int:
    """Print what does not hold; the exit code is 1 when there is something."""
    problems = [
        f"{place} is {read(place)}, at most {bar} wanted" for place, bar in AT_MOST.items() if read(place) > bar
    ]
    problems += [
        f"{place} is {read(place)}, at least {bar} wanted" for place, bar in AT_LEAST.items() if read(place) < bar
    ]
    problems += [f"fuzz.json: case {one['number']} ended as {one['outcome']}" for one in read("fuzz.json/findings")]
    problems += [f"{name} was measured with other weights; measure again" for name in find_other_weights(RESULTS)]
    print(*problems or ["Every bar holds."], sep="\n")
    return 1 if problems else 0


def read(place: str) -> Any:
    """Return what stands at FILE.json/KEY/KEY... in results/; a number is an index of a list."""
    name, _, keys = place.partition(".json/")
    document = json.loads((RESULTS / f"{name}.json").read_text())
    return reduce(lambda found, key: found[int(key) if key.isdecimal() else key], keys.split("/"), document)


if __name__ == "__main__":
    sys.exit(main())
