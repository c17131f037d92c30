"""Emotion bars, and certainty in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ui import texts


def markup(values: str, label: str) -> str:
    """Return the template of a list of bars.

    Args:
        values: Where the template finds what bars() returned, such as value.bars.
        label: What a screen reader says of the list; may be a template's placeholder.
    """
    return f"""
  <ul class="bars" aria-label="{label}">
    {{{{#each {values}}}}}
    <li class="{{{{#if this.leads}}}}leads{{{{/if}}}}">
      <span class="name">{{{{this.name}}}}</span>
      <span class="track" aria-hidden="true"><span style="width: {{{{this.share}}}}%"></span></span>
      <span class="percent">{{{{this.percent}}}}</span>
    </li>
    {{{{/each}}}}
  </ul>
"""


def certainty(probability: float) -> str:
    """Put a calibrated probability into words.

    Examples:
        >>> certainty(0.93), certainty(0.55)
        ('Very sure', 'Leaning this way')
    """
    return next(word for limit, word in texts.CERTAINTY_WORDS if probability >= limit)


def percent(probability: float) -> str:
    """Write a probability for people; what is neither 0 nor 1 never looks like it.

    Examples:
        >>> percent(0.714), percent(0.002), percent(0.999)
        ('71%', '<1%', '>99%')
    """
    rounded = round(probability * 100)
    if rounded == 0 and probability > 0:
        return "<1%"
    if rounded == 100 and probability < 1:  # noqa: PLR2004
        return ">99%"
    return f"{rounded}%"


def bars(probabilities: Mapping[str, float], leading: int, steady: bool = False) -> list[dict[str, Any]]:
    """Return one bar for each emotion, the most probable first.

    Args:
        probabilities: The emotions, calibrated.
        leading: How many of them stand out.
        steady: Keep the order in which they come, for bars that move.
    """
    ordered = sorted(probabilities.items(), key=lambda item: -item[1])
    places = {emotion: place for place, (emotion, _) in enumerate(ordered)}
    return [
        {
            "name": str(emotion),
            "percent": percent(value),
            "share": round(value * 100),
            "leads": places[emotion] < leading,
        }
        for emotion, value in (probabilities.items() if steady else ordered)
    ]
