"""The loaded voice model and film lists, and what page and endpoints ask of them in plain values."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from scraper.catalogue import Catalogue
from scraper.errors import QueryError, ScraperError, shorten
from scraper.imdb import ImdbClient, ScraperSettings
from scraper.moods import Intent
from scraper.query import FilmQuery
from scraper.recommend import Recommendation, Recommender
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.recognize import EmotionRecognizer, Prediction
from ser_model.speaker import EnrollmentError, SpeakerProfile
from ui import texts

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

VOICE_PROBLEMS = (AudioError, EnrollmentError, WeightsError)

logger = logging.getLogger(__name__)


class Lazy(Generic[T]):
    """Something that takes long to load: loaded once, in the background, when it is first asked for.

    If that fails, all waiting callers get the error, and the next call tries again.
    """

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._future: Future[T] | None = None

    def get(self, timeout_s: float | None = None) -> T:
        """Return it, and load it first if nobody has; raise TimeoutError if that takes longer than timeout_s."""
        with self._lock:
            if self._future is None or (self._future.done() and self._future.exception()):
                self._future = Future()
                threading.Thread(target=self._run, args=(self._future,), daemon=True).start()
            future = self._future
        return future.result(timeout_s)

    def reload(self) -> None:
        """Forget it, so that the next one to ask loads it again."""
        with self._lock:
            self._future = None

    def _run(self, future: Future[T]) -> None:
        try:
            future.set_result(self._load())
        except BaseException as error:  # noqa: BLE001 - raised again where somebody waits
            future.set_exception(error)


def _open_films() -> Recommender:
    settings = ScraperSettings.from_environment()
    return Recommender(ImdbClient(settings), Catalogue.load(settings.home))


recognizer = Lazy(EmotionRecognizer.load)
recommender = Lazy(_open_films)


def warm_up() -> None:
    """Load the film lists and the model in the background; a QueryError tells that a setting cannot be used."""
    ScraperSettings.from_environment()
    recommender.reload()
    threading.Thread(target=load_all, daemon=True).start()


def load_all() -> None:
    """Load everything. What fails is logged, and tried again when a visitor asks for it."""
    for lazy in (recommender, recognizer):
        try:
            lazy.get()
        except (ScraperError, WeightsError) as error:
            logger.warning("%s", error)


def explain_problem(error: Exception) -> str:
    """Say to a visitor why a voice cannot be recognized; error is one of VOICE_PROBLEMS."""
    if isinstance(error, AudioError):
        return error.spoken
    return texts.NO_MODEL if isinstance(error, WeightsError) else str(error)


def predict(source: str | Path | bytes, profile: SpeakerProfile | None = None) -> Prediction:
    """Predict the emotion in a recording: a path, or the bytes of a file; may raise VOICE_PROBLEMS."""
    try:
        return recognizer.get().recognize(source if isinstance(source, bytes) else Path(source), profile)
    except FileNotFoundError as error:
        raise AudioError(texts.GONE) from error


def enroll(clips: Mapping[str, Iterable[str | Path]]) -> SpeakerProfile:
    """Make a profile of a speaker from recordings by emotion; may raise VOICE_PROBLEMS. Nothing is stored."""
    try:
        return recognizer.get().enroll({name: [Path(path) for path in paths] for name, paths in clips.items()})
    except FileNotFoundError as error:
        raise AudioError(texts.GONE) from error


def read_profile(path: Path) -> SpeakerProfile:
    """Read a profile that was saved on an earlier visit; may raise VOICE_PROBLEMS and OSError."""
    profile = SpeakerProfile.read(path)
    recognizer.get().check_profile(profile)
    return profile


def recommend(
    probabilities: Mapping[str, float], intent: str, query: FilmQuery, exclude: Collection[str] = ()
) -> Recommendation:
    """Recommend films for probabilities by mood, without those of the excluded IMDb ids; may raise ScraperError."""
    return recommender.get().recommend(probabilities, read_choice("intent", intent, Intent), query, exclude)


def read_choice(name: str, value: str, choices: type[E]) -> E:
    """Turn a text into a Mood or an Intent, or raise a QueryError that lists all of them."""
    if value not in tuple(choices):
        raise QueryError(f"unknown {name} {shorten(value)}; choose from {', '.join(choices)}")
    return choices(value)
