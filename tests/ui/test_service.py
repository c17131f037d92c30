"""What takes long is loaded once, in the background; what fails is logged and tried again."""

from __future__ import annotations

import logging
import threading

import pytest

from scraper.errors import CatalogueError, QueryError
from scraper.moods import Intent, Mood
from ser_model.cnn import WeightsError
from ui import service
from ui.service import Lazy


def test_it_loads_once_in_the_background() -> None:
    go = threading.Event()
    loaded: list[str] = []

    def load() -> str:
        go.wait(5)
        loaded.append("model")
        return "model"

    lazy = Lazy(load)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            lazy.get(0.01)
    go.set()
    assert [lazy.get(5), lazy.get(0)] == ["model"] * 2
    assert loaded == ["model"]
    lazy.reload()
    assert lazy.get(5) == "model"
    assert loaded == ["model"] * 2


def test_a_failure_is_raised_and_the_next_one_tries_again() -> None:
    answers = iter([WeightsError("missing"), WeightsError("missing"), "model"])

    def load() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    lazy = Lazy(load)
    for _ in range(2):
        with pytest.raises(WeightsError, match="missing"):
            lazy.get()
    assert lazy.get() == "model"


@pytest.mark.parametrize("error", [WeightsError("weights are missing. Fetch."), CatalogueError("list is missing")])
def test_what_cannot_be_loaded_at_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(service, "recognizer", Lazy(fail))
    monkeypatch.setattr(service, "recommender", Lazy(fail))
    with caplog.at_level(logging.WARNING):
        service.load_all()
    assert [record.getMessage() for record in caplog.records] == [str(error)] * 2
    assert not any(record.exc_info for record in caplog.records)


def test_a_name_is_read_or_the_possible_ones_are_listed() -> None:
    assert service.read_choice("mood", "sad", Mood) is Mood.SAD
    with pytest.raises(QueryError, match="unknown intent 'sink'; choose from match, lift"):
        service.read_choice("intent", "sink", Intent)
