from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraper.catalogue import Catalogue
from scraper.errors import QueryError
from scraper.film import Film
from scraper.imdb import ImdbClient, ScraperSettings
from scraper.moods import Intent, Mood, avoided, blend
from scraper.notice import SourceKind
from scraper.query import FilmQuery, Sort, weighted_rating
from scraper.recommend import (
    BANDS,
    MAX_SAME_GENRE,
    SCREEN_SIZE,
    SECOND_PAGE_S,
    Recommendation,
    Recommender,
    genre_fit,
    rank,
    series,
)

PATH = "/search/title/"
SAD = {"sad": 1.0}

Build = Callable[..., Any]


@pytest.fixture
def recommender(settings: ScraperSettings, catalogue: Catalogue) -> Recommender:
    return Recommender(ImdbClient(settings), catalogue)


@pytest.fixture
def offline(settings: ScraperSettings, catalogue: Catalogue) -> Recommender:
    return Recommender(ImdbClient(replace(settings, live=False)), catalogue)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """With the real list."""
    home = tmp_path_factory.mktemp("home")
    return Recommender(ImdbClient(ScraperSettings(live=False, home=home)), Catalogue.load(home))


# --- the sources ---


def test_live_films_come_first_and_a_fresh_page_spares_imdb(
    recommender: Recommender, httpserver: HTTPServer, comedies: str
) -> None:
    httpserver.expect_request(PATH).respond_with_data(comedies)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.IMDB
    assert len(found.picks) == 20
    assert found.picks[0].why == "Comedy: lighter than how you feel"
    assert "under Comedy" in found.source.notice
    assert httpserver.log[0][0].args["genres"] == "comedy"
    again = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert (again.source.kind, again.picks) == (SourceKind.CACHE, found.picks)
    assert len(httpserver.log) == 1


def test_a_stale_page_is_better_than_none_and_says_so(
    recommender: Recommender, settings: ScraperSettings, httpserver: HTTPServer, comedies: str
) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data(comedies)
    httpserver.expect_ordered_request(PATH).respond_with_data("", 503)
    recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    for path in (settings.home / "imdb-pages").glob("*.json"):
        fields = json.loads(path.read_text())
        path.write_text(json.dumps(fields | {"expires": (datetime.fromisoformat(fields["created_at"])).isoformat()}))
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.CACHE
    assert "status 503" in found.source.notice
    assert f"{found.source.as_of:%B %Y}" in found.source.notice


@pytest.mark.parametrize(
    ("answer", "words"),
    [(("", 202), "blocked"), (("", 500), "failed"), (("<p>x</p>" * 2000, 200), "layout")],
)
def test_the_bundled_list_answers_and_says_why(
    recommender: Recommender, httpserver: HTTPServer, answer: tuple[str, int], words: str
) -> None:
    httpserver.expect_request(PATH).respond_with_data(*answer)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    again = recommender.recommend({"calm": 1.0}, Intent.MATCH, FilmQuery())
    for one, reason in ((found, words), (again, "will not be asked again before")):
        assert one.source.kind is SourceKind.BUNDLED
        assert reason in one.source.notice
        assert "our own list as of March 2025" in one.source.notice
        assert len(one.picks) == 24
    assert len(httpserver.log) == 1


def test_while_imdb_stalls_a_crowd_gets_its_lists_after_one_request(
    settings: ScraperSettings, catalogue: Catalogue, raw_server: Callable[[Callable[[], Iterator[bytes]]], str]
) -> None:
    requests: list[str] = []
    over = threading.Event()

    def stall() -> Iterator[bytes]:
        requests.append("asked")
        over.wait(60)
        yield b""

    client = ImdbClient(replace(settings, base_url=raw_server(stall), timeout_s=1))
    recommender, moods = Recommender(client, catalogue), list(Mood)
    with ThreadPoolExecutor(200) as visitors:
        found = list(
            visitors.map(lambda n: recommender.recommend({moods[n % 8]: 1.0}, Intent.LIFT, FilmQuery()), range(200))
        )
    assert not over.is_set()  # nobody waited for IMDb to answer
    over.set()
    assert len(requests) == 1
    assert all(len(one.picks) == 24 and "our own list" in one.source.notice for one in found)
    reasons = {one.source.notice.partition(", so")[0] for one in found}
    assert "IMDb did not answer in time" in reasons
    assert "Another IMDb request is in progress" in reasons


