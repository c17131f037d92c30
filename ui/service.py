"""The loaded voice model and film lists, and what page and endpoints ask of them in plain values."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from scraper.catalogue import Catalogue
from scraper.errors import QueryError, ScraperError, shorten
from scraper.imdb import MAX_BODY_BYTES, ImdbClient, ScraperSettings
from scraper.moods import Intent
from scraper.parse import Page, parse_page, read_saved
from scraper.query import FilmQuery
from scraper.recommend import Recommendation, Recommender
from scraper.seen import read_seen
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.comparison import ComparisonMissing, JoinedRecognizer, SecondOpinion
from ser_model.download import Progress
from ser_model.recognize import EmotionRecognizer, Prediction
from ser_model.speaker import EnrollmentError, SpeakerProfile
from ui import texts

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

VOICE_PROBLEMS = (AudioError, EnrollmentError, WeightsError)
RETRY_S = 60.0  # before a second opinion that could not be loaded is tried again
PATIENCE_S = 10.0  # how long a visitor waits for a second opinion that is always given


class Mode(StrEnum):
    """When a second opinion is given: when a visitor asks, from the start, or never."""

    ASK, ALWAYS, OFF = "ask", "always", "off"


logger = logging.getLogger(__name__)


class Lazy(Generic[T]):
    """Something that takes long to load: loaded once, in the background, when it is first asked for.

    If that fails, all who wait get the error; who asks more than retry_s seconds later tries again.
    """

    def __init__(self, load: Callable[[], T], retry_s: float = 0.0) -> None:
        self._load = load
        self._retry_s = retry_s
        self._failed_at = 0.0
        self._lock = threading.Lock()
        self._future: Future[T] | None = None

    def get(self, timeout_s: float | None = None) -> T:
        """Return it, and load it first if nobody has; raise TimeoutError if that takes longer than timeout_s."""
        return self.start().result(timeout_s)

    def start(self) -> Future[T]:
        """Begin to load it if nobody has, and return it as it will be."""
        with self._lock:
            failed = self._future is not None and self._future.done() and self._future.exception() is not None
            if self._future is None or (failed and time.monotonic() >= self._failed_at + self._retry_s):
                self._future = Future()
                threading.Thread(target=self._run, args=(self._future,), daemon=True).start()
            return self._future

    def reload(self) -> None:
        """Forget it, so that the next one to ask loads it again."""
        with self._lock:
            self._future = None

    def _run(self, future: Future[T]) -> None:
        try:
            future.set_result(self._load())
        except BaseException as error:  # noqa: BLE001 - raised again where somebody waits
            self._failed_at = time.monotonic()
            future.set_exception(error)


def _open_films(**settings: Any) -> Recommender:
    changed = replace(ScraperSettings.from_environment(), **settings)
    return Recommender(ImdbClient(changed), Catalogue.load(changed.home))


recognizer = Lazy(EmotionRecognizer.load)
download_progress = Progress()
joined = Lazy(  # the network with a second opinion
    lambda: JoinedRecognizer(recognizer.get(), SecondOpinion.load(progress=download_progress)), RETRY_S
)
lists = Lazy(lambda: _open_films(live=False))  # of this machine alone, which answer at once
recommender = Lazy(_open_films)


def warm_up() -> None:
    """Load the film lists and the model in the background; a QueryError or ValueError tells of a wrong setting."""
    ScraperSettings.from_environment()
    second_opinion()
    recommender.reload()
    threading.Thread(target=load_all, daemon=True).start()


def load_all() -> None:
    """Load everything. What fails is logged, and tried again when a visitor asks for it."""
    needed: list[Lazy[Any]] = [recommender, recognizer, *([joined] if second_opinion() is Mode.ALWAYS else [])]
    for lazy in needed:
        try:
            lazy.get()
        except (ScraperError, WeightsError, ComparisonMissing) as error:
            logger.warning("%s", error)


def second_opinion() -> Mode:
    """Return what $SECOND_OPINION asks for, or raise a ValueError if that is no Mode."""
    try:
        return Mode(os.environ.get("SECOND_OPINION") or Mode.ASK)
    except ValueError as error:
        raise ValueError(f"SECOND_OPINION must be one of {', '.join(Mode)}.") from error


def current_recognizer() -> EmotionRecognizer:
    """Return who answers: with SECOND_OPINION=always the network with a second opinion, as soon as that is loaded.

    Raises:
        WeightsError: There is no network.
    """
    if second_opinion() is Mode.ALWAYS:
        try:
            return joined.get(0 if download_progress.bytes else PATIENCE_S)
        except (TimeoutError, ComparisonMissing) as error:
            logger.info("answered without the second opinion: %s", error)  # load_all has warned
    return recognizer.get()


def explain_problem(error: Exception) -> str:
    """Say to a visitor why a voice cannot be recognized; error is one of VOICE_PROBLEMS."""
    if isinstance(error, AudioError):
        return error.spoken
    return texts.NO_MODEL if isinstance(error, WeightsError) else str(error)


def predict(
    source: str | Path | bytes, profile: SpeakerProfile | None = None, recognizer: EmotionRecognizer | None = None
) -> Prediction:
    """Predict the emotion in a file or its bytes, by current_recognizer() or another; may raise VOICE_PROBLEMS."""
    try:
        source = source if isinstance(source, bytes) else Path(source)
        return (recognizer or current_recognizer()).recognize(source, profile)
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
    probabilities: Mapping[str, float], intent: str, query: FilmQuery, exclude: Collection[str] = (), **more: Any
) -> Recommendation:
    """Recommend films as Recommender.recommend does, for probabilities by mood; may raise ScraperError."""
    return recommender.get().recommend(probabilities, read_choice("intent", intent, Intent), query, exclude, **more)


def read_page(path: str | Path) -> Page:
    """Read a page of IMDb that a visitor saved; may raise ScraperError."""
    html = read_saved(Path(path).read_bytes())
    if len(html) > MAX_BODY_BYTES:
        raise QueryError(texts.PAGE_TOO_LARGE)
    return parse_page(html)


def read_export(path: str | Path) -> frozenset[str]:
    """Return the ids of the films in an export of Letterboxd or IMDb; may raise ScraperError."""
    return read_seen(Path(path).read_bytes(), recommender.get().films())


def count_films(probabilities: Mapping[str, float], intent: str, query: FilmQuery) -> int:
    """Return how many films of this machine's lists fit, up to the limit of the query; may raise ScraperError."""
    return len(lists.get().recommend(probabilities, read_choice("intent", intent, Intent), query).picks)


def read_choice(name: str, value: str, choices: type[E]) -> E:
    """Turn a text into a Mood or an Intent, or raise a QueryError that lists all of them."""
    if value not in tuple(choices):
        raise QueryError(f"unknown {name} {shorten(value)}; choose from {', '.join(choices)}")
    return choices(value)
