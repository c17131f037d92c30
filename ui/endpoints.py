"""The public endpoints, which are also the MCP tools; their names, types and docstrings are what a client reads."""

# No `from __future__ import annotations`: Gradio reads the return types as they stand.

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import gradio as gr
from fastapi import Request
from fastapi.responses import JSONResponse
from gradio.events import api
from gradio_client.utils import is_file_obj_with_meta

from scraper.errors import QueryError, ScraperError
from scraper.moods import Intent, Mood
from scraper.query import FilmQuery, Sort
from scraper.recommend import Recommendation
from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.voice import LearnedVoice, VoiceError
from ui import batch, comparison, contract, fetch, gate, service, texts, uploads

MAX_CLIPS = 16  # that a voice is learned from
NOT_A_FILE = "audio must be an uploaded file: handle_file(path) in the Python client, a web address over MCP"
NO_UPLOAD = "an upload is multipart/form-data with one or more files named files"
NOT_A_LIST = "files must be a list of uploaded files"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

logger = logging.getLogger(__name__)


def recognize(audio: gr.FileData, voice: dict[str, Any] | None = None) -> contract.Recognition:
    """Say how the voice in a recording sounds: one of eight emotions, or not sure.

    Args:
        audio: A recording of speech, up to 60 seconds and 20 MB, as WAV, MP3, FLAC, OGG, WebM or M4A.
        voice: What learn_voice gave for this speaker; without it the voice is heard like anybody's.

    Returns:
        emotion (null when not sure), sure, calibrated probabilities of the eight emotions
        gender and intensity of the voice (normal or strong; neutral was only acted normal), the probability of each
        span of the speech in seconds, timeline, notice for the person
    """
    with plain_errors():
        return cast("contract.Recognition", service.hear(_path(audio), _voice(voice)).to_json())


def recommend(
    mood: Mood,
    intent: Intent = Intent.MATCH,
    genres: list[str] | None = None,
    not_genres: list[str] | None = None,
    from_year: int | None = None,
    to_year: int | None = None,
    min_rating: float | None = None,
    min_votes: int | None = None,
    max_minutes: int | None = None,
    language: str | None = None,
    lead: Literal["woman", "man", "any"] = "any",
    sort: Sort = Sort.LATEST,
    limit: int = 12,
) -> contract.Films:
    """Recommend films that fit a mood, with the reason for each and the way to IMDb.

    Args:
        mood: neutral, calm, happy, sad, angry, fearful, disgust or surprised.
        intent: match stays with the mood, lift leaves it.
        genres: IMDb genres of which a film must have one, in place of those that fit the mood.
        not_genres: IMDb genres that no film may have.
        from_year: Earliest year of release.
        to_year: Latest year of release.
        min_rating: Lowest IMDb rating, 0 to 10.
        min_votes: Lowest number of IMDb votes.
        max_minutes: Longest running time.
        language: Original language as an ISO 639 code, such as en.
        lead: Gender of the first-billed lead.
        sort: latest, popular or rating.
        limit: Films wanted, 1 to 100.

    Returns:
        source (kind, date and a notice on where the list comes from) and films.
    """
    with plain_errors():
        filters = FilmQuery(
            genres=_tuple(genres),
            not_genres=_tuple(not_genres),
            from_year=from_year,
            to_year=to_year,
            min_rating=min_rating,
            min_votes=min_votes,
            max_minutes=max_minutes,
            language=language,
            lead=lead,
            sort=sort,
            limit=limit,
        )
        return _films(service.find_films({service.read_mood(mood): 1.0}, intent, filters))


def recommend_from_voice(
    audio: gr.FileData, intent: Intent = Intent.MATCH, limit: int = 12, voice: dict[str, Any] | None = None
) -> contract.VoiceFilms:
    """Say how a voice sounds and recommend films for it; the less sure, the broader the list.

    Args:
        audio: A recording of speech, up to 60 seconds and 20 MB, as WAV, MP3, FLAC, OGG, WebM or M4A.
        intent: match stays with the mood, lift leaves it.
        limit: Films wanted, 1 to 100.
        voice: What learn_voice gave for this speaker.

    Returns:
        recognition as recognize returns it, source and films as recommend returns them.
    """
    with plain_errors():
        filters = FilmQuery(limit=limit)
        service.read_intent(intent)  # before the voice is heard, which takes longer
        heard = service.hear(_path(audio), _voice(voice))
        found = service.find_films({str(name): p for name, p in heard.probabilities.items()}, intent, filters)
        recognition = cast("contract.Recognition", heard.to_json())
        return {"recognition": recognition, **_films(found)}


