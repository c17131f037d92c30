from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scraper.catalogue import Catalogue
from scraper.errors import QueryError
from scraper.film import GENRES, Film
from scraper.query import FilmQuery, Sort

few_genres = st.lists(st.sampled_from(GENRES), max_size=2, unique=True)


@st.composite
def queries(draw: st.DrawFn) -> FilmQuery:
    wanted = draw(few_genres)
    return FilmQuery(
        genres=tuple(wanted),
        not_genres=tuple(g for g in draw(few_genres) if g not in wanted),
        from_year=draw(st.none() | st.integers(1950, 1990)),
        to_year=draw(st.none() | st.integers(1990, 2024)),
        min_rating=draw(st.none() | st.floats(0, 10)),
        min_votes=draw(st.none() | st.integers(0, 10**6)),
        max_minutes=draw(st.none() | st.integers(60, 200)),
        languages=draw(st.sampled_from([(), ("en",), ("fr", "ko")])),
        tones=draw(st.sampled_from([(), ("funny",), ("warm", "funny")])),
        kids=draw(st.booleans()),
        lead=draw(st.sampled_from(["woman", "man", "any"])),
        sort=draw(st.sampled_from(Sort)),
    )


@given(queries())
def test_every_query_has_an_address_for_films_only(query: FilmQuery) -> None:
    parts = urlsplit(query.to_url("https://www.imdb.com/"))
    parameters = parse_qs(parts.query, strict_parsing=True)
    assert (parts.netloc, parts.path) == ("www.imdb.com", "/search/title/")
    assert parameters["title_type"] == ["feature"]
    assert "adult" not in parameters
    assert all(value not in {"", ","} for values in parameters.values() for value in values)


@given(query=queries())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_sql_and_the_test_of_a_single_film_agree(catalogue: Catalogue, query: FilmQuery) -> None:
    table = catalogue.bundled
    expected = {film.imdb_id for film in table.by_id.values() if query.accepts(film)}
    assert {film.imdb_id for film in table.find(query)} == expected


def test_the_address_carries_every_filter_imdb_knows() -> None:
    """Of several genres the first, and whole numbers from a slider of the page."""
    query = FilmQuery(
        genres=("sci-fi", "Drama"), not_genres=("War", "Horror"), to_year=2020, min_rating=7, min_votes=5000,
        max_minutes=120, languages=("fr", "ko"), kids=True, sort=Sort.RATING,
        from_year=2010.0,  # type: ignore[arg-type]
    )  # fmt: skip
    parameters = parse_qs(urlsplit(query.to_url("https://x")).query)
    assert parameters == {
        "title_type": ["feature"], "genres": ["sci-fi,!war,!horror"], "release_date": ["2010-01-01,2020-12-31"],
        "user_rating": ["7,"], "num_votes": ["5000,"], "runtime": [",120"], "primary_language": ["fr,ko"],
        "certificates": ["US:G,US:PG"],
        "sort": ["user_rating,desc"], "count": ["50"],
    }  # fmt: skip
    parameters = parse_qs(urlsplit(FilmQuery(genres=("Drama",), interest="in0000090").to_url("https://x")).query)
    assert (parameters["interests"], "genres" in parameters) == (["in0000090"], False)


@pytest.mark.parametrize(
    "filters",
    [
        {"genres": ("Joy",)},
        {"genres": ("Comedy",), "not_genres": ("comedy",)},
        {"from_year": 2020, "to_year": 2010},
        {"from_year": 1500},
        {"from_year": 2000.5},
        {"min_rating": 11},
        {"min_rating": float("nan")},
        {"min_votes": -1},
        {"max_minutes": 0},
        {"languages": ("en&adult=include",)},
        {"languages": "en"},
        {"tones": ("soggy",)},
        {"kids": "yes"},
        {"day": "tomorrow"},
        {"day": 20261128},
        {"lead": "both"},
        {"sort": "random"},
        {"limit": 101},
    ],
)
def test_impossible_filters_are_refused_with_a_remedy(filters: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as refusal:
        FilmQuery(**filters)
    assert any(word in str(refusal.value) for word in ("must", "choose", "swap", "take"))


def test_an_unknown_fact_does_not_pass_a_filter_on_it() -> None:
    film = Film("tt0000001", "x")
    assert FilmQuery().accepts(film)
    for query in (
        FilmQuery(from_year=2000),
        FilmQuery(min_rating=1),
        FilmQuery(languages=("en",)),
        FilmQuery(lead="man"),
    ):
        assert not query.accepts(film)


@pytest.mark.parametrize("imdb_id", ["", "tt12", "nm0000001", "tt0111161/../x", "tt0111161\n", "tt\u0660111161"])
def test_a_film_links_only_to_a_title_page(imdb_id: str) -> None:
    assert Film("tt0111161", "x").url == "https://www.imdb.com/title/tt0111161/"
    with pytest.raises(ValueError, match="tt0111161"):
        Film(imdb_id, "x")
