"""The public endpoints, which are also the MCP tools; their names, types and docstrings are what a client reads."""

# No `from __future__ import annotations`: Gradio reads the types as they stand.

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

import gradio as gr
from gradio.events import api
from gradio.utils import get_function_description

from scraper.errors import QueryError, ScraperError
from scraper.moods import Intent, Mood
from scraper.query import FilmQuery, Sort
from scraper.recommend import Recommendation
from ser_model.speaker import EnrollmentError, SpeakerProfile
from ui import batch, comparison, enroll, server, service, texts
from ui.mcp import answer_in_json
from ui.server import path_of

MAX_CLIPS = 16  # to enroll from


class SegmentJson(TypedDict):
    """The emotion in one window of a recording."""

    start_s: float
    end_s: float
    probabilities: dict[str, float]


class PredictionJson(TypedDict):
    """How a voice sounds; emotion is null when that is not sure."""

    emotion: str | None
    sure: bool
    probabilities: dict[str, float]
    gender: Literal["female", "male"]
    gender_probability: float
    intensity: Literal["normal", "strong"]
    intensity_probability: float
    speech: list[float]
    timeline: list[SegmentJson]
    notice: str


class FilmJson(TypedDict):
    """A film's facts, why it fits and its page at IMDb; what is not known is null."""

    imdb_id: str
    title: str
    year: int | None
    genres: list[str]
    rating: float | None
    votes: int | None
    runtime_min: int | None
    language: str | None
    url: str
    poster_url: str | None
    why: str


class SourceJson(TypedDict):
    """Where a list of films comes from, of which day (ISO 8601), and that in a sentence."""

    kind: Literal["imdb", "cache", "imported", "bundled"]
    as_of: str
    notice: str


class FilmsJson(TypedDict):
    """Films and where the list comes from."""

    source: SourceJson
    films: list[FilmJson]


class VoiceFilmsJson(FilmsJson):
    """Films for a voice, and how it sounds."""

    recognition: PredictionJson


class ReadingJson(PredictionJson):
    """What one of two models predicts, how long it took and how large it is."""

    ms: float
    parameters: int


class ComparisonJson(TypedDict):
    """Both opinions; large, joined and agree are null when there is no second one."""

    cnn: ReadingJson
    large: ReadingJson | None
    joined: PredictionJson | None
    agree: bool | None
    notice: str


class BatchJson(TypedDict):
    """For each file its name with the answer of recognize, or with an error."""

    results: list[dict[str, Any]]


class GainJson(TypedDict):
    """What enrollment was measured to bring: UAR from 0 to 1, the gain in points."""

    clips: int
    uar_without: float
    uar_with: float
    gain: float
    gain_by_fold: dict[str, float]


class EnrollmentJson(TypedDict):
    """The profile of a speaker, and what as many clips brought to other new speakers."""

    voice: dict[str, Any]
    expected_gain: GainJson | None


def recognize(audio: gr.FileData, voice: dict[str, Any] | None = None) -> PredictionJson:
    """Predict how the voice in a recording sounds: one of eight emotions, or not sure.

    Args:
        audio: A recording of speech, up to 60 seconds and 20 MB, as WAV, MP3, FLAC, OGG, WebM or M4A.
        voice: The profile of the speaker from learn_voice, to adapt to their voice.

    Returns:
        emotion (null when not sure), sure, calibrated probabilities of the eight emotions
        gender and intensity of the voice (normal or strong; neutral was only acted normal), the probability of each
        span of the speech in seconds, timeline, notice for the person
    """
    with plain_errors():
        return cast("PredictionJson", service.predict(path_of(audio), _read_profile(voice)).to_json())


def recommend(
    mood: Mood, intent: Intent = Intent.MATCH,
    genres: list[str] | None = None, not_genres: list[str] | None = None,
    from_year: int | None = None, to_year: int | None = None,
    min_rating: float | None = None, min_votes: int | None = None, max_minutes: int | None = None,
    language: str | None = None, lead: Literal["woman", "man", "any"] = "any",
    sort: Sort = Sort.LATEST, limit: int = 12,
) -> FilmsJson:  # fmt: skip
    """Recommend films that fit a mood, each with the reason and its page at IMDb.

    Args:
        mood: neutral, calm, happy, sad, angry, fearful, disgust or surprised.
        intent: match stays with the mood, lift leaves it.
        genres: IMDb genres of which a film must have one, instead of those that fit the mood.
        not_genres: IMDb genres that no film may have.
        from_year: Earliest year of release.
        to_year: Latest year of release.
        min_rating: Lowest IMDb rating, 0 to 10.
        min_votes: Lowest number of IMDb votes.
        max_minutes: Longest running time.
        language: Original language as an ISO 639 code, such as en.
        lead: Gender of the first-billed lead.
        sort: latest, popular or rating.
        limit: How many films, 1 to 100.

    Returns:
        source (kind, date and a notice on where the list comes from) and films.
    """
    with plain_errors():
        query = FilmQuery(
            genres=_to_tuple(genres), not_genres=_to_tuple(not_genres), from_year=from_year, to_year=to_year,
            min_rating=min_rating, min_votes=min_votes, max_minutes=max_minutes, language=language, lead=lead,
            sort=sort, limit=limit,
        )  # fmt: skip
        return _films_json(service.recommend({service.read_choice("mood", mood, Mood): 1.0}, intent, query))


