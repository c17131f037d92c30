"""Exports of Letterboxd and IMDb tell what somebody has seen."""

from __future__ import annotations

import pytest

from scraper.errors import QueryError
from scraper.film import Film
from scraper.seen import read_seen

FILMS = [Film("tt0000001", "Amélie", 2001), Film("tt0000002", "Heat", 1995), Film("tt0000003", "Heat", 1996)]


def test_imdb_names_films_by_id() -> None:
    export = "\ufeffConst,Your Rating,Title\ntt0113277,8,Heat\n,,\nnonsense,1,x\n".encode()
    assert read_seen(export, []) == {"tt0113277"}


def test_letterboxd_names_them_by_title_and_year() -> None:
    export = (
        b"Date,Name,Year,Letterboxd URI\n2024-01-01,AMELIE,2002,x\n2024-01-01,Heat,1995,x\n2024-01-01,Heat,1950,x\n"
    )
    assert read_seen(export, FILMS) == {"tt0000001", "tt0000002"}


@pytest.mark.parametrize("export", [b"", b"\xff\xfe", b"a,b\n1,2\n", b"Name,Year\n\x00\n"])
def test_anything_else_is_refused_in_a_sentence_or_holds_nothing(export: bytes) -> None:
    try:
        assert read_seen(export, FILMS) == frozenset()
    except QueryError as error:
        assert "Letterboxd" in str(error)  # noqa: PT017
