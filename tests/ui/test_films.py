"""Films on the page: they follow the question, filters narrow them, the address reproduces them, cards are safe."""

from __future__ import annotations

import copy
import itertools
import re
import types
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from predictions import make_prediction
from saved_page import write_search_page

from scraper.errors import QueryError
from scraper.film import GENRES, Film, Pick
from scraper.notice import Source, SourceKind
from scraper.query import FilmQuery, Sort
from scraper.recommend import Recommendation
from ser_model.labels import Gender
from ui import films, service, texts
from ui.films import PAGE_SIZE, FilmListState
from ui.page import Visit

DEFAULTS = list(films.DEFAULTS.values())
FILM = Film("tt0111161", "A Film", 1994, ("Comedy", "Drama"), 8.1, 90_000, 134, "fr", certificate="PG")
SAD = Visit(mood="sad")
NO_FILM_FITS = ("Western",), ("Drama",), "2024", "", "8"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMDB_LIVE", "off")
    monkeypatch.setenv("MOOD_HOME", str(tmp_path))
    service.recommender.reload()


def show(*answers: Any, visit: Visit = SAD, intent: str = "match", state: FilmListState | None = None) -> Any:
    return films.show_films(None, visit, state or FilmListState(), intent, None, *answers)


def act(action: str, film: str, state: FilmListState) -> Any:
    return films.act_on_film(gr.EventData(None, {"action": action, "imdb_id": film}), state, state.marked)


def dismiss(film: str, state: FilmListState) -> Any:
    return act("dismiss", film, state)


def is_unchanged(*updates: Any) -> bool:
    return all(update == {"__type__": "update"} for update in updates)


def ids(shown: Any) -> list[str]:
    return [film["imdb_id"] for film in shown["films"]]


def test_before_an_answer_nothing_is_shown() -> None:
    state, *updates = show(visit=Visit())
    assert not state.films
    assert is_unchanged(*updates)


def test_a_mood_brings_a_page_of_films_and_more_continues_without_repeats() -> None:
    state, shown, more, *_ = show(intent="lift")
    assert len(shown["films"]) == PAGE_SIZE
    assert (shown["heading"], more.visible) == (texts.FILMS["lift"], True)
    _, shown, *_ = films.more_films(state)
    assert len(set(ids(shown))) == 2 * PAGE_SIZE


def test_asking_for_the_same_again_leaves_the_list_as_it_is() -> None:
    state, *_ = show([])
    films.more_films(state)
    _, *updates = show([], state=state)
    assert is_unchanged(*updates)
    assert len(state.films) == 2 * PAGE_SIZE


def test_simultaneous_events_lose_nothing() -> None:
    state, shown, *_ = show()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda film: dismiss(film, state), ids(shown)))
    assert state.unwanted == set(ids(shown))
    assert len(state.films) == PAGE_SIZE


def test_each_visitor_begins_with_an_empty_list() -> None:
    assert copy.deepcopy(show()[0]).films == ()


def test_an_unsure_voice_gives_a_broad_list() -> None:
    _, shown, *_ = show(visit=Visit(make_prediction(sure=False)))
    assert len({film["paper"] for film in shown["films"]}) >= 3


def test_filters_narrow_the_list_and_contradictions_are_a_sentence() -> None:
    visit = Visit(make_prediction(gender=Gender.MALE), mood="sad")
    state, shown, *_ = show(["Comedy"], ["Drama"], "2000", "2010", "7", "120", ["en"], "mine", "rating", visit=visit)
    assert shown["films"]
    facts = dict(zip(shown["columns"], zip(*shown["rows"], strict=True), strict=True))
    assert all("Comedy" in genres and "Drama" not in genres for genres in facts["Genres"])
    assert all(2000 <= int(year) <= 2010 for year in facts["Year"])
    assert all(float(rating) >= 7 for rating in facts["Rating"])
    _, shown, *_ = show(["Comedy"], ["Comedy"], visit=visit, state=state)
    assert shown["heading"] == texts.WRONG_FILTERS
    assert "Comedy is both wanted and unwanted" in shown["source"]
    assert "mood=sad" in shown["query"]  # the address stays as it was
    _, shown, *_ = show([], [], "2020", "2010")
    assert shown["source"].startswith("“From year” 2020 is after “To year” 2010")


