from __future__ import annotations

from pathlib import Path

import pytest

from ser_model.training.whole import write_whole


def test_files_appear_together_beside_those_that_were_there(tmp_path: Path) -> None:
    folder = tmp_path / "deep/weights"
    folder.mkdir(parents=True)
    (folder / "old.txt").write_text("old")
    (folder / "config.json").write_text("old")
    with write_whole(folder) as half:
        (half / "config.json").write_text("new")
        assert (folder / "config.json").read_text() == "old"
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"config.json": "new", "old.txt": "old"}
    assert list(folder.parent.iterdir()) == [folder]


def fail_halfway(folder: Path) -> None:
    with write_whole(folder) as half:
        (half / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fail_halfway(tmp_path / "weights")
    assert not list(tmp_path.iterdir())
