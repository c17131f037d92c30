from __future__ import annotations

from pathlib import Path

import pytest

from ser_model.__main__ import main


def test_explore_draws_the_corpus(corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--data", str(corpus_folder), "--out", str(tmp_path)]) == 0
    pictures = capsys.readouterr().out.split()
    assert len(pictures) == 3
    assert all(Path(path).stat().st_size > 5_000 for path in pictures)


@pytest.mark.parametrize("command", [["explore", "--out", "x"], ["robustness", "--out", "x.json"]])
def test_an_empty_folder_is_one_clear_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--data", str(tmp_path)]) == 2
    assert "zenodo" in capsys.readouterr().err
