"""The answer to a voice or a picked mood: a face, a sentence, how sure it is, and the bars."""

from __future__ import annotations

from ser_model.labels import Emotion
from ser_model.recognize import Prediction
from ui import texts
from ui.bars import bars, certainty, markup, percent
from ui.template import Shown, shown

TOP = 3  # emotions named when it is not sure
AUDIBLE = 0.6  # probability from which strong or normal intensity is worth a word
LIKELY = 0.5  # probability from which the headline says so without a "may"

TEMPLATE = (
    """
{{#if value.headline}}
<section class="answer {{value.kind}}">
  <div class="verdict">
    {{#if value.face}}<span class="face face-{{value.face}}" aria-hidden="true"></span>{{/if}}
    <div>
      <h2>{{value.headline}}</h2>
      {{#if value.detail}}<p>{{value.detail}}</p>{{/if}}
      {{#if value.strength}}<p class="quiet">{{value.strength}}</p>{{/if}}
      {{#if value.voice}}<p class="quiet">{{value.voice}}</p>{{/if}}
      {{#if value.learned}}<p class="quiet">{{value.learned}}</p>{{/if}}
      {{#if value.hint}}<p class="hint">{{value.hint}}</p>{{/if}}
    </div>
  </div>
  {{#if value.bars}}
"""
    + markup("value.bars", texts.BARS)
    + """
  {{/if}}
</section>
{{/if}}
"""
)


def of_voice(heard: Prediction, show_voice: bool, learned: bool = False) -> Shown:
    """Describe how a recording sounds.

    Args:
        heard: What the recogniser said.
        show_voice: Whether to say if the voice sounds male or female.
        learned: Whether it was heard against the visitor's own voice.
    """
    best, probability = heard.top(1)[0]
    voice = texts.VOICE.format(gender=heard.gender, percent=percent(heard.gender_probability)) if show_voice else ""
    if not heard.sure:
        return shown(
            kind="unsure",
            face="unsure",
            headline=texts.UNSURE,
            detail=_could_be(heard),
            hint=texts.UNSURE_HINT,
            strength=_strength(heard),
            voice=voice,
            learned=texts.OWN_VOICE if learned else "",
            bars=bars(heard.probabilities, leading=TOP),
        )
    return shown(
        kind="sure",
        face=str(best),
        headline=(texts.SOUND if probability >= LIKELY else texts.MAY_SOUND).format(emotion=adjective(best)),
        detail=texts.CERTAINTY.format(words=certainty(probability), percent=percent(probability)),
        strength=_strength(heard),
        voice=voice,
        learned=texts.OWN_VOICE if learned else "",
        bars=bars(heard.probabilities, leading=1),
    )


def of_pick(mood: str, heard: Prediction | None) -> Shown:
    """Describe a mood that was picked, perhaps after a recording that was heard differently."""
    sounded = heard.emotion if heard else None
    differs = sounded is not None and sounded != mood
    detail = texts.SOUNDED.format(emotion=adjective(sounded)) if differs else ""
    return shown(kind="picked", face=mood, headline=texts.FEEL.format(emotion=adjective(mood)), detail=detail)


def of_problem(sentence: str) -> Shown:
    """Describe why a recording could not be judged."""
    headline, _, detail = sentence.partition(". ")
    return shown(kind="problem", headline=f"{headline.rstrip('.')}.", detail=detail)


def adjective(emotion: str | None) -> str:
    """Return the word that stands after "you feel" for an emotion.

    Examples:
        >>> adjective("disgust"), adjective("sad")
        ('disgusted', 'sad')
    """
    return "disgusted" if emotion == "disgust" else str(emotion)


def _strength(heard: Prediction) -> str:
    """Say how strongly it was said; of neutral, which was only ever acted in normal intensity, and in doubt nothing."""
    if heard.top(1)[0][0] == Emotion.NEUTRAL or heard.intensity_probability < AUDIBLE:
        return ""
    return texts.STRENGTH[heard.intensity].format(percent=percent(heard.intensity_probability))


def _could_be(heard: Prediction) -> str:
    first, second, third = (adjective(emotion) for emotion, _ in heard.top(TOP))
    return texts.COULD_BE.format(first=first, second=second, third=third)
