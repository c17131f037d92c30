"""The drawer's answers become one query."""

from __future__ import annotations

import pytest

from scraper.errors import QueryError
from scraper.query import FilmQuery, Sort
from ser_model.labels import Gender
from ui import filters


def test_an_untouched_drawer_filters_nothing() -> None:
    assert filters.read(filters.DEFAULTS.values(), Gender.MALE, 12) == FilmQuery(limit=12)
    assert filters.read((), None, 12) == FilmQuery(limit=12)


def test_every_answer_reaches_the_query() -> None:
    query = filters.read((["Comedy"], ["War"], "2000", "2010", "7", "120", "fr", "woman", "popular"), None, 5)
    assert query == FilmQuery(
        genres=("Comedy",), not_genres=("War",), from_year=2000, to_year=2010, min_rating=7.0, max_minutes=120,
        language="fr", lead="woman", sort=Sort.POPULAR, limit=5,
    )  # fmt: skip


@pytest.mark.parametrize(("gender", "lead"), [(Gender.FEMALE, "woman"), (Gender.MALE, "man")])
def test_like_my_voice_asks_for_a_lead_that_sounds_like_it(gender: Gender | None, lead: str) -> None:
    asked = filters.DEFAULTS | {"lead": filters.LIKE_MY_VOICE}
    assert filters.read(asked.values(), gender, 12).lead == lead


def test_like_my_voice_without_a_voice_is_a_sentence_and_no_other_list() -> None:
    asked = filters.DEFAULTS | {"lead": filters.LIKE_MY_VOICE}
    with pytest.raises(QueryError, match="needs a recording; say a sentence"):
        filters.read(asked.values(), None, 12)


def test_years_the_wrong_way_round_are_a_sentence() -> None:
    with pytest.raises(QueryError, match="swap them"):
        filters.read((None, None, "2010", "2000"), None, 12)
