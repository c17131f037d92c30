"""The large model loads in the background: nobody waits who does not ask, and what is missing is one line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ser_model.recognize import EmotionRecognizer
from ser_model.wav2vec2 import ComparisonMissing, load_comparison
from ui.rival import Rival, on_gpu


def test_it_loads_once_in_the_background() -> None:
    go = threading.Event()
    loaded: list[str] = []

    def load() -> str:
        go.wait(5)
        loaded.append("model")
        return "model"

    rival = Rival(load)  # type: ignore[arg-type]
    assert not rival.wait(0.01)
    assert not rival.wait(0.01)
    go.set()
    assert rival.wait(5)
    assert rival.wait(0)
    assert loaded == ["model"]


def test_what_is_missing_is_said_and_looked_for_again(tmp_path: Path) -> None:
    rival = Rival(lambda: load_comparison(tmp_path))
    for _ in range(2):
        with pytest.raises(ComparisonMissing, match=r"python train\.py .*--model wav2vec2"):
            rival.wait(5)
    rival._load = lambda: "model"  # type: ignore[assignment,return-value]
    assert rival.wait(5)


def test_what_breaks_while_it_loads_is_said_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> EmotionRecognizer:
        raise RuntimeError("shapes differ")

    with pytest.raises(ComparisonMissing, match="the reason stands in the log"):
        Rival(load).wait(5)
    assert "shapes differ" in caplog.text


def test_away_from_zerogpu_nothing_is_decorated() -> None:
    assert on_gpu(str.upper) is str.upper  # type: ignore[arg-type,comparison-overlap]


@pytest.mark.slow
def test_on_zerogpu_only_the_comparison_asks_for_the_gpu(project: Path) -> None:
    zero = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:1", "SYSTEM": "spaces"}
    asks = "hasattr(rival.hear, '__wrapped__'), hasattr(service.hear, '__wrapped__')"
    code = f"import app; from ui import rival, service; print({asks})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=os.environ | zero, capture_output=True, text=True, check=False
    )
    assert done.stdout.split()[-2:] == ["True", "False"], done.stderr[-800:]