def compare(audio: gr.FileData) -> contract.Comparison:
    """Hear a recording with both models: the small one of the page, and wav2vec2 with hundreds of times its parameters.

    Args:
        audio: A recording of speech, up to 60 seconds and 20 MB, as WAV, MP3, FLAC, OGG, WebM or M4A.

    Returns:
        cnn and wav2vec2 (each as recognize returns it, with ms and parameters; wav2vec2 is null when it is not there)
        agree (null when there is one model only) and a notice that says what is missing or still loading.
    """
    with plain_errors():
        return cast("contract.Comparison", comparison.compare(_path(audio)).to_json())


def recognize_batch(files: list[gr.FileData]) -> contract.Batch:
    """Say how the voice sounds in each of several recordings; one that cannot be judged never spoils the rest.

    Args:
        files: Up to 50 recordings of speech, each up to 60 seconds and 20 MB.

    Returns:
        results: for each file its name with what recognize returns, or with an error for the person.
    """
    with plain_errors():
        if not isinstance(files, list):
            raise QueryError(NOT_A_LIST)
        if len(files) > batch.MAX_FILES:
            raise QueryError(f"files may be {batch.MAX_FILES} at a time, not {len(files)}")
        return {"results": list(batch.hear_files([_path(file) for file in files]))}


def learn_voice(clips: list[gr.FileData], emotions: list[str] | None = None) -> contract.Learned:
    """Learn a speaker's voice from one neutral recording, or better from eight, one of each emotion; nothing is kept.

    Args:
        clips: Up to 16 recordings of one speaker, each up to 60 seconds and 20 MB.
        emotions: How the speaker sounds in each of the clips, in the same order; one clip alone is taken as neutral.

    Returns:
        voice: a few numbers for recognize and recommend_from_voice; keep them, for they are stored nowhere
        expected_gain: what one neutral clip, or one of each emotion, brought to speakers never heard before, by folds;
            null for any other clips, which nobody measured
    """
    with plain_errors():
        named = ["neutral"] if emotions is None else emotions
        if not isinstance(clips, list) or not isinstance(named, list) or not 0 < len(clips) <= MAX_CLIPS:
            raise VoiceError(f"clips must be a list of 1 to {MAX_CLIPS} uploaded files, and emotions a list of names.")
        if len(clips) != len(named) or not all(isinstance(name, str) for name in named):
            raise VoiceError("emotions must name for each of the clips the emotion it was spoken in.")
        chosen: dict[str, list[str]] = {}
        for clip, name in zip(clips, named, strict=True):
            chosen.setdefault(name, []).append(_path(clip))
        voice = service.learn_voice(chosen)
        gain = cast("contract.Gain | None", service.expect_gain(voice) if len(chosen) == len(clips) else None)
        return {"voice": voice.to_json(), "expected_gain": gain}


def publish() -> None:
    """Add the endpoints to the Blocks under construction."""
    fetch.replace_gradios()
    api(recognize, concurrency_id="model")
    api(learn_voice, concurrency_id="model")
    api(recommend)
    api(recommend_from_voice, concurrency_id="model")
    api(compare, concurrency_id="comparison")  # which may wait for the large model to load
    api(recognize_batch, concurrency_id="model")


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """Answer in a sentence where Gradio's own routes raise: uploads that are none, a full disk, wrong arguments."""
    reason = str(error).partition(". Please click")[0]
    if isinstance(error, OSError):
        return gate.refuse_for_room() if error.errno in FULL else _report(request, error)
    if request.url.path.endswith("/upload"):
        return JSONResponse({"detail": NO_UPLOAD}, 400)
    if reason.startswith(("No value provided", "Parameter `")):
        return JSONResponse({"detail": f"{reason}; see /gradio_api/openapi.json"}, 422)
    raise error


def _report(request: Request, error: Exception) -> JSONResponse:
    """Put what nobody expected into the log, and tell the client that it is there."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse({"detail": texts.IN_THE_LOG}, 500)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Hand the sentence of an expected error to the client, without a stack trace."""
    try:
        yield
    except (AudioError, ScraperError, VoiceError, WeightsError) as error:
        raise gr.Error(str(error), print_exception=False) from error


def _path(audio: Any) -> str:
    """Return where Gradio put an upload.

    Gradio checks only what carries its `meta` mark; a path that a client made up must never be opened.
    """
    if not is_file_obj_with_meta(audio) or not Path(audio["path"]).resolve().is_relative_to(uploads.folder()):
        raise QueryError(NOT_A_FILE)
    return str(audio["path"])


def _voice(voice: object) -> LearnedVoice | None:
    return None if voice is None else LearnedVoice.from_json(voice)


def _tuple(values: Any) -> Any:
    return () if values is None else tuple(values) if isinstance(values, list) else values


def _films(found: Recommendation) -> contract.Films:
    source = cast("contract.Source", found.source.to_dict())
    return {"source": source, "films": [cast("contract.Film", pick.to_dict()) for pick in found.picks]}