def test_a_dismissed_film_is_replaced_and_stays_away() -> None:
    state, before, *_ = show()
    first = ids(before)[0]
    _, after, *_ = dismiss(first, state)
    assert len(after["films"]) == PAGE_SIZE
    assert ids(after)[:-1] == ids(before)[1:]
    assert first not in ids(show(intent="lift", state=state)[1])


def test_only_films_of_the_page_can_be_dismissed() -> None:
    state, *_ = show()
    assert is_unchanged(*dismiss("tt9999999", state)[1:])
    assert (len(state.films), state.unwanted) == (PAGE_SIZE, set())


def test_what_was_seen_is_remembered_by_the_browser_and_can_be_taken_back() -> None:
    state, before, *_ = show()
    first = ids(before)[0]
    *_, marked = act("seen", first, state)
    assert marked == {"seen": [first], "dismiss": []}
    other = FilmListState()  # another visit with the same browser
    assert first not in ids(films.show_films(None, SAD, other, "match", marked)[1])
    _, after, *_, marked = act("undo", "", state)
    assert ids(after) == ids(before)
    assert marked == {"seen": [], "dismiss": []}
    assert is_unchanged(*act("undo", "", state)[1:])


@pytest.mark.parametrize(
    "odd", [None, [], "x", {"seen": "tt0000001"}, {"seen": [1, None, "javascript:", "tt1"], "dismiss": {}}]
)
def test_a_browser_may_remember_anything(odd: object) -> None:
    assert films.read_marked(odd) == {"seen": [], "dismiss": []}


def test_lighter_films_and_back() -> None:
    state, before, *_ = show(visit=Visit(mood="angry"))
    _, lighter, *_ = act("lighter", ids(before)[0], state)
    assert lighter["reason"] == f"Like {before['films'][0]['title']}, but lighter."
    assert lighter["is_lighter"]
    assert not {"dark", "scary", "tense"} & {tone for film in lighter["films"] for tone in film["tone"]}
    assert ids(act("back", "", state)[1]) == ids(before)


def test_a_surprise_is_one_of_the_films_that_fit_and_another_each_time() -> None:
    state, before, *_ = show()
    surprises = [films.surprise_visitor(state)[1]["surprise"]["imdb_id"] for _ in range(5)]
    assert all(one != other for one, other in itertools.pairwise(surprises))
    assert ids(films.surprise_visitor(state)[1]) == ids(before)


def test_a_saved_page_gives_its_films_and_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = write_search_page(tmp_path / "saved.html")
    state, *_ = show()
    _, shown, *_, file = films.take_file(str(saved), state, None)
    assert len(shown["films"]) == PAGE_SIZE
    assert "page of IMDb that you saved" in shown["source"]
    assert file is None
    assert not saved.exists()
    said: list[str] = []
    monkeypatch.setattr(gr, "Warning", said.append)
    saved.write_text('{"message": "Forbidden"}')
    assert is_unchanged(*films.take_file(str(saved), state, None)[1:-2])
    assert said == ["IMDb did not answer with a page (blocked: JSON)."]


def test_an_export_marks_films_as_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(gr, "Info", said.append)
    state, before, *_ = show()
    export = tmp_path / "ratings.CSV"
    export.write_text("Const\n" + "\n".join(ids(before)))
    _, after, *_, marked, _ = films.take_file(str(export), state, None)
    assert sorted(marked["seen"]) == sorted(ids(before))
    assert not set(ids(after)) & set(ids(before))
    assert not export.exists()
    assert films.forget_films(state)[-1] == {"seen": [], "dismiss": []}
    assert said == [texts.MARKED.format(count=PAGE_SIZE), texts.FORGOTTEN]


def test_an_address_of_another_day_says_so() -> None:
    answers = list((films.DEFAULTS | {"day": "2026-01-02"}).values())
    _, shown, *_ = show(*answers)
    assert shown["other_day"] == "This is the list of 2026-01-02."
    assert (shown["query"], shown["today"]) == ("mood=sad&day=2026-01-02", "mood=sad")
    assert shown["search"].startswith("https://www.imdb.com/search/title/?")
    assert show()[1]["other_day"] == ""


