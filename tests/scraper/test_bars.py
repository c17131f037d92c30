"""The figures of results/films.json, with room for a busy machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.films import TITLES, time_lists, time_pages, time_tables


def test_a_large_page_is_read_quickly() -> None:
    pages = time_pages()
    assert all(page["bytes"] > 1_100_000 for page in pages.values())
    assert all(page["ms"] < 60 for page in pages.values())


def test_the_bundled_list_answers_quickly() -> None:
    lists = time_lists(times=3)
    assert lists["bundled_query_ms"] < 15
    assert lists["recommendation_ms"] < 40


@pytest.mark.slow
def test_two_million_titles_fit_into_a_minute_and_a_small_memory(tmp_path: Path) -> None:
    tables = time_tables(tmp_path, TITLES)["tables"]
    assert tables["titles"] == 2_000_000
    assert tables["import_s"] < 60
    assert tables["import_peak_mb"] < 1536
    assert tables["query_ms"] < 50
