from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraper.catalogue import Catalogue, load_bundled
from scraper.errors import QueryError
from scraper.film import GENRES
from scraper.imdb import ImdbClient, ScraperSettings
from scraper.moods import TABLE, Intent, Mood
from scraper.notice import SourceKind
from scraper.parse import parse_page
from scraper.query import FilmQuery, Sort
from scraper.rank import MAX_SAME_GENRE, MAX_SAME_LEAD
from scraper.recommend import SECOND_PAGE_S, Plan, Recommendation, Recommender
from scraper.tone import HEAVY, KIDS_CERTIFICATES

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
    assert {pick.why for pick in found.picks} == {"Comedy"}  # its tone is not known, and nothing is promised
    assert "under Comedy" in found.source.notice
    assert httpserver.log[0][0].args["genres"].startswith("comedy,!")
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
    [
        (("", 202), "blocked"),
        (("", 500), "failed"),
        (("<p>x</p>" * 2000, 200), "layout"),
        (('{"message":"Forbidden"}', 200), "blocked: JSON"),
    ],
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
        assert "our own list of January 2026" in one.source.notice
        assert len(one.picks) >= 20
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
    assert all(one.picks and "our own list" in one.source.notice for one in found)
    reasons = {one.source.notice.partition("missing. ")[2] for one in found}
    assert "IMDb did not answer in time." in reasons
    assert "Another IMDb request is in progress." in reasons


def test_what_our_own_list_knows_of_live_films_counts(
    recommender: Recommender, httpserver: HTTPServer, item: Build, page: Build
) -> None:
    ids = [9000000 + n for n in range(50)]
    httpserver.expect_request(PATH).respond_with_data(page([item(n, genres=["Comedy"]) for n in ids]))
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery(lead="woman", limit=5))
    assert "with the films whose lead our own list knows" in found.source.notice
    assert {int(pick.film.imdb_id[2:]) % 3 for pick in found.picks} == {9000000 % 3}
    everything = recommender.recommend(SAD, Intent.LIFT, FilmQuery(limit=50)).picks
    assert {pick.why for pick in everything} == {
        "Warm and funny",
        "Funny",
    }  # and what is dark, sad or scary is left out


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
    assert found.source.notice.endswith("Too few films on IMDb's first two pages fit your filters.")
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
    assert "Too few films on IMDb's page fit your filters and IMDb did not answer with a page" in notice
    assert "not be asked again" in recommender.recommend({"calm": 1.0}, Intent.LIFT, FilmQuery()).source.notice


def test_a_page_that_the_visitor_saved_comes_before_every_source(recommender: Recommender, comedies: str) -> None:
    found = recommender.recommend(SAD, Intent.LIFT, FilmQuery(limit=50), page=parse_page(comedies))
    assert (found.source.kind, len(found.picks)) == (SourceKind.IMDB, 20)
    assert "the page of IMDb that you saved" in found.source.notice


# --- mood and filters ---


def test_few_films_are_counted_and_never_padded(offline: Recommender) -> None:
    found = offline.recommend(SAD, Intent.LIFT, FilmQuery(from_year=2005, languages=("ko",)))
    assert 0 < len(found.picks) < 12
    assert f"Only {len(found.picks)} feel right for this mood; {found.others} more pass" in found.source.notice
    assert not any({"dark", "scary", "sad", "harrowing"} & set(pick.film.tone) for pick in found.picks)
    every = offline.recommend(SAD, Intent.LIFT, FilmQuery(from_year=2005, languages=("ko",)), others=True)
    assert every.picks[: len(found.picks)] == found.picks
    assert (len(every.picks), every.others) == (min(24, len(found.picks) + found.others), 0)
    none = offline.recommend(SAD, Intent.LIFT, FilmQuery(min_votes=10**9))
    assert none.picks == ()
    assert "No film fits" in none.source.notice


def test_a_genre_that_the_visitor_names_replaces_those_of_the_mood(offline: Recommender) -> None:
    found = offline.recommend(SAD, Intent.LIFT, FilmQuery(genres=("Horror",)))
    assert found.picks
    assert all("Horror" in pick.film.genres for pick in found.picks)
    assert found.reason == "To lift a sad mood: Horror, as you asked."


def test_a_tone_that_the_visitor_asks_for_comes_before_the_mood(offline: Recommender) -> None:
    found = offline.recommend(SAD, Intent.LIFT, FilmQuery(tones=("exciting", "dark")))
    assert {pick.film.tone for pick in found.picks} == {("rush", "dark")}


