"""The same clip through both models: two readings side by side, what they cost, and whether they agree."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import spaces

from ser_model.comparison import ComparisonMissing, has_head, load_comparison
from ser_model.recognize import EmotionRecognizer, Prediction
from ser_model.speaker import SpeakerProfile
from ui import service, texts
from ui.answer import bars, percent
from ui.page import PRIVATE, Asked, Visit
from ui.template import SafeContext, escape, template

API_TIMEOUT_S = 20.0  # a client waits so long for the large model to load ...
PAGE_TIMEOUT_S = 120.0  # ... and the page so long, because it can say so
GPU_S = 30  # asked of a ZeroGPU Space for one clip

logger = logging.getLogger(__name__)

large_model = service.Lazy(load_comparison)


@dataclass(frozen=True, slots=True)
class ModelReading:
    """The prediction of one model and what it cost: the time for decoding, finding the speech and predicting."""

    prediction: Prediction
    ms: float
    parameters: int

    def to_json(self) -> dict[str, Any]:
        """Return the prediction with time and size."""
        return self.prediction.to_json() | {"ms": round(self.ms, 1), "parameters": self.parameters}


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """Both readings; if the large model's is None, the notice says why."""

    cnn: ModelReading
    large: ModelReading | None = None
    notice: str = ""

    @property
    def agree(self) -> bool | None:
        """Whether both models find the same emotion most probable."""
        if self.large is None:
            return None
        return self.cnn.prediction.top(1)[0][0] == self.large.prediction.top(1)[0][0]

    def to_json(self) -> dict[str, Any]:
        """Return the answer of the endpoint."""
        large = self.large.to_json() if self.large else None
        return {"cnn": self.cnn.to_json(), "large": large, "agree": self.agree, "notice": self.notice}


def draw(row: gr.Row, visit: gr.State, asked: Asked) -> None:
    """Lay out the button in a row and the place for the readings; offer them for each new prediction."""
    with row:
        button = gr.Button(texts.COMPARE, visible=False, elem_id="compare")
    readings = template("comparison", elem_id="comparison", live=True, say={"title": texts.COMPARISON})
    button.click(show_comparison, [asked.voice, visit], readings, concurrency_id="comparison", **PRIVATE)
    asked.predicted.then(offer_comparison, visit, [button, readings], **PRIVATE)


def offer_comparison(visit: Visit) -> tuple[Any, SafeContext]:
    """Offer to compare on a new recording, if the large model was trained; return the button and the readings."""
    return gr.Button(visible=visit.prediction is not None and has_head()), escape()


def show_comparison(path: str | None, visit: Visit) -> Iterator[SafeContext]:
    """Compare on the page: a message at once, then the result."""
    if path is None:
        yield escape(headline=texts.NO_CLIP)
        return
    yield escape(headline=texts.COMPARING)
    try:
        yield describe(compare(path, PAGE_TIMEOUT_S, visit.profile))
    except service.VOICE_PROBLEMS as error:
        yield escape(headline=service.explain_problem(error))
    except gr.Error as error:  # what a ZeroGPU Space says about its quota
        yield escape(headline=str(error.message))


def compare(
    path: str | Path, timeout_s: float = API_TIMEOUT_S, profile: SpeakerProfile | None = None
) -> ComparisonResult:
    """Predict the emotion in a clip with both models; may raise VOICE_PROBLEMS.

    Args:
        path: The recording.
        timeout_s: How long to wait for the large model to load.
        profile: Of the speaker, for the small model.
    """
    cnn = _measure(partial(service.predict, profile=profile), path, service.recognizer.get())
    try:
        large = large_model.get(timeout_s)
    except TimeoutError:
        return ComparisonResult(cnn, notice=texts.STILL_LOADING)
    except ComparisonMissing as error:
        return ComparisonResult(cnn, notice=str(error))
    except Exception:
        logger.exception("the large model cannot be loaded")
        return ComparisonResult(cnn, notice=texts.BROKEN)
    return ComparisonResult(cnn, _measure(predict_on_gpu, path, large))


def describe(result: ComparisonResult) -> SafeContext:
    """Put a comparison into words and bars."""
    models = [_describe_reading(texts.SMALL_MODEL, result.cnn)]
    if result.large is None:
        return escape(headline=texts.ONE_MODEL, detail=result.notice, models=models)
    models.append(_describe_reading(texts.LARGE_MODEL, result.large))
    times = round(result.large.parameters / result.cnn.parameters)
    headline = texts.AGREE if result.agree else texts.DISAGREE
    return escape(headline=headline, detail=texts.LARGER.format(times=times), models=models)


@spaces.GPU(duration=GPU_S)  # type: ignore[untyped-decorator] # does something on a ZeroGPU Space only
def predict_on_gpu(path: str | Path) -> Prediction:
    """Predict with the large model, which is loaded already."""
    return large_model.get().recognize(Path(path))


def _measure(predict: Callable[..., Prediction], path: str | Path, recognizer: EmotionRecognizer) -> ModelReading:
    begin = time.perf_counter()
    prediction = predict(path)
    return ModelReading(prediction, 1000 * (time.perf_counter() - begin), recognizer.network.count_parameters())


def _describe_reading(name: str, reading: ModelReading) -> dict[str, Any]:
    (emotion, probability), *_ = reading.prediction.top(1)
    unsure = "" if reading.prediction.sure else texts.AND_UNSURE
    return {
        "name": name,
        "cost": texts.COST.format(millions=reading.parameters / 1e6, ms=reading.ms),
        "reading": f"{emotion.capitalize()}, {percent(probability)}{unsure}",
        "label": f"{name}: {texts.BARS}",
        "bars": bars(reading.prediction.probabilities, leading=1),
    }