def test_the_lead_of_live_films_is_looked_up_in_our_own_list(
    recommender: Recommender, httpserver: HTTPServer, item: Build, page: Build
) -> None:
    ids = [9000000 + n for n in range(50)]
    httpserver.expect_request(PATH).respond_with_data(page([item(n, genres=["Comedy"]) for n in ids]))
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery(lead="woman"))
    assert found.source.kind is SourceKind.IMDB
    assert "with the films whose lead our own list knows" in found.source.notice
    assert {int(pick.film.imdb_id[2:]) % 3 for pick in found.picks} == {9000000 % 3}


def two_pages(httpserver: HTTPServer, item: Build, page: Build, size: int = 5) -> None:
    """Films of which the second page has as many as the first."""

    def answer(request: Request) -> Response:
        start = size if "after" in request.args else 0
        return Response(page([item(n, genres=["Comedy"]) for n in range(start, start + size)], 2 * size, "eyJh"))

    httpserver.expect_request(PATH).respond_with_handler(answer)


def test_a_second_page_is_asked_for_when_the_first_has_too_few(
    recommender: Recommender, httpserver: HTTPServer, item: Build, page: Build
) -> None:
    two_pages(httpserver, item, page, size=8)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert (found.source.kind, len(found.picks)) == (SourceKind.IMDB, 16)
    assert "IMDb's first two pages" in found.source.notice
    _, second = httpserver.log
    assert second[0].args["after"] == "eyJh"
    again = recommender.recommend(SAD, Intent.LIFT, FilmQuery())  # both are cached
    assert (again.source.kind, again.picks, len(httpserver.log)) == (SourceKind.CACHE, found.picks, 2)


def test_two_pages_are_the_most_that_is_asked_for(
    recommender: Recommender, httpserver: HTTPServer, item: Build, page: Build
) -> None:
    two_pages(httpserver, item, page)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.BUNDLED
    assert found.source.notice.startswith("Too few films on IMDb's first two pages fit your filters, so")
    assert len(httpserver.log) == 2


def test_a_second_page_for_which_there_is_no_time_is_left_out_and_that_is_said(
    settings: ScraperSettings, catalogue: Catalogue, httpserver: HTTPServer, item: Build, page: Build
) -> None:
    two_pages(httpserver, item, page)
    recommender = Recommender(ImdbClient(replace(settings, timeout_s=SECOND_PAGE_S)), catalogue)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert "there was no time left for its second page" in found.source.notice
    assert len(httpserver.log) == 1


def test_a_refusal_of_the_second_page_is_respected(
    recommender: Recommender, httpserver: HTTPServer, item: Build, page: Build
) -> None:
    first = page([item(n, genres=["Comedy"]) for n in range(5)], 10, "eyJh")
    httpserver.expect_ordered_request(PATH).respond_with_data(first)
    httpserver.expect_ordered_request(PATH).respond_with_data("", 202)
    notice = recommender.recommend(SAD, Intent.LIFT, FilmQuery()).source.notice
    assert notice.startswith("Too few films on IMDb's page fit your filters and IMDb did not answer with a page")
    assert "not be asked again" in recommender.recommend({"calm": 1.0}, Intent.LIFT, FilmQuery()).source.notice


# --- mood and filters ---


def test_few_films_are_counted_and_never_padded(offline: Recommender) -> None:
    found = offline.recommend(SAD, Intent.LIFT, FilmQuery(from_year=2015))
    assert 0 < len(found.picks) < 12
    assert f"Only {len(found.picks)} film" in found.source.notice
    none = offline.recommend(SAD, Intent.LIFT, FilmQuery(min_votes=10**9))
    assert none.picks == ()
    assert "No film fits" in none.source.notice


def test_lifting_leaves_out_what_the_mood_should_avoid(offline: Recommender) -> None:
    found = offline.recommend({"sad": 0.7, "fearful": 0.3}, Intent.LIFT, FilmQuery(limit=100))
    assert found.picks
    assert not any({"Horror", "War"} & set(pick.film.genres) for pick in found.picks)


def test_a_genre_that_the_visitor_names_replaces_those_of_the_mood(offline: Recommender) -> None:
    found = offline.recommend(SAD, Intent.LIFT, FilmQuery(genres=("Horror",)))
    assert found.picks
    assert all("Horror" in pick.film.genres for pick in found.picks)
    assert {pick.why for pick in found.picks} >= {"Horror: as you asked"}
    assert found.reason == "To lift a sad mood: Horror, as you asked."


def test_a_mood_that_does_not_lead_is_not_named(offline: Recommender) -> None:
    found = offline.recommend({"calm": 0.4, "sad": 0.35, "neutral": 0.25}, Intent.MATCH, FilmQuery())
    assert found.reason.startswith("To stay with a mix of moods: ")


