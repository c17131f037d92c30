from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraper import Catalogue, FilmQuery, ImdbClient, Intent, Recommender, ScraperSettings, Sort, SourceKind, imdb
from scraper.errors import QueryError
from scraper.film import Film
from scraper.moods import Mood
from scraper.query import weighted_rating
from scraper.ranking import fit, series
from scraper.recommend import Recommendation

PATH = "/search/title/"
SAD = {"sad": 1.0}


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


def test_live_films_come_first(recommender: Recommender, httpserver: HTTPServer, comedies: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(comedies)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.IMDB
    assert len(found.picks) == 20
    assert found.picks[0].why == "Comedy: lighter than how you feel"
    assert "under Comedy" in found.source.notice
    assert httpserver.log[0][0].args["genres"] == "comedy"


def test_a_fresh_page_spares_imdb(recommender: Recommender, httpserver: HTTPServer, comedies: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(comedies)
    first = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    again = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert (again.source.kind, again.picks) == (SourceKind.CACHE, first.picks)
    assert len(httpserver.log) == 1


def test_a_stale_page_is_better_than_none_and_says_so(
    recommender: Recommender, httpserver: HTTPServer, comedies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data(comedies)
    httpserver.expect_ordered_request(PATH).respond_with_data("", 503)
    recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    monkeypatch.setattr(imdb, "utc_now", lambda: datetime.now(UTC) + timedelta(hours=7))
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.CACHE
    assert "status 503" in found.source.notice
    assert f"{found.source.as_of:%B %Y}" in found.source.notice


@pytest.mark.parametrize(
    ("answer", "words"),
    [(("", 202), "blocked"), (("", 403), "blocked"), (("", 500), "failed"), (("<p>x</p>" * 2000, 200), "layout")],
)
def test_the_bundled_list_answers_and_says_why(
    recommender: Recommender, httpserver: HTTPServer, answer: tuple[str, int], words: str
) -> None:
    httpserver.expect_request(PATH).respond_with_data(*answer)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.BUNDLED
    assert words in found.source.notice
    assert "our own list as of March 2025" in found.source.notice
    assert len(found.picks) == 24


def test_the_lead_of_live_films_is_looked_up_in_our_own_list(
    recommender: Recommender, httpserver: HTTPServer, item: Callable[..., Any], page: Callable[..., str]
) -> None:
    ids = [9000000 + n for n in range(50)]
    httpserver.expect_request(PATH).respond_with_data(page([item(n, genres=["Comedy"]) for n in ids]))
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery(lead="woman"))
    assert found.source.kind is SourceKind.IMDB
    assert found.source.unapplied == ("any of several genres", "unwanted genres", "lead")
    assert {int(pick.film.imdb_id[2:]) % 3 for pick in found.picks} == {9000000 % 3}


def test_too_few_live_films_give_way_to_a_fuller_list(
    recommender: Recommender, httpserver: HTTPServer, comedies: str
) -> None:
    httpserver.expect_request(PATH).respond_with_data(comedies)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery(lead="woman"))
    assert found.source.kind is SourceKind.BUNDLED
    assert found.source.notice.startswith("Too few films on IMDb's page fit your filters, so")


def two_pages(httpserver: HTTPServer, item: Callable[..., Any], page: Callable[..., str], size: int = 5) -> None:
    """Films of which the second page has as many as the first."""

    def answer(request: Request) -> Response:
        start = size if "after" in request.args else 0
        return Response(page([item(n, genres=["Comedy"]) for n in range(start, start + size)], 2 * size, "eyJh"))

    httpserver.expect_request(PATH).respond_with_handler(answer)


def test_a_second_page_is_asked_for_when_the_first_has_too_few(
    recommender: Recommender, httpserver: HTTPServer, item: Callable[..., Any], page: Callable[..., str]
) -> None:
    two_pages(httpserver, item, page, size=8)
    started = time.monotonic()
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert time.monotonic() - started < 3
    assert (found.source.kind, len(found.picks)) == (SourceKind.IMDB, 16)
    assert "IMDb's first two pages" in found.source.notice
    _, second = httpserver.log
    assert second[0].args["after"] == "eyJh"
    again = recommender.recommend(SAD, Intent.LIFT, FilmQuery())  # both are kept
    assert (again.source.kind, again.picks, len(httpserver.log)) == (SourceKind.CACHE, found.picks, 2)


def test_two_pages_are_the_most_that_is_asked_for(
    recommender: Recommender, httpserver: HTTPServer, item: Callable[..., Any], page: Callable[..., str]
) -> None:
    two_pages(httpserver, item, page, size=5)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.BUNDLED
    assert found.source.notice.startswith("Too few films on IMDb's first two pages fit your filters, so")
    assert len(httpserver.log) == 2


def test_a_second_page_that_would_overrun_the_budget_is_left_out_and_that_is_said(
    impatient: ScraperSettings, catalogue: Catalogue, httpserver: HTTPServer, item: Any, page: Callable[..., str]
) -> None:
    two_pages(httpserver, item, page)
    recommender = Recommender(ImdbClient(impatient), catalogue)
    started = time.monotonic()
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert time.monotonic() - started < impatient.budget_s
    assert "there was no time left for its second page" in found.source.notice
    assert len(httpserver.log) == 1


def test_a_refusal_of_the_second_page_is_respected(
    recommender: Recommender, httpserver: HTTPServer, item: Callable[..., Any], page: Callable[..., str]
) -> None:
    first = page([item(n, genres=["Comedy"]) for n in range(5)], 10, "eyJh")
    httpserver.expect_ordered_request(PATH).respond_with_data(first)
    httpserver.expect_ordered_request(PATH).respond_with_data("", 202)
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery())
    assert found.source.kind is SourceKind.BUNDLED
    assert "too few films" in found.source.notice.lower()
    assert "blocked: status 202" in found.source.notice
    assert "left alone" in recommender.recommend({"calm": 1.0}, Intent.LIFT, FilmQuery()).source.notice


