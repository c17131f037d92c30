"""What the endpoints answer, as types: Gradio writes them into its OpenAPI description and the MCP tools."""

# No `from __future__ import annotations`: Gradio reads the types as they stand.

from typing import Any, Literal, TypedDict


class Moment(TypedDict):
    """The emotion over one window of a recording."""

    start_s: float
    end_s: float
    probabilities: dict[str, float]


class Recognition(TypedDict):
    """How a voice sounds; emotion is null when that is not sure."""

    emotion: str | None
    sure: bool
    probabilities: dict[str, float]
    gender: Literal["female", "male"]
    gender_probability: float
    intensity: Literal["normal", "strong"]
    intensity_probability: float
    speech: list[float]
    timeline: list[Moment]
    notice: str


class Film(TypedDict):
    """A film's facts, why it fits and the way to IMDb; what is not known is null."""

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


class Source(TypedDict):
    """Where a list of films comes from, of which day (ISO 8601), and that in a sentence."""

    kind: Literal["imdb", "cache", "imported", "bundled"]
    as_of: str
    notice: str


class Films(TypedDict):
    """Films and where the list comes from."""

    source: Source
    films: list[Film]


class VoiceFilms(Films):
    """Films for a voice, and how it sounds."""

    recognition: Recognition


class Reading(Recognition):
    """What one of two models says, how long it took and how large it is."""

    ms: float
    parameters: int


class Comparison(TypedDict):
    """Both models; wav2vec2 and agree are null when the large one is not there."""

    cnn: Reading
    wav2vec2: Reading | None
    agree: bool | None
    notice: str


class Batch(TypedDict):
    """For each file its name with what recognize answers, or with an error."""

    results: list[dict[str, Any]]


class Gain(TypedDict):
    """What learning a voice was measured to bring: UAR from 0 to 1, the gain in points."""

    clips: int
    uar_without: float
    uar_with: float
    gain: float
    gain_by_fold: dict[str, float]


class Learned(TypedDict):
    """A learned voice, and what as many clips brought to speakers never heard before."""

    voice: dict[str, Any]
    expected_gain: Gain | None
