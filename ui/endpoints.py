"""The public endpoints, which are also the MCP tools; their names, types and docstrings are what a client reads."""

# No `from __future__ import annotations`: Gradio reads the types as they stand.

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
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
    measured_accuracy: float | None
    probabilities: dict[str, float]
    gender: Literal["female", "male"]
    gender_probability: float
    intensity: Literal["normal", "strong"]
    intensity_probability: float
    speech: list[float]
    timeline: list[SegmentJson]
    notice: str


class FilmJson(TypedDict):
    """A film's facts, how it feels (why) and its page at IMDb; what is not known is null."""

    imdb_id: str
    title: str
    year: int | None
    genres: list[str]
    rating: float | None
    votes: int | None
    runtime_min: int | None
    language: str | None
    tone: list[str]
    certificate: str | None
    url: str
    poster_url: str | None
    why: str


class SourceJson(TypedDict):
    """Where a list of films comes from, of which day (ISO 8601), and that in a sentence."""

    kind: Literal["imdb", "cache", "imported", "bundled"]
    as_of: str
    notice: str


class FilmsJson(TypedDict):
    """Films, where the list comes from, how many others feel different, and the search at IMDb."""

    source: SourceJson
    films: list[FilmJson]
    others: int
    address: str


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
        profile = None if voice is None else SpeakerProfile.from_json(voice)
        return cast("PredictionJson", service.predict(path_of(audio), profile).to_json())


def recommend(
    mood: Mood, intent: Intent = Intent.MATCH,
    genres: list[str] | None = None, not_genres: list[str] | None = None,
    from_year: int | None = None, to_year: int | None = None,
    min_rating: float | None = None, min_votes: int | None = None, max_minutes: int | None = None,
    languages: list[str] | None = None, lead: Literal["woman", "man", "any"] = "any",
    tones: list[str] | None = None, kids: bool = False,
    sort: Sort = Sort.BEST, day: str | None = None, limit: int = 12,
    exclude: list[str] | None = None, others: bool = False,
    lighter_than: str | None = None, page: gr.FileData | None = None,
) -> FilmsJson:  # fmt: skip
    """Recommend films that fit a mood, each with how it feels and its page at IMDb.

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
        languages: Original languages of which a film must have one, as ISO 639 codes such as en.
        lead: Gender of the first-billed lead.
        tones: What a film must be, all of it: warm, funny, calm, exciting, dark, sad, thoughtful.
        kids: Whether the films must be good with kids.
        sort: best, latest, popular or rating; best is another mix every day.
        day: Whose list of best films it is, such as 2026-11-28; today if it is missing.
        limit: How many films, 1 to 100.
        exclude: IMDb ids of films to leave out, such as those already seen.
        others: Whether films follow that pass the filters, but do not feel as the mood wants.
        lighter_than: IMDb id of a film; the list is then of films like it, but lighter.
        page: A page of IMDb's search that a person saved (.html or .mhtml, up to 5 MB), to take the films from.

    Returns:
        source (kind, date and a notice on where the list comes from), films, others (how many more pass the filters but
        feel different) and address (this search at IMDb, for a person's browser).
    """
    with plain_errors():
        query = _read_query(locals())
        moods = {str(service.read_choice("mood", mood, Mood)): 1.0}
        saved = None if page is None else service.read_page(path_of(page))
        more = {"lighter_than": lighter_than, "page": saved, "others": others}
        return _films_json(service.recommend(moods, intent, query, _read_ids(exclude), **more))


def recommend_from_voice(  # noqa: D417 - publish describes the filters as those of recommend
    audio: gr.FileData, intent: Intent = Intent.MATCH, voice: dict[str, Any] | None = None,
    genres: list[str] | None = None, not_genres: list[str] | None = None,
    from_year: int | None = None, to_year: int | None = None,
    min_rating: float | None = None, min_votes: int | None = None, max_minutes: int | None = None,
    languages: list[str] | None = None, lead: Literal["woman", "man", "any"] = "any",
    tones: list[str] | None = None, kids: bool = False,
    sort: Sort = Sort.BEST, day: str | None = None, limit: int = 12,
    exclude: list[str] | None = None, others: bool = False,
) -> VoiceFilmsJson:  # fmt: skip
    """Predict how a voice sounds and recommend films for it; the less sure, the broader the list.

    Args:
        audio: A recording of speech, up to 60 seconds and 20 MB, as WAV, MP3, FLAC, OGG, WebM or M4A.
        intent: match stays with the mood, lift leaves it.
        voice: The profile of the speaker from learn_voice.

    Returns:
        recognition as recognize returns it, the rest as recommend returns it.
    """
    with plain_errors():
        query = _read_query(locals())
        service.read_choice("intent", intent, Intent)  # before the prediction, which takes longer
        prediction = service.predict(path_of(audio), None if voice is None else SpeakerProfile.from_json(voice))
        moods = {str(name): p for name, p in prediction.probabilities.items()}
        found = service.recommend(moods, intent, query, _read_ids(exclude), others=others)
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
        return cast("ComparisonJson", comparison.compare(path_of(audio)))


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
    described = get_function_description(recommend_from_voice)[1]
    filters = {name: text for name, text in get_function_description(recommend)[1].items() if described.get(name) == ""}
    lines = "".join(f"        {name}: {text}\n" for name, text in filters.items())
    recommend_from_voice.__doc__ = str(recommend_from_voice.__doc__).replace("Args:\n", f"Args:\n{lines}")
    api(recognize, concurrency_id="model")
    api(learn_voice, concurrency_id="model")
    api(recommend)
    api(recommend_from_voice, concurrency_id="model")
    api(compare, concurrency_id="comparison")  # which may wait for the large model to load
    api(recognize_batch, concurrency_id="model")
    for published in blocks.fns.values():
        if published.fn and published.api_visibility == "public":  # the page about the API shows numbers otherwise
            descriptions = get_function_description(published.fn)[1]
            inputs: Sequence[Any] = published.inputs
            for component, name in zip(inputs, signature(published.fn).parameters, strict=True):
                component.label = name
                component._api_info["additional_description"] = descriptions[name]  # noqa: SLF001


@contextmanager
def plain_errors() -> Iterator[None]:
    """Hand the sentence of an expected error to the client, without a stack trace."""
    try:
        yield
    except (*service.VOICE_PROBLEMS, ScraperError) as error:
        raise gr.Error(str(error), print_exception=False) from error


def _read_query(given: Mapping[str, Any]) -> FilmQuery:
    """Make a query of those parameters of an endpoint that are filters."""
    names = {field.name for field in fields(FilmQuery)}
    return FilmQuery(**{name: value for name, value in given.items() if name in names and value is not None})


def _read_ids(values: Any) -> list[str]:
    if values is not None and not (isinstance(values, list) and all(isinstance(value, str) for value in values)):
        raise QueryError(texts.NOT_IDS)
    return values or []


def _films_json(found: Recommendation) -> FilmsJson:
    source = cast("SourceJson", found.source.to_dict())
    films = [cast("FilmJson", pick.to_dict()) for pick in found.picks]
    return {"source": source, "films": films, "others": found.others, "address": found.address}
