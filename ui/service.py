"""What page and endpoints ask for, in plain values: a voice recognised, films recommended."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

from scraper.catalogue import Catalogue
from scraper.errors import QueryError, ScraperError
from scraper.imdb import ImdbClient
from scraper.moods import Intent, Mood
from scraper.query import FilmQuery
from scraper.recommend import Recommendation, Recommender
from scraper.settings import ScraperSettings
from scraper.values import shorten
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.recognize import EmotionRecognizer, Prediction
from ui import texts

PAGE = 12  # films shown at a time

logger = logging.getLogger(__name__)

_loading = threading.Lock()  # two visitors at once must not load twice


def hear(source: str | Path | bytes) -> Prediction:
    """Say how the voice in a recording sounds.

    Args:
        source: A path, or the bytes of a file.

    Raises:
        AudioError: It cannot be judged; the message says what to do.
    """
    try:
        return recognizer().recognize(source if isinstance(source, bytes) else Path(source))
    except FileNotFoundError as error:
        raise AudioError(texts.GONE) from error


def find_films(
    probabilities: Mapping[str, float], intent: str, filters: FilmQuery, exclude: Collection[str] = ()
) -> Recommendation:
    """Recommend films.

    Args:
        probabilities: Mood name to probability.
        intent: "match" or "lift".
        filters: What else is asked for.
        exclude: IMDb ids that were shown already.

    Raises:
        QueryError: A name or a number is not one that can be used; the message names those that can.
    """
    return recommender().recommend(probabilities, read_intent(intent), filters, exclude)


def read_mood(name: str) -> Mood:
    """Turn a name into a mood, or raise a QueryError that lists the eight."""
    if name not in tuple(Mood):
        raise QueryError(f"unknown mood {shorten(name)}; choose from {', '.join(Mood)}")
    return Mood(name)


def read_intent(name: str) -> Intent:
    """Turn a name into an intent, or raise a QueryError that lists both."""
    if name not in tuple(Intent):
        raise QueryError(f"unknown intent {shorten(name)}; choose from {', '.join(Intent)}")
    return Intent(name)


def recognizer() -> EmotionRecognizer:
    """Return the voice model, read on first use."""
    with _loading:
        return _read_model()


def recommender() -> Recommender:
    """Return the way to the films, opened on first use."""
    with _loading:
        return _open_films()


def warm_up() -> None:
    """Load everything in the background, so that the page appears at once and the first answer is quick."""
    threading.Thread(target=_load_all, daemon=True).start()


def _load_all() -> None:
    for load in (recommender, recognizer):
        try:
            load()
        except (ScraperError, WeightsError) as error:  # asked again with the first visit, which then says so
            logger.warning("%s", error)


@functools.cache
def _read_model() -> EmotionRecognizer:
    return EmotionRecognizer.load()


@functools.cache
def _open_films() -> Recommender:
    settings = ScraperSettings.from_environment()
    return Recommender(ImdbClient(settings), Catalogue.load(settings.home))