def test_a_mood_that_does_not_lead_is_not_named(offline: Recommender) -> None:
    found = offline.recommend({"calm": 0.4, "sad": 0.35, "neutral": 0.25}, Intent.MATCH, FilmQuery())
    assert found.reason.startswith("For a mix of moods: ")


def test_an_unknown_mood_is_refused_and_so_is_excluding_every_genre_of_one(offline: Recommender) -> None:
    genres = tuple(offline.recommend({"fearful": 1.0}, Intent.MATCH, FilmQuery()).genres)
    with pytest.raises(QueryError, match="take one out"):
        offline.recommend({"fearful": 1.0}, Intent.MATCH, FilmQuery(not_genres=genres))
    with pytest.raises(QueryError, match="choose from"):
        offline.recommend({"joy": 1.0}, Intent.MATCH, FilmQuery())


def test_filters_alone_are_enough(offline: Recommender) -> None:
    found = offline.recommend({}, Intent.MATCH, FilmQuery(languages=("ko", "fr")))
    assert {pick.film.language for pick in found.picks} == {"ko", "fr"}
    assert found.reason == "Films that fit your filters."


def test_films_like_one_but_lighter(bundled: Recommender) -> None:
    found = bundled.recommend(SAD, Intent.MATCH, FilmQuery(limit=12), lighter_than="tt0113277")
    assert found.reason == "Like Heat, but lighter."
    assert len(found.picks) == 12
    for pick in found.picks:
        assert not HEAVY & set(pick.film.tone)
        assert {"Action", "Crime", "Drama", "Thriller"} & set(pick.film.genres)
    with pytest.raises(QueryError, match="lighter_than"):
        bundled.recommend(SAD, Intent.MATCH, FilmQuery(), lighter_than="tt9999999")


# --- the real list ---

CELLS = [pytest.param(mood, intent, id=f"{mood}-{intent}") for mood in Mood for intent in Intent]
DAY = date(2026, 11, 28)


@pytest.mark.parametrize(("mood", "intent"), CELLS)
def test_a_day_has_its_varied_list_and_a_week_many_films(bundled: Recommender, mood: Mood, intent: Intent) -> None:
    found = bundled.recommend({mood: 1.0}, intent, FilmQuery(day=DAY))
    assert found == bundled.recommend({mood: 1.0}, intent, FilmQuery(day=DAY))
    assert next(iter(found.genres)) in found.reason
    shown = [pick.film for pick in found.picks]
    assert len(shown) == 24
    for film in shown:
        assert set(TABLE[mood][intent].wants) & set(film.tone)
        assert not TABLE[mood][intent].never & set(film.tone)
    assert sum((film.year or 0) < 2000 for film in shown) >= 2
    assert sum(film.language != "en" for film in shown) >= 2
    for screen in (shown[:12], shown[12:]):
        assert max(Counter(film.lead for film in screen if film.lead).values()) <= MAX_SAME_LEAD
        assert max(Counter(film.genres[0] for film in screen).values()) <= MAX_SAME_GENRE
        assert sum((film.year or 0) >= 2025 for film in screen) >= 2
    week = [FilmQuery(day=DAY + timedelta(days), limit=12) for days in range(7)]
    seen = {pick.film for query in week for pick in bundled.recommend({mood: 1.0}, intent, query).picks}
    assert len(seen) >= 40


def test_every_bundled_film_can_be_reached(bundled: Recommender) -> None:
    """Page after page of every mood and intent, to the end; nothing comes twice."""
    reached: set[str] = set()
    for mood in Mood:
        for intent in Intent:
            shown: list[str] = []
            while picks := bundled.recommend({mood: 1.0}, intent, FilmQuery(day=DAY, limit=100), shown).picks:
                shown += [pick.film.imdb_id for pick in picks]
            assert len(set(shown)) == len(shown)
            reached |= set(shown)
    assert reached == set(load_bundled().by_id)


@pytest.mark.parametrize("genre", [genre for genre in GENRES if genre != "Film-Noir"])
def test_every_genre_can_be_paged_to_its_end(bundled: Recommender, genre: str) -> None:
    having = {film.imdb_id for film in load_bundled().by_id.values() if genre in film.genres}
    shown: list[str] = []
    while picks := bundled.recommend({}, Intent.MATCH, FilmQuery(genres=(genre,), limit=100), shown).picks:
        shown += [pick.film.imdb_id for pick in picks]
    assert sorted(shown) == sorted(having)


