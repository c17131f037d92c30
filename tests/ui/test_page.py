"""What happens on the page, without a browser: films follow voice and mood, errors are words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.labels import EMOTIONS, Gender
from ser_model.recognize import Prediction
from ui import page, service, texts

UNSURE = Prediction(None, False, dict.fromkeys(EMOTIONS, 1 / 8), Gender.MALE, 0.6, (0.0, 1.0), (), "Not sure.")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMDB_LIVE", "off")
    monkeypatch.setenv("MOOD_HOME", str(tmp_path))
    service._open_films.cache_clear()


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def hear(path: str) -> Prediction:
        raise error

    monkeypatch.setattr(service, "hear", hear)


def test_before_an_answer_there_are_no_films() -> None:
    visit, shown, more = page.show_films(page.Visit(), "match")
    assert not visit.films
    assert not shown
    assert more.visible is False


def test_a_picked_mood_brings_a_page_of_films_and_more_continues_without_repeats() -> None:
    visit, _ = page.pick_mood("sad", page.Visit())
    visit, shown, more = page.show_films(visit, "lift")
    assert len(shown["films"]) == service.PAGE
    assert shown["heading"] == texts.FILMS["lift"]
    assert more.visible is True
    visit, shown, _ = page.more_films(visit, "lift")
    assert len({film["url"] for film in shown["films"]}) == 2 * service.PAGE


def test_the_picked_mood_counts_more_than_the_voice() -> None:
    visit, _ = page.pick_mood("happy", page.Visit(UNSURE))
    assert visit.probabilities == {"happy": 1.0}
    assert visit.heard is UNSURE


def test_an_unsure_voice_gives_a_broad_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "hear", lambda _path: UNSURE)
    visit, shown, buttons = page.hear_clip("clip.wav", True)
    assert shown["kind"] == "unsure"
    assert buttons.value is None
    _, shown, _ = page.show_films(visit, "match")
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
    visit, shown, _ = page.hear_clip("clip.wav", True)
    assert (shown["kind"], shown["headline"]) == ("problem", headline)
    assert not visit.probabilities


def test_a_recording_that_is_gone_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Reader:
        def recognize(self, path: Path) -> Prediction:
            return path.open("rb")  # type: ignore[return-value]

    monkeypatch.setattr(service, "_read_model", Reader)
    with pytest.raises(AudioError, match="record again"):
        service.hear(tmp_path / "gone.wav")


def test_clearing_the_clip_leaves_the_page_as_it_is() -> None:
    assert all(update == {"__type__": "update"} for update in page.hear_clip(None, True))


def test_the_kind_of_voice_can_be_switched_off() -> None:
    assert page.show_voice(False, page.Visit(UNSURE))["voice"] == ""
    assert "male voice" in page.show_voice(True, page.Visit(UNSURE))["voice"]
