"""The same clip through both models: two readings side by side, what they cost, and whether they agree."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ser_model.audio import AudioError
from ser_model.cnn import WeightsError
from ser_model.recognize import EmotionRecognizer, Prediction
from ser_model.voice import LearnedVoice, VoiceError
from ser_model.wav2vec2 import ComparisonMissing
from ui import rival, service, texts
from ui.bars import bars, markup, percent
from ui.template import Shown, shown
from ui.visit import Visit

API_PATIENCE_S = 20.0  # how long a client waits for the large model to load ...
PAGE_PATIENCE_S = 120.0  # ... and how long the page does, which says so meanwhile

TEMPLATE = (
    """
{{#if value.headline}}
<section class="comparison" aria-label="COMPARISON">
  <h2>{{value.headline}}</h2>
  {{#if value.detail}}<p class="quiet">{{value.detail}}</p>{{/if}}
  <div class="models">
    {{#each value.models}}
    <div>
      <h3>{{this.name}}</h3>
      <p class="quiet">{{this.cost}}</p>
      <p class="reading">{{this.reading}}</p>
""".replace("COMPARISON", texts.COMPARISON)
    + markup("this.bars", f"{{{{this.name}}}}: {texts.BARS}")
    + """
    </div>
    {{/each}}
  </div>
</section>
{{/if}}
"""
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one model heard and what that cost: decoding, finding the speech and judging it."""

    heard: Prediction
    ms: float
    parameters: int

    def to_json(self) -> dict[str, Any]:
        """Return the recognition with time and size."""
        return self.heard.to_json() | {"ms": round(self.ms, 1), "parameters": self.parameters}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both readings; the large model's is None when it is missing or loading, and the notice says which."""

    cnn: Reading
    wav2vec2: Reading | None = None
    notice: str = ""

    @property
    def agree(self) -> bool | None:
        """Whether both find the same emotion most probable."""
        if self.wav2vec2 is None:
            return None
        return self.cnn.heard.top(1)[0][0] == self.wav2vec2.heard.top(1)[0][0]

    def to_json(self) -> dict[str, Any]:
        """Return what the endpoint answers."""
        other = self.wav2vec2.to_json() if self.wav2vec2 else None
        return {"cnn": self.cnn.to_json(), "wav2vec2": other, "agree": self.agree, "notice": self.notice}


def compare(path: str | Path, patience_s: float = API_PATIENCE_S, learned: LearnedVoice | None = None) -> Comparison:
    """Hear a clip with both models.

    Args:
        path: The recording.
        patience_s: How long to wait for the large model to load.
        learned: The speaker's voice, which the small model can mind.

    Raises:
        AudioError: The clip cannot be judged; the message says what to do.
        VoiceError: The voice was learned with other weights.
    """
    small = service.recognizer()
    cnn = _time(functools.partial(service.hear, voice=learned), Path(path), small)
    try:
        if not rival.rival.wait(patience_s):
            return Comparison(cnn, notice=texts.STILL_LOADING)
    except ComparisonMissing as error:
        return Comparison(cnn, notice=str(error))
    assert rival.rival.recognizer is not None
    return Comparison(cnn, _time(rival.hear, Path(path), rival.rival.recognizer))


def show(path: str | None, visit: Visit) -> Iterator[Shown]:
    """Compare on the page: a word about loading at once, then the result."""
    if path is None:
        yield shown(headline=texts.NO_CLIP)
        return
    yield shown(headline=texts.LOADING_RIVAL)
    try:
        yield describe(compare(path, PAGE_PATIENCE_S, visit.voice))
    except (AudioError, VoiceError) as error:
        yield shown(headline=str(error))
    except WeightsError:
        yield shown(headline=texts.NO_MODEL)
    except gr.Error as error:  # what a ZeroGPU Space says of its quota
        yield shown(headline=str(error.message))


def describe(found: Comparison) -> Shown:
    """Put a comparison into words and bars."""
    models = [_describe(texts.SMALL_MODEL, found.cnn)]
    if found.wav2vec2 is None:
        return shown(headline=texts.ONE_MODEL, detail=found.notice, models=models)
    models.append(_describe(texts.LARGE_MODEL, found.wav2vec2))
    times = round(found.wav2vec2.parameters / found.cnn.parameters)
    headline = texts.AGREE if found.agree else texts.DISAGREE
    return shown(headline=headline, detail=texts.LARGER.format(times=times), models=models)


def _describe(name: str, reading: Reading) -> dict[str, Any]:
    emotion, probability = reading.heard.top(1)[0]
    return {
        "name": name,
        "cost": texts.COST.format(parameters=_count(reading.parameters), ms=reading.ms),
        "reading": f"{emotion.capitalize()}, {percent(probability)}{'' if reading.heard.sure else texts.AND_UNSURE}",
        "bars": bars(reading.heard.probabilities, leading=1),
    }


def _time(hear: Callable[[Path], Prediction], path: Path, recognizer: EmotionRecognizer) -> Reading:
    begin = time.perf_counter()
    heard = hear(path)
    return Reading(heard, 1000 * (time.perf_counter() - begin), recognizer.count_parameters())


def _count(parameters: int) -> str:
    million = 1_000_000
    if parameters < million:
        return texts.THOUSAND.format(count=parameters / 1000)
    return texts.MILLION.format(count=f"{parameters / million:.{0 if parameters >= 10 * million else 1}f}")
