"""The answer to a voice or a picked mood: a face, a sentence, how sure it is, and the bars."""

from __future__ import annotations

from typing import Any

from ser_model.recognize import Prediction
from ui import texts
from ui.bars import bars, certainty, percent
from ui.template import Template

TOP = 3  # emotions named when it is not sure

TEMPLATE = """
{{#if value.headline}}
<section class="answer {{value.kind}}">
  <div class="verdict">
    {{#if value.face}}<span class="face face-{{value.face}}" aria-hidden="true"></span>{{/if}}
    <div>
      <h2>{{value.headline}}</h2>
      {{#if value.detail}}<p>{{value.detail}}</p>{{/if}}
      {{#if value.voice}}<p class="quiet">{{value.voice}}</p>{{/if}}
      {{#if value.hint}}<p class="hint">{{value.hint}}</p>{{/if}}
    </div>
  </div>
  {{#if value.bars}}
  <ul class="bars" aria-label="How probable each emotion is">
    {{#each value.bars}}
    <li class="{{#if this.leads}}leads{{/if}}">
      <span class="name">{{this.name}}</span>
      <span class="track" aria-hidden="true"><span style="width: {{this.share}}%"></span></span>
      <span class="percent">{{this.percent}}</span>
    </li>
    {{/each}}
  </ul>
  {{/if}}
</section>
{{/if}}
"""


class Answer(Template):
    """The place in the page where the answer appears and is announced."""

    def __init__(self) -> None:
        super().__init__(TEMPLATE, elem_id="answer", live=True)


def of_voice(heard: Prediction, show_voice: bool) -> dict[str, Any]:
    """Describe how a recording sounds.

    Args:
        heard: What the recogniser said.
        show_voice: Whether to say if the voice sounds male or female.
    """
    top = heard.top(TOP)
    best, probability = top[0]
    shown = {
        "kind": "sure" if heard.sure else "unsure",
        "face": str(best) if heard.sure else "unsure",
        "headline": f"You sound {_adjective(best)}." if heard.sure else texts.UNSURE,
        "detail": f"{certainty(probability)}: {percent(probability)}." if heard.sure else _could_be(heard),
        "hint": "" if heard.sure else texts.UNSURE_HINT,
        "bars": bars(heard.probabilities, leading=1 if heard.sure else TOP),
    }
    if show_voice:
        shown["voice"] = f"Sounds like a {heard.gender} voice ({percent(heard.gender_probability)} sure)."
    return shown


def of_pick(mood: str, heard: Prediction | None) -> dict[str, Any]:
    """Describe a mood that was picked, perhaps after a recording that was heard differently."""
    differs = heard is not None and heard.emotion is not None and heard.emotion != mood
    detail = f"It sounded {_adjective(heard.emotion)}, but you know better." if heard and differs else ""
    return {"kind": "picked", "face": mood, "headline": f"You feel {_adjective(mood)}.", "detail": detail}


def of_problem(sentence: str) -> dict[str, Any]:
    """Describe why a recording could not be judged."""
    headline, _, detail = sentence.partition(". ")
    return {"kind": "problem", "headline": f"{headline.rstrip('.')}.", "detail": detail}


def _adjective(emotion: str | None) -> str:
    return "disgusted" if emotion == "disgust" else str(emotion)


def _could_be(heard: Prediction) -> str:
    first, second, third = (_adjective(emotion) for emotion, _ in heard.top(TOP))
    return f"You might be {first}, {second} or {third}. Which is it?"