def test_few_films_are_said_never_padded(offline: Recommender) -> None:
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


def test_drama_lifts_only_in_company(bundled: Recommender) -> None:
    found = bundled.recommend(SAD, Intent.LIFT, FilmQuery(limit=100))
    assert all(set(pick.film.genres) & set(found.genres) for pick in found.picks)


def test_a_genre_the_visitor_names_outweighs_the_mood(offline: Recommender) -> None:
    found = offline.recommend(SAD, Intent.LIFT, FilmQuery(genres=("Horror",)))
    assert found.picks
    assert all("Horror" in pick.film.genres for pick in found.picks)
    assert {pick.why for pick in found.picks} >= {"Horror: as you asked"}


def test_the_reason_names_the_genres_that_were_asked_for(offline: Recommender) -> None:
    found = offline.recommend(SAD, Intent.LIFT, FilmQuery(genres=("War",)))
    assert found.reason == "To lift a sad mood: War, as you asked."


def test_no_mood_is_named_that_does_not_lead(offline: Recommender) -> None:
    found = offline.recommend({"calm": 0.4, "sad": 0.35, "neutral": 0.25}, Intent.MATCH, FilmQuery())
    assert found.reason.startswith("To stay with a mix of moods: ")


def test_excluding_every_genre_of_a_mood_is_refused(offline: Recommender) -> None:
    genres = tuple(offline.recommend({"fearful": 1.0}, Intent.MATCH, FilmQuery()).genres)
    with pytest.raises(QueryError, match="take one out"):
        offline.recommend({"fearful": 1.0}, Intent.MATCH, FilmQuery(not_genres=genres))


def test_filters_alone_are_enough(offline: Recommender) -> None:
    found = offline.recommend({}, Intent.MATCH, FilmQuery(language="ko"))
    assert {pick.film.language for pick in found.picks} == {"ko"}
    assert {pick.why for pick in found.picks} == {"Fits your filters"}


def test_more_continues_without_repeats(offline: Recommender) -> None:
    first = offline.recommend(SAD, Intent.LIFT, FilmQuery(limit=12))
    shown = [pick.film.imdb_id for pick in first.picks]
    more = offline.recommend(SAD, Intent.LIFT, FilmQuery(limit=12), exclude=shown)
    assert more.picks
    assert not set(shown) & {pick.film.imdb_id for pick in more.picks}


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("mood", Mood)
def test_the_real_list_serves_every_mood(bundled: Recommender, mood: Mood, intent: Intent) -> None:
    found = bundled.recommend({mood.value: 1.0}, intent, FilmQuery())
    again = bundled.recommend({mood.value: 1.0}, intent, FilmQuery())
    assert found == again
    assert len(found.picks) == 24
    firsts = Counter(pick.film.genres[0] for pick in found.picks[:12])
    assert max(firsts.values()) <= 4
    assert next(iter(found.genres)) in found.reason
    assert all(pick.why.split(":")[0] in pick.film.genres for pick in found.picks)


@pytest.mark.parametrize("sort", Sort)
def test_every_order_works_on_the_real_list(bundled: Recommender, sort: Sort) -> None:
    assert len(bundled.recommend({"happy": 1.0}, Intent.MATCH, FilmQuery(sort=sort)).picks) == 24


def genre_entropy(found: Recommendation) -> float:
    counts = Counter(genre for pick in found.picks for genre in pick.film.genres)
    shares = [count / counts.total() for count in counts.values()]
    return -sum(share * math.log(share) for share in shares)


@pytest.mark.parametrize("intent", Intent)
def test_a_wholly_unsure_reading_gives_a_broader_list_than_sure_ones(bundled: Recommender, intent: Intent) -> None:
    sure = [genre_entropy(bundled.recommend({mood: 1.0}, intent, FilmQuery())) for mood in Mood]
    unsure = genre_entropy(bundled.recommend(dict.fromkeys(Mood, 0.125), intent, FilmQuery()))
    assert unsure > sum(sure) / len(sure)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("mood", Mood)
def test_page_after_page_repeats_nothing_and_stays_varied(bundled: Recommender, mood: Mood, sort: Sort) -> None:
    shown: list[Film] = []
    for _ in range(4):
        found = bundled.recommend({mood: 1.0}, Intent.MATCH, FilmQuery(sort=sort, limit=12), [f.imdb_id for f in shown])
        assert len(found.picks) == 12
        assert max(Counter(pick.film.genres[0] for pick in found.picks).values()) <= 4
        shown += [pick.film for pick in found.picks]
    assert len({film.imdb_id for film in shown}) == 48
    assert len({series(film.title) for film in shown}) == 48


@pytest.mark.parametrize("mood", Mood)
def test_of_the_films_that_fit_best_the_latest_come_first(bundled: Recommender, mood: Mood) -> None:
    found = bundled.recommend({mood: 1.0}, Intent.LIFT, FilmQuery(limit=100))
    ratings = [weighted_rating(pick.film) for pick in found.picks[:12]]
    fits = [fit(pick.film, found.genres) for pick in found.picks]
    years = [pick.film.year or 0 for pick in found.picks[:12]]
    assert sum(fits[:12]) / 12 > sum(fits) / len(fits)
    assert sum(ratings) / 12 > 6.5
    assert max(years) >= 2023  # new films, though not only


def test_an_unknown_mood_is_refused(offline: Recommender) -> None:
    with pytest.raises(QueryError, match="choose from"):
        offline.recommend({"joy": 1.0}, Intent.MATCH, FilmQuery())
