"""What is judged anew keeps the minutes of the run that trained it, and of no other."""

from __future__ import annotations

import json
from pathlib import Path

from ser_model.training.provenance import recall_minutes

SETTINGS = {"epochs": 3, "sizes": (1, 2)}


def test_the_minutes_of_the_same_run_come_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"settings": SETTINGS, "seeds": [0, 1], "minutes": 7.5}))
    assert recall_minutes(path, SETTINGS, 2) == 7.5
    assert recall_minutes(path, SETTINGS | {"epochs": 4}, 2) is None
    assert recall_minutes(path, SETTINGS, 3) is None
    assert recall_minutes(tmp_path / "none.json", SETTINGS, 2) is None
