"""What happens on the page, without a browser: films follow voice and mood, errors are words."""

from __future__ import annotations

import copy
import types
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import gradio as gr
import pytest

from scraper.film import Film, Pick, Source, SourceKind
from scraper.recommend import Recommendation
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.labels import EMOTIONS, Gender, Intensity
from ser_model.recognize import Prediction
from ui import page, service, texts
from ui.visit import Shelf, Visit

UNSURE = Prediction(
    None, False, dict.fromkeys(EMOTIONS, 1 / 8), Gender.MALE, 0.6, Intensity.NORMAL, 0.8, (0.0, 1.0), (), "Not sure."
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMDB_LIVE", "off")
    monkeypatch.setenv("MOOD_HOME", str(tmp_path))
    service._open_films.cache_clear()


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def hear(*clip: object) -> Prediction:
        raise error

    monkeypatch.setattr(service, "hear", hear)


def test_before_an_answer_nothing_is_shown() -> None:
    shelf, *updates = page.show_films(None, Visit(), Shelf(), "match")
    assert not shelf.films
    assert all(update == {"__type__": "update"} for update in updates)


def test_a_picked_mood_brings_a_page_of_films_and_more_continues_without_repeats() -> None:
    visit, _ = page.pick_mood("sad", Visit())
    shelf, shown, more, _ = page.show_films(None, visit, Shelf(), "lift")
    assert len(shown["films"]) == service.PAGE
    assert shown["heading"] == texts.FILMS["lift"]
    assert more.visible is True
    shelf, shown, *_ = page.more_films(shelf)
    assert len({film["url"] for film in shown["films"]}) == 2 * service.PAGE


def test_asking_for_the_same_again_leaves_the_list_as_it_is() -> None:
    visit, _ = page.pick_mood("sad", Visit())
    shelf, *_ = page.show_films(None, visit, Shelf(), "lift", [])
    page.more_films(shelf)
    _, *updates = page.show_films(None, visit, shelf, "lift", [])
    assert all(update == {"__type__": "update"} for update in updates)
    assert len(shelf.films) == 2 * service.PAGE


def test_events_at_once_lose_nothing() -> None:
    visit, _ = page.pick_mood("sad", Visit())
    shelf, *_ = page.show_films(None, visit, Shelf(), "match")
    ids = [pick.film.imdb_id for pick in shelf.films]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda film: page.drop_film(gr.EventData(None, {"imdb_id": film}), shelf), ids))
    assert shelf.unwanted == set(ids)
    assert len(shelf.films) == service.PAGE


def test_each_visitor_has_a_shelf_of_their_own() -> None:
    shelf, *_ = page.show_films(None, Visit(mood="sad"), Shelf(), "match")
    assert copy.deepcopy(shelf).films == ()


def test_the_picked_mood_counts_more_than_the_voice() -> None:
    visit, _ = page.pick_mood("happy", Visit(UNSURE))
    assert visit.probabilities == {"happy": 1.0}
    assert visit.heard is UNSURE


def test_an_unsure_voice_gives_a_broad_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "hear", lambda *_: UNSURE)
    visit, shown, buttons = page.hear_clip("clip.wav", True, Visit())
    assert shown["kind"] == "unsure"
    assert buttons.value is None
    _, shown, *_ = page.show_films(None, visit, Shelf(), "match")
    assert len({film["paper"] for film in shown["films"]}) >= 3


