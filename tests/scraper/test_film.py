from __future__ import annotations

import pytest

from scraper.film import Film


def test_links_only_to_a_title_page() -> None:
    assert Film("tt0111161", "x").url == "https://www.imdb.com/title/tt0111161/"


@pytest.mark.parametrize("imdb_id", ["", "tt12", "nm0000001", "tt0111161/../x", "tt0111161\n", "tt\u0660111161"])
def test_refuses_a_malformed_id(imdb_id: str) -> None:
    with pytest.raises(ValueError, match="tt0111161"):
        Film(imdb_id, "x")
