"""The published figures hold the bars of the project."""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

ABOVE, BELOW = 1, -1
BARS: dict[str, tuple[int, float]] = {  # file and place in it: direction, bar
    "clip/path_ms/bytes_to_answer": (BELOW, 40),
    "clip/beside_ms/network_with_features": (BELOW, 8),
    "clip/times_faster/librosa_48_khz": (ABOVE, 10),
    "clip/times_faster/original_network_162_descriptors": (ABOVE, 10),
    "clip/times_faster/wav2vec2_base_sized_encoder": (ABOVE, 80),
    "start/page_times_bare_import": (BELOW, 1.4),
    "start/first_clip_times_bare_import": (BELOW, 1.5),
    "memory/resident_mb": (BELOW, 900),
    "memory/growth_mb": (BELOW, 20),
    "mood/median_ms/endpoint": (BELOW, 60),
    "recording/seconds_to_answer/10 min": (BELOW, 4),
    "archive/clips_a_second": (ABOVE, 40),
    "load/staying/p95_s": (BELOW, 2),
    "luna/metrics/uar": (ABOVE, 0.68),
    "luna/metrics/recall/sad": (ABOVE, 0.55),
    "luna/metrics/ece": (BELOW, 0.05),
    "luna/metrics/accuracy_when_abstaining_on_30_percent": (ABOVE, 0.78),
    "luna/metrics/gender/accuracy": (ABOVE, 0.98),
    "luna/metrics/gender/worst_actor/1": (ABOVE, 0.80),
    "loso/metrics/uar": (ABOVE, 0.68),
    "emobox/metrics/minutes": (BELOW, 30),  # six folds, where the bar is for five
    "random/metrics/accuracy": (ABOVE, 0.8157),
    "classic-random-copies/metrics/accuracy": (ABOVE, 0.8157),
    "baseline/rows/one/uar": (ABOVE, 0.71),
    "baseline/rows/eight/uar": (ABOVE, 0.76),
    "baseline/rows/unlabelled/uar": (ABOVE, 0.76),
    "robustness/bars/small/value": (ABOVE, 0.8),
    "robustness/bars/codec/value": (ABOVE, 0.9),
    "robustness/bars/white/value": (ABOVE, -0.05),
    "robustness/bars/product/value": (ABOVE, 1.0),
}


def read(project: Path, place: str) -> Any:
    parts = place.split("/")
    folder = project / "results"
    if (folder / parts[0]).is_dir():
        folder, parts = folder / parts[0], parts[1:]
    document = json.loads((folder / f"{parts[0]}.json").read_text())
    return reduce(lambda found, part: found[int(part) if part.isdecimal() else part], parts[1:], document)


@pytest.mark.parametrize("place", BARS)
def test_a_published_figure_holds_its_bar(project: Path, place: str) -> None:
    direction, bar = BARS[place]
    assert direction * (read(project, place) - bar) >= 0