def test_an_unknown_mood_is_refused_and_so_is_excluding_every_genre_of_one(offline: Recommender) -> None:
    genres = tuple(offline.recommend({"fearful": 1.0}, Intent.MATCH, FilmQuery()).genres)
    with pytest.raises(QueryError, match="take one out"):
        offline.recommend({"fearful": 1.0}, Intent.MATCH, FilmQuery(not_genres=genres))
    with pytest.raises(QueryError, match="choose from"):
        offline.recommend({"joy": 1.0}, Intent.MATCH, FilmQuery())


def test_filters_alone_are_enough(offline: Recommender) -> None:
    found = offline.recommend({}, Intent.MATCH, FilmQuery(language="ko"))
    assert {pick.film.language for pick in found.picks} == {"ko"}
    assert {pick.why for pick in found.picks} == {"Fits your filters"}
    assert found.reason == "Films that fit your filters."


# --- the real list ---


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("mood", Mood)
def test_the_real_list_serves_every_mood(bundled: Recommender, mood: Mood, intent: Intent) -> None:
    found = bundled.recommend({mood: 1.0}, intent, FilmQuery())
    assert found == bundled.recommend({mood: 1.0}, intent, FilmQuery())
    assert len(found.picks) == 24
    assert next(iter(found.genres)) in found.reason
    assert all(pick.why.split(":")[0] in set(pick.film.genres) & set(found.genres) for pick in found.picks)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("mood", Mood)
def test_page_after_page_repeats_nothing_and_stays_varied(bundled: Recommender, mood: Mood, sort: Sort) -> None:
    shown: list[Film] = []
    for _ in range(4):
        found = bundled.recommend({mood: 1.0}, Intent.MATCH, FilmQuery(sort=sort, limit=12), [f.imdb_id for f in shown])
        assert len(found.picks) == 12
        assert max(Counter(pick.film.genres[0] for pick in found.picks).values()) <= MAX_SAME_GENRE
        shown += [pick.film for pick in found.picks]
    assert len({film.imdb_id for film in shown}) == 48
    assert len({series(film.title) for film in shown}) == 48


@pytest.mark.parametrize("mood", Mood)
def test_the_first_films_fit_better_than_the_rest_and_some_are_recent(bundled: Recommender, mood: Mood) -> None:
    found = bundled.recommend({mood: 1.0}, Intent.LIFT, FilmQuery(limit=100))
    ratings = [weighted_rating(pick.film) for pick in found.picks[:12]]
    fits = [genre_fit(pick.film, found.genres) for pick in found.picks]
    assert sum(fits[:12]) / 12 > sum(fits) / len(fits)
    assert sum(ratings) / 12 > 6.5
    assert max(pick.film.year or 0 for pick in found.picks[:12]) >= 2023


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    shares=st.lists(st.floats(0.001, 1), min_size=len(Mood), max_size=len(Mood)),
    intent=st.sampled_from(Intent),
)
def test_every_prediction_gives_a_full_list(bundled: Recommender, shares: list[float], intent: Intent) -> None:
    probabilities = {str(mood): share for mood, share in zip(Mood, shares, strict=True)}
    found = bundled.recommend(probabilities, intent, FilmQuery(limit=12))
    assert len(found.picks) == 12
    assert not set(found.genres) & set(avoided(probabilities, intent))


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("mood", Mood)
def test_a_confident_prediction_brings_films_that_fit_the_mood_as_well(
    bundled: Recommender, mood: Mood, intent: Intent
) -> None:
    predicted = {str(other): 0.93 if other is mood else 0.01 for other in Mood}
    lists = (bundled.recommend(one, intent, FilmQuery(limit=12)) for one in (predicted, {str(mood): 1.0}))
    confident, picked = (sum(genre_fit(p.film, blend({mood: 1.0}, intent)) for p in found.picks) for found in lists)
    assert confident > 0.75 * picked


def genre_entropy(found: Recommendation) -> float:
    counts = Counter(genre for pick in found.picks for genre in pick.film.genres)
    shares = [count / counts.total() for count in counts.values()]
    return -sum(share * math.log(share) for share in shares)


@pytest.mark.parametrize("intent", Intent)
def test_an_uncertain_prediction_gives_a_broader_list_than_certain_ones(bundled: Recommender, intent: Intent) -> None:
    certain = [genre_entropy(bundled.recommend({mood: 1.0}, intent, FilmQuery())) for mood in Mood]
    uncertain = genre_entropy(bundled.recommend(dict.fromkeys(Mood, 0.125), intent, FilmQuery()))
    assert uncertain > sum(certain) / len(certain)