def test_every_source_of_the_films_on_the_page_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(count: int, notice: str) -> Recommendation:
        picks = tuple(Pick(Film(f"tt{number:07}", notice, genres=("Drama",)), "") for number in range(count))
        return Recommendation(picks, Source(SourceKind.IMDB, datetime.now(UTC), notice), {}, "")

    found = iter([find(12, "From IMDb."), find(12, "From our list."), find(0, "From nowhere.")])
    monkeypatch.setattr(service, "recommend", lambda *_, **__: next(found))
    state, shown, *_ = show()
    told = [shown["source"]]
    for _ in range(2):
        _, shown, more, *_ = films.more_films(state)
        told.append(shown["source"])
    assert told == ["From IMDb.", "From IMDb. From our list.", f"From IMDb. From our list. {texts.NO_MORE}"]
    assert more.visible is False


def test_each_source_is_told_once_by_its_newest_sentence() -> None:
    state, *_ = show()
    day, state.notices = date(2025, 3, 1), {}
    for kind, sentence in (("bundled", "Not reached."), ("imported", "Tables."), ("bundled", "Not asked.")):
        state.add(state.films[:1], Source(SourceKind(kind), day, sentence))
    state.add((), Source(SourceKind.BUNDLED, day, "Nothing more."))
    assert list(state.notices.values()) == ["Not asked.", "Tables."]


@pytest.mark.parametrize("dismissed_before", [False, True])
def test_an_empty_list_says_where_it_looked_and_what_to_do(dismissed_before: bool) -> None:
    state = FilmListState()
    if dismissed_before:
        state, shown, *_ = show()
        dismiss(ids(shown)[0], state)
    _, shown, more, *_ = show(*NO_FILM_FITS, state=state)
    assert (shown["heading"], shown["films"], more.visible) == (texts.NO_FILMS, [], False)
    assert "our own list of" in shown["source"]
    assert "No film fits these filters" in shown["source"]
    assert texts.NO_MORE not in shown["source"]


def test_the_end_of_a_list_is_told() -> None:
    state, shown, more, others, _ = show([], [], "", "", "", "", ["ko"])
    while more.visible:
        _, shown, more, others, _ = films.more_films(state)
    assert len(shown["films"]) > PAGE_SIZE
    assert "Only" not in shown["source"]
    assert "No more films feel right for this mood" in shown["source"]
    assert others.visible
    light, (_, shown, more, others, _) = len(shown["films"]), films.more_others(state)
    assert len(shown["films"]) == light + PAGE_SIZE
    assert not others.visible
    while more.visible:
        _, shown, more, *_ = films.more_films(state)
    assert texts.NO_MORE in shown["source"]


def test_when_the_last_film_is_dismissed_the_page_still_says_where_they_came_from() -> None:
    state, shown, *_ = show(["Documentary"], [], "2010", "2012", "7")
    assert 0 < len(shown["films"]) < PAGE_SIZE
    for film in ids(shown):
        _, shown, *_ = dismiss(film, state)
    assert not shown["films"]
    assert "our own list of" in shown["source"]
    assert "No more films feel right" in shown["source"]


def test_a_page_that_the_server_forgot_stays_as_it_is_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(gr, "Warning", said.append)
    assert is_unchanged(*films.more_films(FilmListState())[1:], *dismiss("tt0000001", FilmListState())[1:])
    assert said == [texts.EXPIRED] * 2


def test_a_page_that_the_server_forgot_follows_its_filters_by_the_marked_mood() -> None:
    _, shown, *_ = films.show_films("sad", Visit(), FilmListState(), "lift", None, ["Comedy"])
    assert shown["query"] == f"mood=sad&intent=lift&genres=Comedy&day={today()}"
    assert all("Comedy" in film["genres"] for film in shown["films"])


def ask_address(visit: Visit, **parameters: str) -> list[Any]:
    request = types.SimpleNamespace(query_params=parameters)
    return films.open_address(visit, request)  # type: ignore[arg-type]


def test_an_address_opens_what_it_asks_for() -> None:
    visit, said, mood, drawer, intent, *answers = ask_address(
        Visit(), **{"mood": "sad", "intent": "lift", "from": "2015"}
    )
    assert (visit.mood, said["headline"], mood, intent) == ("sad", "Films for a sad mood", "sad", "lift")
    assert (drawer.open, drawer.label) == (True, "Filters: 1")
    assert show(*answers, visit=visit, intent=intent)[1]["query"] == f"mood=sad&intent=lift&from=2015&day={today()}"


