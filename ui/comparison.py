"""The second opinion: what a pretrained encoder says beside the network, whether they agree, and both joined."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr
import spaces
import torch

from ser_model.comparison import ComparisonMissing, JoinedRecognizer, Opinions, is_available
from ser_model.recognize import Prediction
from ser_model.speaker import SpeakerProfile
from ui import films, service, texts
from ui.answer import adjective, bars, percent
from ui.films import FilmList
from ui.page import LATEST, PRIVATE, Asked, Visit, show_prediction
from ui.template import SafeContext, escape, template

API_TIMEOUT_S = 20.0  # a client waits so long for the second opinion to load; the page shows how far it is
GPU_S = 30  # asked of a ZeroGPU Space for one clip
POLL_S = 0.3  # between two looks at the download

logger = logging.getLogger(__name__)

Shown = tuple[SafeContext, gr.Button, Opinions | None]  # the opinions, the button that uses them, they themselves


def draw(row: gr.Row, visit: gr.State, asked: Asked, listed: FilmList) -> None:
    """Lay out the button in a row, and the place for the opinions; offer them for each new prediction."""
    with row:
        button = gr.Button(texts.SECOND_OPINION, visible=False, elem_id="compare")
    readings = template("comparison", elem_id="comparison", live=True)
    use = gr.Button(texts.USE_JOINED, visible=False, elem_id="use-joined")
    opinions = gr.State(None)
    shown = [readings, use, opinions]
    clicked = button.click(show_opinions, [asked.voice, visit], shown, concurrency_limit=None, **PRIVATE)
    used = use.click(use_opinions, [opinions, asked.voice, visit], [visit, asked.verdict, asked.moods, use], **PRIVATE)
    used.then(films.show_films, listed.question, listed.shown, **LATEST)
    asked.predicted.then(offer_opinions, visit, [button, *shown], cancels=[clicked], **PRIVATE)


def offer_opinions(visit: Visit) -> tuple[Any, ...]:
    """Offer a second opinion on a new recording, if there can be one; return the button and what it shows."""
    wanted = visit.prediction is not None and service.second_opinion() is not service.Mode.OFF
    return gr.Button(visible=wanted and is_available()), *_show()


async def show_opinions(path: str | None, visit: Visit) -> AsyncIterator[Shown]:
    """Ask for a second opinion on the page: how far the loading is, then the result.

    Visitors who wait hold no thread, so that any number of them may wait for the same download.
    """
    if path is None:
        yield _show(texts.NO_CLIP)
        return
    loading = service.joined.start()
    while not loading.done():
        here, whole = (round(count / 1e6) for count in service.download_progress.bytes or (0, 0))
        loaded: dict[str, Any] = {
            "detail": texts.DOWNLOADED.format(here=here, whole=whole),
            "here": here,
            "whole": whole,
        }
        yield _show(texts.DOWNLOADING, **loaded) if whole else _show(texts.LOADING)
        await asyncio.sleep(POLL_S)
    try:
        joined = loading.result()
        if isinstance(visit.prediction, Opinions):  # with SECOND_OPINION=always, and when both are used already
            opinions = visit.prediction
        else:
            yield _show(texts.ASKING)
            opinions = await asyncio.to_thread(predict_on_gpu, path, visit.profile)
    except service.VOICE_PROBLEMS as error:
        yield _show(service.explain_problem(error))
    except gr.Error as error:  # what a ZeroGPU Space says about its quota
        yield _show(str(error.message))
    except Exception as error:  # noqa: BLE001 - explain_missing logs it
        explain_missing(error)
        yield _show(texts.NO_SECOND_OPINION)
    else:
        yield describe(opinions, joined), gr.Button(visible=opinions != visit.prediction), opinions


def use_opinions(opinions: Opinions, path: str, visit: Visit) -> tuple[Any, ...]:
    """Answer with the joined opinion; return the visit, the answer, the mood buttons and the button that does this."""
    return *show_prediction(opinions, path, visit), gr.Button(visible=False)


def compare(path: str | Path) -> dict[str, Any]:
    """Ask the network and, if there is one, for a second opinion, as the endpoint does; may raise VOICE_PROBLEMS."""
    network, notice = service.recognizer.get(), texts.SWITCHED_OFF
    parameters = network.network.count_parameters()
    if service.second_opinion() is not service.Mode.OFF:
        try:
            joined = service.joined.get(API_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - explain_missing logs it
            notice = explain_missing(error)
        else:
            both = predict_on_gpu(path)
            cnn = _add_cost(both.network, both.network_ms, parameters)
            large = _add_cost(both.head, both.head_ms, joined.second.recognizer.network.count_parameters())
            return {"cnn": cnn, "large": large, "joined": both.joined.to_json(), "agree": both.agree, "notice": ""}
    begin = time.perf_counter()
    alone = service.predict(path, recognizer=network)
    cnn = _add_cost(alone, 1000 * (time.perf_counter() - begin), parameters)
    return {"cnn": cnn, "large": None, "joined": None, "agree": None, "notice": notice}


def _add_cost(prediction: Prediction, ms: float, parameters: int) -> dict[str, Any]:
    return prediction.to_json() | {"ms": round(ms, 1), "parameters": parameters}


@spaces.GPU(duration=GPU_S)  # type: ignore[untyped-decorator] # does something on a ZeroGPU Space only
def predict_on_gpu(path: str | Path, profile: SpeakerProfile | None = None) -> Opinions:
    """Ask both, which are loaded already."""
    joined = service.joined.get()
    if torch.cuda.is_available():
        joined.second.encoder.to("cuda")
    opinions = service.predict(path, profile, joined)
    assert isinstance(opinions, Opinions)
    return opinions


def explain_missing(error: Exception) -> str:
    """Say to a client why the second opinion cannot be loaded, and log what only the owner can mend."""
    if isinstance(error, TimeoutError):
        return texts.STILL_LOADING
    if isinstance(error, ComparisonMissing):
        logger.warning("%s", error)
        return str(error)
    logger.error("the second opinion cannot be loaded", exc_info=error)
    return texts.BROKEN


def describe(opinions: Opinions, joined: JoinedRecognizer) -> SafeContext:
    """Put both opinions and the joined one into words and bars."""
    name, network = joined.second.encoder_name, joined.network.count_parameters()
    encoder, whole = joined.second.encoder.parameters, joined.second.recognizer.network.count_parameters()
    millions = [f"{count / 1e6:.1f}" for count in (network, encoder, whole - encoder)]
    about_network = texts.NETWORK_IS.format(millions=millions[0])
    hours = texts.ENCODER_HOURS.get(name, "")
    about_head = texts.HEAD_IS.format(encoder=name, millions=millions[1], hours=hours, head=millions[2])
    first, other = (adjective(one.top(1)[0][0]) for one in (opinions.network, opinions.head))
    return escape(
        headline=(texts.AGREE if opinions.agree else texts.DISAGREE).format(first=first, second=other),
        detail=texts.JOINED_SAY.format(reading=_read(opinions.joined)),
        models=[
            _describe(texts.NETWORK, f"{about_network} {texts.TOOK.format(ms=opinions.network_ms)}", opinions.network),
            _describe(texts.HEAD, f"{about_head} {texts.TOOK.format(ms=opinions.head_ms)}", opinions.head),
            _describe(texts.JOINED, texts.JOINED_IS, opinions.joined),
        ],
    )


def _describe(name: str, about: str, prediction: Prediction) -> dict[str, Any]:
    reading, shown = _read(prediction).capitalize(), bars(prediction.probabilities, leading=1)
    return {"name": name, "about": about, "reading": reading, "label": f"{name}: {texts.BARS}", "bars": shown}


def _read(prediction: Prediction) -> str:
    emotion, probability = prediction.top(1)[0]
    return f"{adjective(emotion)}, {percent(probability)}{'' if prediction.sure else texts.AND_UNSURE}"


def _show(headline: str = "", **more: Any) -> Shown:
    return escape(headline=headline, **more), gr.Button(visible=False), None