# --- ranking ---

WEIGHTS = {"Comedy": 1.0, "Family": 0.5}


def film(number: int, *genres: str, title: str = "", rating: float = 7, votes: int = 1000) -> Film:
    return Film(f"tt{number:07d}", title or f"Film {number} x", 2000, genres, rating, votes)


some_genres = st.lists(st.sampled_from(["Comedy", "Family", "Drama", "War"]), min_size=1, max_size=3, unique=True)
candidate_lists = st.lists(some_genres, max_size=60).map(lambda rows: [film(n, *row) for n, row in enumerate(rows)])


@given(candidate_lists)
def test_ranking_only_orders_the_films_that_fit(candidates: list[Film]) -> None:
    ranked = rank(candidates, WEIGHTS, Sort.LATEST)
    assert Counter(ranked) == Counter(f for f in candidates if genre_fit(f, WEIGHTS) > 0)
    assert ranked == rank(candidates, WEIGHTS, Sort.LATEST)


@given(candidate_lists, st.sampled_from([WEIGHTS, {}]))
def test_every_screen_is_varied_if_the_films_allow(candidates: list[Film], weights: dict[str, float]) -> None:
    ranked = rank(candidates, weights, Sort.LATEST)
    for start in range(0, len(ranked), SCREEN_SIZE):
        rest = Counter(f.genres[0] for f in ranked[start:])
        if sum(min(count, MAX_SAME_GENRE) for count in rest.values()) >= SCREEN_SIZE:
            firsts = Counter(f.genres[0] for f in ranked[start : start + SCREEN_SIZE])
            assert max(firsts.values()) <= MAX_SAME_GENRE


@given(candidate_lists)
def test_no_film_of_a_lower_band_comes_first_in_its_genre(candidates: list[Film]) -> None:
    ranked = rank(candidates, WEIGHTS, Sort.LATEST)
    best = max((genre_fit(f, WEIGHTS) for f in ranked), default=0)
    first_of: dict[str, Film] = {}
    for f in ranked:
        first = first_of.setdefault(f.genres[0], f)
        assert genre_fit(f, WEIGHTS) - genre_fit(first, WEIGHTS) <= best / BANDS + 1e-9


def test_films_that_fit_well_come_before_the_others_and_keep_their_order() -> None:
    candidates = [film(1, "Drama", "Comedy", "War"), film(2, "Comedy"), film(3, "Comedy", "Family"), film(4, "War")]
    assert [f.imdb_id[-1] for f in rank(candidates, WEIGHTS, Sort.LATEST)] == ["2", "3", "1"]


def test_a_disliked_film_comes_after_one_that_fits_as_well() -> None:
    poor, good = film(1, "Comedy", rating=4.5, votes=90_000), film(2, "Comedy", rating=8, votes=90_000)
    assert rank([poor, good], WEIGHTS, Sort.LATEST) == [good, poor]


def test_a_few_votes_do_not_make_the_best_film() -> None:
    few, many = film(1, "Comedy", rating=9.9, votes=50), film(2, "Comedy", rating=8.5, votes=900_000)
    assert rank([few, many], WEIGHTS, Sort.RATING) == [many, few]


def test_of_a_series_whose_film_was_shown_no_other_follows() -> None:
    candidates = [film(1, "Comedy", title="Toy Story 4"), film(2, "Comedy", title="Toy Story"), film(3, "Comedy")]
    assert rank(candidates, WEIGHTS, Sort.LATEST, exclude={"tt0000001"}) == [candidates[2]]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Rocky", "Rocky II", True),
        ("Harry Potter and the Goblet of Fire", "Harry Potter and the Chamber of Secrets", True),
        ("John Wick: Chapter 4", "John Wick", True),
        ("Mission: Impossible - Fallout", "Mission: Impossible II", True),
        ("The Godfather Part II", "The Godfather", True),
        ("Kill Bill: Vol. 1", "Kill Bill: Vol. 2", True),
        ("The Avengers", "Avengers: Endgame", True),
        ("1917", "1984", False),
        ("Heat", "Her", False),
        ("Beauty and the Beast", "Beauty and the Boss", False),
        ("The Boy and the Heron", "The Boy and the Beast", False),
    ],
)
def test_titles_of_one_series_are_recognized(one: str, other: str, same: bool) -> None:
    assert (series(one) == series(other)) is same