def test_after_a_reload_an_unsure_voice_still_has_films_for_its_three_moods() -> None:
    _, shown, *_ = show(visit=Visit(make_prediction(sure=False, calm=0.24, sad=0.22, neutral=0.2)))
    assert shown["query"] == f"mood=calm,sad,neutral&day={today()}"
    visit, said, mood, *_ = ask_address(Visit(), **dict(parse_qsl(shown["query"])))
    assert visit.probabilities == dict.fromkeys(("calm", "sad", "neutral"), 1 / 3)
    assert said["headline"] == "Films for a calm, sad or neutral mood"
    assert [one["mood"] for one in said["picks"]] == ["calm", "sad", "neutral"]
    assert mood is None  # none is invented
    assert "a mix of moods" in show(visit=visit)[1]["reason"]
    back = films.go_back(gr.EventData(None, {"query": shown["query"]}), Visit(mood="happy"))
    assert (back[0].mood, back[1]["face"], back[2]) == ("calm,sad,neutral", "unsure", None)


def test_a_plain_address_and_one_that_is_too_late_change_nothing() -> None:
    for updates in (ask_address(Visit(), __theme="dark"), ask_address(Visit(mood="happy"), mood="sad")):
        assert is_unchanged(*updates)
        assert len(updates) == 5 + len(DEFAULTS)


@pytest.mark.parametrize(
    ("mood", "intent", "answers"),
    [
        (None, "match", DEFAULTS),
        ("sad", "lift", DEFAULTS),
        ("sad,calm,angry", "lift", DEFAULTS),
        (
            "happy",
            "match",
            [
                ["Comedy", "Sci-Fi"],
                ["War"],
                "2000",
                "2015",
                "7",
                "120",
                ["ja", "ko"],
                "mine",
                "popular",
                ["warm"],
                True,
                "2026-11-28",
            ],
        ),
    ],
)
def test_an_address_is_read_as_it_was_written(mood: str | None, intent: str, answers: list[Any]) -> None:
    assert films.read_address(dict(parse_qsl(films.write_address(mood, intent, answers)))) == (mood, intent, answers)


def test_an_address_leaves_out_defaults() -> None:
    assert films.write_address(None, "match", DEFAULTS) == ""
    assert films.write_address("sad", "match", ()) == "mood=sad"


@pytest.mark.parametrize(
    "odd",
    [
        {"mood": "bored", "intent": "sink", "from": "2015; DROP", "to": "0", "rating": "1e9"},
        {"genres": "Soap,<script>", "language": "xx", "lead": "robot", "sort": "random", "minutes": "-1"},
        {"tone": "soggy", "kids": "yes", "day": "tomorrow"},
        {"mood": ",bored", "clip": "/tmp/voice.wav"},
    ],
)
def test_an_address_asks_for_nothing_that_the_page_does_not_offer(odd: dict[str, str]) -> None:
    assert films.read_address(odd) == (None, "match", DEFAULTS)


def test_untouched_filters_filter_nothing() -> None:
    assert films.make_query(DEFAULTS, Gender.MALE, 12) == films.make_query((), None, 12) == FilmQuery(limit=12)


def test_every_answer_reaches_the_query() -> None:
    query = films.make_query(
        (["Comedy"], ["War"], "2000", "2010", "7", "120", ["fr"], "woman", "popular", ["sad"], True, "2026-11-28"),
        None,
        5,
    )
    assert query == FilmQuery(
        genres=("Comedy",), not_genres=("War",), from_year=2000, to_year=2010, min_rating=7.0, max_minutes=120,
        languages=("fr",), lead="woman", tones=("sad",), kids=True, sort=Sort.POPULAR,
        day=date(2026, 11, 28), limit=5,
    )  # fmt: skip


def test_like_my_voice_needs_a_voice_and_asks_for_a_lead_like_it() -> None:
    answers = (films.DEFAULTS | {"lead": films.LIKE_MY_VOICE}).values()
    leads = [films.make_query(answers, gender, 12).lead for gender in (Gender.FEMALE, Gender.MALE)]
    assert leads == ["woman", "man"]
    with pytest.raises(QueryError, match="needs a recording; say a sentence"):
        films.make_query(answers, None, 12)