FILTERS: dict[str, Any] = {
    "since 2015": {"from_year": 2015}, "before 1980": {"to_year": 1979}, "rated 7 or more": {"min_rating": 7},
    "under 100 minutes": {"max_minutes": 99}, "no drama": {"not_genres": ("Film-Noir",)}, "a woman": {"lead": "woman"},
    "kids": {"kids": True}, "French": {"languages": ("fr",)}, "Korean or Spanish": {"languages": ("ko", "es")},
    "funny": {"tones": ("funny",)}, "sad": {"tones": ("sad",)}, "latest": {"sort": Sort.LATEST},
    "popular": {"sort": Sort.POPULAR}, "rating": {"sort": Sort.RATING},
}  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_a_filter_leaves_a_full_list_or_a_sentence_that_says_why_not(
    bundled: Recommender, filters: dict[str, Any]
) -> None:
    for mood in Mood:
        for intent in Intent:
            query = FilmQuery(limit=12, day=DAY, **filters)
            found = bundled.recommend({mood: 1.0}, intent, query)
            assert all(query.accepts(pick.film) for pick in found.picks)
            if len(found.picks) < 12:
                assert "for this mood" in found.source.notice or "these filters" in found.source.notice
                assert found.others == 0 or f"{found.others} more pass" in found.source.notice or found.others == 1


def test_the_other_orders_are_what_they_say(bundled: Recommender) -> None:
    keys: dict[Sort, Any] = {Sort.LATEST: attrgetter("year"), Sort.POPULAR: attrgetter("votes")}
    for sort, key in keys.items():
        found = bundled.recommend(SAD, Intent.LIFT, FilmQuery(sort=sort, limit=50))
        values = [key(pick.film) for pick in found.picks]
        assert values == sorted(values, reverse=True)


def test_films_for_kids_frighten_nobody(bundled: Recommender) -> None:
    for mood in Mood:
        for pick in bundled.recommend({mood: 1.0}, Intent.LIFT, FilmQuery(kids=True)).picks:
            assert pick.film.certificate in {*KIDS_CERTIFICATES, None}
            assert not {"scary", "dark", "harrowing", "crude"} & set(pick.film.tone)


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    shares=st.lists(st.floats(0.001, 1), min_size=len(Mood), max_size=len(Mood)),
    intent=st.sampled_from(Intent),
)
def test_every_prediction_gives_a_full_list(bundled: Recommender, shares: list[float], intent: Intent) -> None:
    probabilities = {str(mood): share for mood, share in zip(Mood, shares, strict=True)}
    found = bundled.recommend(probabilities, intent, FilmQuery(limit=12))
    assert len(found.picks) == 12


@pytest.mark.parametrize(("mood", "intent"), CELLS)
def test_a_confident_prediction_brings_films_that_fit_the_mood_as_well(
    bundled: Recommender, mood: Mood, intent: Intent
) -> None:
    predicted = {str(other): 0.93 if other is mood else 0.01 for other in Mood}
    wish = Plan.make({mood: 1.0}, intent, FilmQuery()).wish
    lists = (bundled.recommend(one, intent, FilmQuery(limit=12, day=DAY)) for one in (predicted, {str(mood): 1.0}))
    confident, picked = (sum(wish.fit(pick.film) for pick in found.picks) for found in lists)
    assert confident > 0.7 * picked


def genre_entropy(found: Recommendation) -> float:
    counts = Counter(genre for pick in found.picks for genre in pick.film.genres)
    shares = [count / counts.total() for count in counts.values()]
    return -sum(share * math.log(share) for share in shares)


def test_an_uncertain_prediction_gives_a_broader_list_than_certain_ones(bundled: Recommender) -> None:
    """When the films should match: to lift, all moods want much the same."""
    query = FilmQuery(limit=100, day=DAY)
    certain = [genre_entropy(bundled.recommend({mood: 1.0}, Intent.MATCH, query)) for mood in Mood]
    uncertain = genre_entropy(bundled.recommend(dict.fromkeys(Mood, 0.125), Intent.MATCH, query))
    assert uncertain > sum(certain) / len(certain)


def test_the_list_reaches_into_this_year() -> None:
    films = list(load_bundled().by_id.values())
    new = [film for film in films if (film.year or 0) >= 2025 and (film.votes or 0) >= 10_000]
    assert len(new) >= 300
    assert all(film.tone for film in films)
    assert len({film.year for film in new}) == 2
