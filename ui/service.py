"""What page and endpoints ask for, in plain values: a voice recognised, films recommended."""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

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
from ser_model.labels import EMOTIONS, Emotion
from ser_model.recognize import EmotionRecognizer, Prediction
from ser_model.voice import LearnedVoice
from ui import texts

RESULTS = Path(__file__).resolve().parents[1] / "results"
PAGE = 12  # films shown at a time
# the emotions that a voice was learned from, to the row of baseline.json and the clips that it was measured with
MEASURED: dict[frozenset[str], tuple[str, int]] = {
    frozenset([Emotion.NEUTRAL]): ("one", 1),
    frozenset(EMOTIONS): ("eight", 8),
}

logger = logging.getLogger(__name__)

_loading = threading.Lock()  # two visitors at once must not load twice


def hear(source: str | Path | bytes, voice: LearnedVoice | None = None) -> Prediction:
    """Say how the voice in a recording sounds.

    Args:
        source: A path, or the bytes of a file.
        voice: What was learned of the speaker, from learn_voice or LearnedVoice.from_json.

    Raises:
        AudioError: It cannot be judged; the message says what to do.
        VoiceError: The voice was learned with other weights.
    """
    try:
        return recognizer().recognize(source if isinstance(source, bytes) else Path(source), voice)
    except FileNotFoundError as error:
        raise AudioError(texts.GONE) from error


def learn_voice(clips: Mapping[str, Iterable[str | Path]]) -> LearnedVoice:
    """Learn a speaker's voice from recordings by the emotion acted in them; nothing of it is kept here.

    Raises:
        AudioError: One cannot be judged; the message says what to do.
        VoiceError: There is no recording, or no such emotion.
    """
    try:
        return recognizer().learn_voice({name: [Path(path) for path in paths] for name, paths in clips.items()})
    except FileNotFoundError as error:
        raise AudioError(texts.GONE) from error


def read_voice(path: Path) -> LearnedVoice:
    """Read a voice that was learned on another visit.

    Raises:
        VoiceError: It is none, or was learned with other weights.
        OSError: It cannot be read.
    """
    voice = LearnedVoice.read(path)
    recognizer().check_voice(voice)
    return voice


def expect_gain(voice: LearnedVoice, results: Path = RESULTS) -> dict[str, Any] | None:
    """Return what learning a voice was measured to bring for speakers never heard before; None where it was not.

    Returns:
        clips (1 or 8 that were learned from), uar_without and uar_with (0 to 1), gain in points, gain_by_fold.
    """
    path = results / "baseline.json"
    if not path.exists() or (learned := frozenset(voice.points)) not in MEASURED:
        return None
    rows = json.loads(path.read_text())["rows"]
    kind, clips = MEASURED[learned]
    without, with_voice = rows["none"]["uar"], rows[kind]["uar"]
    gains = {fold: round(100 * gain, 1) for fold, gain in rows[kind]["gain_by_fold"].items()}
    return {
        "clips": clips,
        "uar_without": round(without, 4),
        "uar_with": round(with_voice, 4),
        "gain": round(100 * rows[kind]["gain"], 1),
        "gain_by_fold": gains,
    }


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
    """Load everything in the background, so that the page appears at once and the first answer is quick.

    Raises:
        QueryError: One of the settings that the environment gives cannot be used.
    """
    ScraperSettings.from_environment()
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