def recommend_from_voice(
    audio: gr.FileData, intent: Intent = Intent.MATCH, limit: int = 12, voice: dict[str, Any] | None = None
) -> VoiceFilmsJson:
    """Predict how a voice sounds and recommend films for it; the less sure, the broader the list.

    Args:
        audio: A recording of speech, up to 60 seconds and 20 MB, as WAV, MP3, FLAC, OGG, WebM or M4A.
        intent: match stays with the mood, lift leaves it.
        limit: How many films, 1 to 100.
        voice: The profile of the speaker from learn_voice.

    Returns:
        recognition as recognize returns it, source and films as recommend returns them.
    """
    with plain_errors():
        query = FilmQuery(limit=limit)
        service.read_choice("intent", intent, Intent)  # before the prediction, which takes longer
        prediction = service.predict(path_of(audio), _read_profile(voice))
        found = service.recommend({str(name): p for name, p in prediction.probabilities.items()}, intent, query)
        return {"recognition": cast("PredictionJson", prediction.to_json()), **_films_json(found)}


def compare(audio: gr.FileData) -> ComparisonJson:
    """Ask for a second opinion: the network of this page, a pretrained encoder with a head, and both joined.

    Args:
        audio: A recording of speech, up to 60 seconds and 20 MB, as WAV, MP3, FLAC, OGG, WebM or M4A.

    Returns:
        cnn (the network, with fewer than a million parameters, all trained here) and large (20 million parameters that
            others trained on 680,000 hours, with a head trained here), each as recognize returns it, with ms and
            parameters
        joined: both together, as recognize returns it
        agree: whether both find the same emotion most probable
        notice: if large, joined and agree are null, what is missing or still loading
    """
    with plain_errors():
        return cast("ComparisonJson", comparison.compare(path_of(audio)).to_json())


def recognize_batch(files: list[gr.FileData]) -> BatchJson:
    """Predict how the voice sounds in each of several recordings; a bad one costs only its own result.

    Args:
        files: Up to 50 recordings of speech, each up to 60 seconds and 20 MB.

    Returns:
        results: for each file its name with the answer of recognize, or with an error for the person.
    """
    with plain_errors():
        if not isinstance(files, list):
            raise QueryError(texts.NOT_A_LIST)
        if len(files) > batch.MAX_FILES:
            raise QueryError(f"files may be {batch.MAX_FILES} at a time, not {len(files)}")
        results = []
        for result in batch.predict_all([path_of(file) for file in files]):
            answer = result.prediction.to_json() if result.prediction else {"error": result.error}
            results.append({"file": Path(result.file).name} | answer)
        return {"results": results}


def learn_voice(clips: list[gr.FileData], emotions: list[str] | None = None) -> EnrollmentJson:
    """Enroll a speaker from one neutral recording, or better from eight, one of each emotion; nothing is stored.

    Args:
        clips: Up to 16 recordings of one speaker, each up to 60 seconds and 20 MB.
        emotions: How the speaker sounds in each of the clips, in the same order; one clip alone counts as neutral.

    Returns:
        voice: the profile, a few numbers for recognize and recommend_from_voice; keep it, because it is stored nowhere
        expected_gain: what one neutral clip, or one of each emotion, brought to other new speakers; null for others
    """
    with plain_errors():
        names = ["neutral"] if emotions is None else emotions
        if not isinstance(clips, list) or not isinstance(names, list) or not 0 < len(clips) <= MAX_CLIPS:
            raise EnrollmentError(f"clips must be a list of 1 to {MAX_CLIPS} uploaded files, emotions a list of names.")
        if len(clips) != len(names) or not all(isinstance(name, str) for name in names):
            raise EnrollmentError("emotions must name for each of the clips the emotion it was spoken in.")
        grouped: dict[str, list[str]] = {}
        for clip, name in zip(clips, names, strict=True):
            grouped.setdefault(name, []).append(path_of(clip))
        profile = service.enroll(grouped)
        gain = enroll.expected_gain(profile) if len(grouped) == len(clips) else None
        return {"voice": profile.to_json(), "expected_gain": cast("GainJson | None", gain)}


def publish(blocks: gr.Blocks) -> None:
    """Add the endpoints to the Blocks under construction."""
    server.refuse_web_addresses()
    answer_in_json()
    api(recognize, concurrency_id="model")
    api(learn_voice, concurrency_id="model")
    api(recommend)
    api(recommend_from_voice, concurrency_id="model")
    api(compare, concurrency_id="comparison")  # which may wait for the large model to load
    api(recognize_batch, concurrency_id="model")
    for endpoint in blocks.fns.values():
        if endpoint.fn and endpoint.api_visibility == "public":
            _describe_parameters(endpoint.fn, endpoint.inputs)


def _describe_parameters(function: Callable[..., Any], inputs: Sequence[Any]) -> None:
    """Name and describe the parameters on the page about the API, which shows their numbers otherwise."""
    descriptions = get_function_description(function)[1]
    for component, name in zip(inputs, signature(function).parameters, strict=True):
        component.label = name
        component._api_info["additional_description"] = descriptions[name]  # noqa: SLF001


@contextmanager
def plain_errors() -> Iterator[None]:
    """Hand the sentence of an expected error to the client, without a stack trace."""
    try:
        yield
    except (*service.VOICE_PROBLEMS, ScraperError) as error:
        raise gr.Error(str(error), print_exception=False) from error


def _read_profile(voice: object) -> SpeakerProfile | None:
    return None if voice is None else SpeakerProfile.from_json(voice)


def _to_tuple(values: Any) -> Any:
    return () if values is None else tuple(values) if isinstance(values, list) else values


def _films_json(found: Recommendation) -> FilmsJson:
    source = cast("SourceJson", found.source.to_dict())
    return {"source": source, "films": [cast("FilmJson", pick.to_dict()) for pick in found.picks]}