@pytest.mark.parametrize(
    ("error", "headline"),
    [
        (AudioError("The recording is silent. Please speak again."), "The recording is silent."),
        (WeightsError("model.safetensors is missing."), texts.NO_MODEL.split(". ")[0] + "."),
    ],
)
def test_a_voice_that_cannot_be_heard_is_a_sentence(
    error: Exception, headline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(error, monkeypatch)
    visit, shown, *_ = page.hear_clip("clip.wav", True, Visit())
    assert (shown["kind"], shown["headline"]) == ("problem", headline)
    assert not visit.probabilities


def test_a_recording_that_is_gone_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Reader:
        def recognize(self, path: Path, _voice: object) -> Prediction:
            return path.open("rb")  # type: ignore[return-value]

    monkeypatch.setattr(service, "_read_model", Reader)
    with pytest.raises(AudioError, match="record again"):
        service.hear(tmp_path / "gone.wav")


def test_clearing_the_clip_leaves_the_page_as_it_is() -> None:
    assert all(update == {"__type__": "update"} for update in page.hear_clip(None, True, Visit()))


def test_filters_narrow_the_list_and_contradictions_are_a_sentence() -> None:
    visit, _ = page.pick_mood("sad", Visit(UNSURE))
    shelf, shown, *_ = page.show_films(
        None, visit, Shelf(), "match", ["Comedy"], ["Drama"], "2000", "2010", "7", "120", "en", "mine", "rating"
    )
    assert shown["films"]
    facts = dict(zip(shown["columns"], zip(*shown["rows"], strict=True), strict=True))
    assert all("Comedy" in genres and "Drama" not in genres for genres in facts["Genres"])
    assert all(2000 <= int(year) <= 2010 for year in facts["Year"])
    assert all(float(rating) >= 7 for rating in facts["Rating"])
    _, shown, *_ = page.show_films(None, visit, shelf, "match", ["Comedy"], ["Comedy"])
    assert shown["heading"] == texts.NO_FILMS
    assert "Comedy is both wanted and unwanted" in shown["source"]
    assert "mood=sad" in shown["query"]  # the address stays as it was


def test_a_film_that_is_not_wanted_is_replaced_and_stays_away() -> None:
    visit, _ = page.pick_mood("sad", Visit())
    shelf, before, *_ = page.show_films(None, visit, Shelf(), "match")
    first = before["films"][0]["id"]
    _, after, *_ = page.drop_film(gr.EventData(None, {"imdb_id": first}), shelf)
    assert len(after["films"]) == service.PAGE
    assert [film["id"] for film in after["films"][:-1]] == [film["id"] for film in before["films"][1:]]
    _, again, *_ = page.show_films(None, visit, shelf, "lift")
    assert first not in [film["id"] for film in again["films"]]


def test_only_films_of_the_page_can_be_dropped() -> None:
    shelf, *_ = page.show_films(None, Visit(mood="sad"), Shelf(), "match")
    page.drop_film(gr.EventData(None, {"imdb_id": "tt9999999"}), shelf)
    assert not shelf.unwanted
    assert len(shelf.films) == service.PAGE


def ask_address(**parameters: str) -> gr.Request:
    return types.SimpleNamespace(query_params=parameters)  # type: ignore[return-value]


def test_an_address_opens_what_it_asks_for() -> None:
    request = ask_address(**{"mood": "sad", "intent": "lift", "from": "2015"})
    visit, shown, mood, drawer, intent, *answers = page.open_address(Visit(), request)
    assert (visit.mood, shown["headline"], mood, intent) == ("sad", "You feel sad.", "sad", "lift")
    assert (drawer.open, drawer.label) == (True, "Filters: 1")
    _, films, *_ = page.show_films(None, visit, Shelf(), intent, *answers)
    assert films["query"] == "mood=sad&intent=lift&from=2015"


def test_a_visitor_quicker_than_the_address_keeps_their_pick() -> None:
    updates = page.open_address(Visit(mood="happy"), ask_address(mood="sad"))
    assert all(update == {"__type__": "update"} for update in updates)


def test_a_plain_address_touches_nothing() -> None:
    updates = page.open_address(Visit(), ask_address(__theme="dark"))
    assert all(update == {"__type__": "update"} for update in updates)
    assert len(updates) == len(page.open_address(Visit(), ask_address(mood="sad")))


def test_the_kind_of_voice_can_be_switched_off() -> None:
    assert page.show_voice(False, Visit(UNSURE))["voice"] == ""
    assert "male voice" in page.show_voice(True, Visit(UNSURE))["voice"]


def make_source(films: int, notice: str) -> Recommendation:
    picks = tuple(Pick(Film(f"tt{number:07}", f"{notice} {number}", genres=("Drama",)), "") for number in range(films))
    return Recommendation(picks, Source(SourceKind.IMDB, datetime.now(UTC), notice), {}, "")


def test_every_source_of_the_films_on_the_page_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([make_source(12, "From IMDb."), make_source(12, "From our list."), make_source(0, "From nowhere.")])
    monkeypatch.setattr(service, "find_films", lambda *_: next(found))
    shelf, shown, *_ = page.show_films(None, Visit(mood="sad"), Shelf(), "match")
    assert shown["source"] == "From IMDb."
    shelf, shown, more, _ = page.more_films(shelf)
    assert (shown["source"], more.visible) == ("From IMDb. From our list.", True)
    shelf, shown, more, _ = page.more_films(shelf)
    assert (shown["source"], more.visible) == (f"From IMDb. From our list. {texts.NO_MORE}", False)


def test_a_search_without_a_hit_says_where_it_looked_and_what_to_do() -> None:
    _, shown, more, _ = page.show_films(
        None, Visit(mood="sad"), Shelf(), "match", ["Western"], ["Drama"], "2024", "", "8"
    )
    assert (shown["heading"], shown["films"], more.visible) == (texts.NO_FILMS, [], False)
    assert "our own list as of" in shown["source"]
    assert "No film fits these filters; loosen one" in shown["source"]


def test_further_films_are_not_counted_as_all_that_fit() -> None:
    asked = ([], [], "", "", "", "", "ko")
    shelf, shown, more, _ = page.show_films(None, Visit(mood="sad"), Shelf(), "match", *asked)
    while more.visible:
        shelf, shown, more, _ = page.more_films(shelf)
    assert len(shown["films"]) > service.PAGE
    assert "Only" not in shown["source"]
    assert texts.NO_MORE in shown["source"]


def test_a_page_that_the_server_forgot_stays_as_it_is_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(gr, "Warning", said.append)
    for updates in (page.more_films(Shelf()), page.drop_film(gr.EventData(None, {"imdb_id": "tt0000001"}), Shelf())):
        assert all(update == {"__type__": "update"} for update in updates[1:])
    assert said == [texts.FORGOTTEN] * 2


def test_a_page_that_the_server_forgot_follows_its_filters_by_the_mood_that_is_marked() -> None:
    shelf, shown, *_ = page.show_films("sad", Visit(), Shelf(), "lift", ["Comedy"])
    assert shelf.asked is not None
    assert shelf.asked.visit.mood == "sad"
    assert all("Comedy" in film["genres"] for film in shown["films"])


def test_each_source_is_said_once_by_its_newest_sentence() -> None:
    shelf, _, *_ = page.show_films("sad", Visit(), Shelf(), "lift")
    day = datetime(2025, 3, 1, tzinfo=UTC).date()
    shelf.notices = {}
    for kind, sentence in (("bundled", "Not reached."), ("imported", "Tables."), ("bundled", "Left alone.")):
        shelf.add(shelf.films[:1], Source(SourceKind(kind), day, sentence))
    shelf.add((), Source(SourceKind.BUNDLED, day, "Nothing more."))
    assert list(shelf.notices.values()) == ["Left alone.", "Tables."]


def test_an_empty_list_says_what_to_do_whatever_was_dismissed_before() -> None:
    shelf, shown, *_ = page.show_films(None, Visit(mood="sad"), Shelf(), "match")
    page.drop_film(gr.EventData(None, {"imdb_id": shown["films"][0]["id"]}), shelf)
    _, shown, *_ = page.show_films(None, Visit(mood="sad"), shelf, "match", ["Western"], ["Drama"], "2024", "", "8")
    assert "No film fits these filters; loosen one" in shown["source"]
    assert texts.NO_MORE not in shown["source"]


def test_when_the_last_film_is_dismissed_the_page_still_says_where_they_came_from() -> None:
    asked = (["Western"], [], "2010", "2012", "8")
    shelf, shown, *_ = page.show_films(None, Visit(mood="sad"), Shelf(), "match", *asked)
    assert 0 < len(shown["films"]) < service.PAGE
    for film in shown["films"]:
        _, shown, *_ = page.drop_film(gr.EventData(None, {"imdb_id": film["id"]}), shelf)
    assert not shown["films"]
    assert "our own list as of" in shown["source"]
    assert texts.NO_MORE in shown["source"]