@pytest.mark.parametrize(
    "imdb_id", ["javascript:alert(1)", "tt1", "tt0111161/../evil", "tt0111161\n", "", "//evil.example"]
)
def test_only_a_checked_id_becomes_a_link(imdb_id: str) -> None:
    with pytest.raises(ValueError, match="IMDb title id"):
        films.make_film_card(Pick(replace(FILM, imdb_id=imdb_id), ""))


def test_no_poster_looks_like_the_one_before_it() -> None:
    cards = films.make_film_cards([Pick(FILM, "")] * 3)
    looks = [(card["paper"], card["shape"]) for card in cards]
    assert all(one != other for one, other in itertools.pairwise(looks))


def test_a_card_says_what_is_known() -> None:
    card = films.make_film_card(Pick(FILM, "Warm and funny"))
    assert card["url"] == "https://www.imdb.com/title/tt0111161/"
    assert (card["title"], card["year"], card["facts"]) == ("A Film", "1994", "★ 8.1 · 2h 14m · PG")
    assert (card["genres"], card["why"]) == ("Comedy, Drama", "Warm and funny")
    assert (card["paper"], card["ink"], card["language"]) == ("comedy", "drama", "French")
    assert card["trailer"] == "https://www.youtube.com/results?search_query=A+Film+1994+trailer"
    assert card["watch"] == "https://www.justwatch.com/us/search?q=A+Film"
    bare = films.make_film_card(Pick(Film("tt0000001", "Untold"), ""))
    assert (bare["year"], bare["facts"], bare["genres"], bare["paper"]) == ("", "", "", "other")


@pytest.mark.parametrize(
    "poster", ["javascript:alert(1)", "http://m.media-amazon.com/x.jpg", "https://evil.example/x.jpg", None]
)
def test_posters_come_from_imdb_or_not_at_all(poster: str | None) -> None:
    assert films.make_film_card(Pick(replace(FILM, poster_url=poster), ""))["poster_url"] == ""


def test_with_a_poster_the_year_is_among_the_facts() -> None:
    poster = "https://m.media-amazon.com/images/M/x.jpg"
    card = films.make_film_card(Pick(replace(FILM, poster_url=poster), ""))
    assert (card["poster_url"], card["facts"]) == (poster, "1994 · ★ 8.1 · 2h 14m · PG")


def test_genres_that_imdb_does_not_have_never_reach_a_class_name() -> None:
    card = films.make_film_card(Pick(replace(FILM, genres=('"><script>', "Drama")), ""))
    assert (card["genres"], card["paper"], card["ink"]) == ("Drama", "drama", "drama")


@pytest.mark.parametrize(
    ("title", "size"),
    [("Up", "large"), ("Oppenheimer", "small"), ("Casablanca", "medium"), ("The Assassination of Jesse", "small")],
)
def test_long_titles_are_set_smaller(title: str, size: str) -> None:
    assert films.make_film_card(Pick(replace(FILM, title=title), ""))["size"] == size


@pytest.mark.parametrize(("minutes", "written"), [(134, "2h 14m"), (120, "2h"), (45, "45m")])
def test_running_times(minutes: int, written: str) -> None:
    assert films.running_time(minutes) == written


def test_the_table_begins_with_name_rating_and_link() -> None:
    shown = films.make_film_table([Pick(FILM, "")])
    assert shown["columns"][:3] == ["Name", "Rating", "Link"]
    assert shown["rows"][0][:2] == ["A Film", "8.1"]
    assert shown["rows"][0][2]["url"] == FILM.url


def test_every_genre_of_films_has_its_color(project: Path) -> None:
    style = (project / "ui/style.css").read_text("utf-8")
    for genre in set(GENRES) - films.NOT_FILMS:
        card = films.make_film_card(Pick(replace(FILM, genres=(genre,)), ""))
        assert f".paper-{card['paper']} " in style, genre
        assert f".ink-{card['ink']} " in style, genre


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_titles_are_legible_on_every_poster(project: Path) -> None:
    style = (project / "ui/style.css").read_text("utf-8")
    ink = re.search(r"color: (#\w{6}); background-color: var\(--paper\)", style)
    assert ink
    papers = re.findall(r"--paper: (#\w{6})", style)
    assert len(papers) >= 20
    for paper in papers:
        assert (luminance(ink[1]) + 0.05) / (luminance(paper) + 0.05) >= 4.5, paper
