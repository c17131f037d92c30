"""Films are ordered by fit, liking and the chance of the day, in screens that are varied."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scraper.film import Film
from scraper.query import FilmQuery, Sort
from scraper.rank import MAX_SAME_GENRE, SCREEN_SIZE, Wish, rank

LIGHT = Wish(
    {"Comedy": 1.0, "Family": 0.5}, {"warm": 1.0, "funny": 0.8}, frozenset({"dark"}), frozenset({"War"}), seed="s"
)
QUERY = FilmQuery(limit=100, day=date(2026, 11, 28))


def film(number: int, *genres: str, tone: str = "funny", title: str = "", rating: float = 7, **facts: Any) -> Film:
    words = tuple(tone.split())
    return Film(f"tt{number:07d}", title or f"Film {number}", **{"year": 2000, "votes": 10**5} | facts,
                genres=genres, rating=rating, tone=words)  # fmt: skip


some_films = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["Comedy", "Family", "Drama", "War"]), min_size=1, max_size=3, unique=True),
        st.sampled_from(["", "funny", "warm funny", "sad", "funny dark"]),
    ),
    max_size=60,
).map(lambda rows: [film(n, *genres, tone=tone) for n, (genres, tone) in enumerate(rows)])


@given(some_films)
def test_every_film_fits_or_is_counted(films: list[Film]) -> None:
    ranked, others = rank(films, LIGHT, QUERY)
    assert Counter(ranked) == Counter(one for one in films if LIGHT.fit(one))
    assert len(ranked) + others == len(films)
    everything, rest = rank(films, LIGHT, QUERY, others=True)
    assert (everything[: len(ranked)], len(everything), rest) == (ranked, len(films), 0)


@given(some_films)
def test_every_screen_is_varied_if_the_films_allow(films: list[Film]) -> None:
    ranked, _ = rank(films, LIGHT, QUERY)
    for start in range(0, len(ranked), SCREEN_SIZE):
        rest = Counter(one.genres[0] for one in ranked[start:])
        if sum(min(count, MAX_SAME_GENRE) for count in rest.values()) >= SCREEN_SIZE:
            firsts = Counter(one.genres[0] for one in ranked[start : start + SCREEN_SIZE])
            assert max(firsts.values()) <= MAX_SAME_GENRE


@given(some_films)
def test_leaving_out_what_was_shown_continues_the_list(films: list[Film]) -> None:
    first, _ = rank(films, LIGHT, FilmQuery(limit=SCREEN_SIZE, day=QUERY.day))
    second, _ = rank(films, LIGHT, FilmQuery(limit=SCREEN_SIZE, day=QUERY.day), {one.imdb_id for one in first})
    assert first + second == rank(films, LIGHT, FilmQuery(limit=2 * SCREEN_SIZE, day=QUERY.day))[0]


def test_all_genres_and_all_tones_of_a_film_count() -> None:
    best = LIGHT.fit(film(1, "Comedy", tone="warm"))
    assert best == 1
    assert (
        best
        > LIGHT.fit(film(1, "Comedy", "Drama", tone="warm"))
        > LIGHT.fit(film(1, "Comedy", "Drama", tone="warm sad"))
    )
    assert 0 < LIGHT.fit(film(1, "Comedy", "War", tone="warm")) < LIGHT.fit(film(1, "Comedy", "Drama", tone="warm"))
    assert LIGHT.fit(film(1, "Drama", tone="warm")) > 0
    for tone in ("warm dark", "sad"):
        assert LIGHT.fit(film(1, "Comedy", tone=tone)) == 0


def test_films_of_unknown_tone_are_judged_by_genres_and_certificate() -> None:
    assert 0 < LIGHT.fit(film(1, "Comedy", tone="")) < LIGHT.fit(film(1, "Comedy"))
    for hard in (
        film(1, "Comedy", "War", tone=""),
        film(1, "Comedy", tone="", certificate="R"),
        film(1, "Drama", tone=""),
    ):
        assert LIGHT.fit(hard) == 0


def test_liked_films_and_new_ones_tend_to_come_first() -> None:
    films = [film(n, "Comedy", rating=8.5 if n % 2 else 5) for n in range(200)]
    first, _ = rank(films, LIGHT, FilmQuery(limit=24, day=QUERY.day))
    assert sum(one.rating == 8.5 for one in first) >= 18
    films = [film(n, "Comedy", year=2026 if n % 2 else 2010) for n in range(200)]
    first, _ = rank(films, LIGHT, FilmQuery(limit=24, day=QUERY.day))
    assert sum(one.year == 2026 for one in first) >= 13


def test_the_first_part_of_a_series_comes_first_and_the_others_on_later_screens() -> None:
    parts = [film(n, "Comedy", title=f"Part {n}", year=2000 + n) for n in range(3)]
    others = [film(n, ("Comedy", "Family", "Drama", "War")[n % 4]) for n in range(10, 60)]
    ranked, _ = rank([*reversed(parts), *others], LIGHT, QUERY, series={one.imdb_id: "part" for one in parts})
    places = [ranked.index(part) for part in parts]
    assert places == sorted(places)
    assert len({place // SCREEN_SIZE for place in places}) == 3
    second, _ = rank([*parts, *others], LIGHT, QUERY, {parts[0].imdb_id}, {one.imdb_id: "part" for one in parts})
    assert second.index(parts[1]) < second.index(parts[2])


def test_the_rating_order_trusts_many_votes_more() -> None:
    few, many = film(1, "Comedy", rating=9.9, votes=50), film(2, "Comedy", rating=8.5, votes=900_000)
    assert rank([few, many], LIGHT, FilmQuery(sort=Sort.RATING))[0] == [many, few]
