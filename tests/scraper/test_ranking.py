from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.film import Film
from scraper.query import Sort
from scraper.ranking import BANDS, SAME_FIRST_GENRE, SCREEN, fit, rank, series

WEIGHTS = {"Comedy": 1.0, "Family": 0.5}
GENRES = ["Comedy", "Family", "Drama", "War"]


def film(number: int, *genres: str, title: str = "", rating: float = 7, votes: int = 1000) -> Film:
    return Film(f"tt{number:07d}", title or f"Film {number} x", 2000, genres, rating, votes)


films = st.lists(st.lists(st.sampled_from(GENRES), min_size=1, max_size=3, unique=True), max_size=60).map(
    lambda rows: [film(n, *genres) for n, genres in enumerate(rows)]
)


@given(films)
def test_ranking_only_orders_the_films_that_fit(candidates: list[Film]) -> None:
    ranked = rank(candidates, WEIGHTS, Sort.LATEST)
    assert Counter(ranked) == Counter(f for f in candidates if fit(f, WEIGHTS) > 0)
    assert ranked == rank(candidates, WEIGHTS, Sort.LATEST)


@given(films)
def test_the_first_screen_is_varied_where_the_films_allow(candidates: list[Film]) -> None:
    ranked = rank(candidates, WEIGHTS, Sort.LATEST)
    firsts = Counter(f.genres[0] for f in ranked)
    if sum(min(count, SAME_FIRST_GENRE) for count in firsts.values()) >= SCREEN:
        assert max(Counter(f.genres[0] for f in ranked[:SCREEN]).values()) <= SAME_FIRST_GENRE


def test_well_fitting_films_come_before_the_others_and_keep_the_given_order() -> None:
    candidates = [film(1, "Drama", "Comedy", "War"), film(2, "Comedy"), film(3, "Comedy", "Family"), film(4, "War")]
    assert [f.imdb_id[-1] for f in rank(candidates, WEIGHTS, Sort.LATEST)] == ["2", "3", "1"]


def test_a_film_few_people_liked_gives_way_to_one_that_fits_as_well() -> None:
    poor, good = film(1, "Comedy", rating=4.5, votes=90_000), film(2, "Comedy", rating=8, votes=90_000)
    assert rank([poor, good], WEIGHTS, Sort.LATEST) == [good, poor]


@given(films)
def test_every_later_screen_is_varied_too(candidates: list[Film]) -> None:
    ranked = rank(candidates, {}, Sort.LATEST)
    for start in range(0, len(ranked), SCREEN):
        rest = Counter(f.genres[0] for f in ranked[start:])
        if sum(min(count, SAME_FIRST_GENRE) for count in rest.values()) >= SCREEN:
            firsts = Counter(f.genres[0] for f in ranked[start : start + SCREEN])
            assert max(firsts.values()) <= SAME_FIRST_GENRE


@given(films)
def test_a_film_of_a_lower_band_never_stands_first_among_its_genre(candidates: list[Film]) -> None:
    ranked = rank(candidates, WEIGHTS, Sort.LATEST)
    best = max((fit(f, WEIGHTS) for f in ranked), default=0)
    first_of: dict[str, Film] = {}
    for f in ranked:
        first = first_of.setdefault(f.genres[0], f)
        assert fit(f, WEIGHTS) - fit(first, WEIGHTS) <= best / BANDS + 1e-9


def test_of_a_series_whose_film_was_shown_no_other_follows() -> None:
    candidates = [film(1, "Comedy", title="Toy Story 4"), film(2, "Comedy", title="Toy Story"), film(3, "Comedy")]
    assert rank(candidates, WEIGHTS, Sort.LATEST, exclude={"tt0000001"}) == [candidates[2]]


def test_without_a_mood_every_film_fits() -> None:
    assert len(rank([film(1, "War"), film(2)], {}, Sort.LATEST)) == 2


def test_a_few_votes_do_not_make_the_best_film() -> None:
    few, many = film(1, "Comedy", rating=9.9, votes=50), film(2, "Comedy", rating=8.5, votes=900_000)
    assert rank([few, many], WEIGHTS, Sort.RATING) == [many, few]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Toy Story", "Toy Story 3"),
        ("Rocky", "Rocky II"),
        ("The Lord of the Rings: The Two Towers", "The Lord of the Rings: The Return of the King"),
        ("Harry Potter and the Goblet of Fire", "Harry Potter and the Chamber of Secrets"),
        ("John Wick: Chapter 4", "John Wick"),
        ("Mission: Impossible - Fallout", "Mission: Impossible II"),
        ("The Godfather Part II", "The Godfather"),
        ("Kill Bill: Vol. 1", "Kill Bill: Vol. 2"),
        ("The Avengers", "Avengers: Endgame"),
    ],
)
def test_titles_of_one_series_are_seen_as_such(one: str, other: str) -> None:
    assert series(one) == series(other)
    assert len(rank([film(1, "Comedy", title=one), film(2, "Comedy", title=other)], WEIGHTS, Sort.LATEST)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1917", "1984"),
        ("Heat", "Her"),
        ("8", "9"),
        ("Beauty and the Beast", "Beauty and the Boss"),
        ("The Boy and the Heron", "The Boy and the Beast"),
    ],
)
def test_other_titles_are_not(one: str, other: str) -> None:
    assert series(one) != series(other)
