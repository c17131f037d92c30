from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from scraper.cache import FileNote, open_cache
from scraper.errors import ScraperError


def test_a_note_survives_in_its_file(tmp_path: Path) -> None:
    open_cache(tmp_path / "deep" / "pages.sqlite").note.write("text")
    assert open_cache(tmp_path / "deep" / "pages.sqlite").note.read() == "text"


def test_a_missing_note_is_empty(tmp_path: Path) -> None:
    assert FileNote(tmp_path / "none").read() == ""


@pytest.mark.skipif(importlib.util.find_spec("redis") is not None, reason="the package redis is installed")
def test_a_redis_address_without_its_package_says_what_to_install() -> None:
    with pytest.raises(ScraperError, match="pip install redis"):
        open_cache("redis://127.0.0.1:1/0")
