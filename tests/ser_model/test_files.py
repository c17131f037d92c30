from __future__ import annotations

from pathlib import Path

import pytest

from ser_model.files import atomic_folder


def test_files_appear_together_beside_those_that_were_there(tmp_path: Path) -> None:
    folder = tmp_path / "deep/weights"
    folder.mkdir(parents=True)
    for name in ("old.txt", "config.json"):
        (folder / name).write_text("old")
    with atomic_folder(folder) as tmp:
        (tmp / "config.json").write_text("new")
        assert (folder / "config.json").read_text() == "old"
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"config.json": "new", "old.txt": "old"}
    assert list(folder.parent.iterdir()) == [folder]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(folder: Path) -> None:
        with atomic_folder(folder) as tmp:
            (tmp / "model.safetensors").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path / "weights")
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_outside_of_an_existing_folder(tmp_path: Path) -> None:
    """Such as when only the checkout may be written to, and not the folder that it lies in."""
    folder = tmp_path / "results"
    folder.mkdir()
    with atomic_folder(folder) as tmp:
        (tmp / "metrics.json").write_text("{}")
        assert list(tmp_path.iterdir()) == [folder]
    assert [path.name for path in folder.iterdir()] == ["metrics.json"]
