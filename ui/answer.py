"""The answer to a voice or a picked mood: a face, a sentence, how sure it is, and the bars."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from scraper.moods import Mood
from ser_model.labels import Emotion
from ser_model.recognize import Prediction
from ui import texts
from ui.template import SafeContext, escape

TOP = 3  # emotions that are named when it is not sure
MIN_INTENSITY_PROBABILITY = 0.6  # below it, the page says nothing about the intensity
MIN_GENDER_PROBABILITY = 0.9  # below it, the page says "perhaps"
MIN_PLAIN_PROBABILITY = 0.5  # from here on "You sound", below it "You may sound"


def describe_prediction(prediction: Prediction, enrolled: bool = False, made: bool = False) -> SafeContext:
    """Describe how a recording sounds; enrolled means adapted to the visitor's voice, made a synthetic voice."""
    best, probability = prediction.top(1)[0]
    facts = [texts.ADAPTED] if enrolled else []
    if best != Emotion.NEUTRAL and prediction.intensity_probability >= MIN_INTENSITY_PROBABILITY:
        facts.insert(0, texts.INTENSITY[prediction.intensity])  # neutral was only acted in normal intensity
    gender = texts.GENDER[prediction.gender]
    if prediction.gender_probability < MIN_GENDER_PROBABILITY:
        gender = texts.MAYBE_GENDER.format(gender=gender)
    said: dict[str, Any] = {"kind": "unsure", "face": "unsure", "headline": texts.UNSURE}
    if prediction.sure:
        plain = texts.VOICE_SOUNDS if made else texts.SOUND
        words = (plain if probability >= MIN_PLAIN_PROBABILITY else texts.MAY_SOUND).format(emotion=adjective(best))
        detail = say_certainty(probability, prediction.measured_accuracy)
        said = {"kind": "sure", "face": str(best), "headline": words, "detail": detail}
    else:
        top = [emotion for emotion, _ in prediction.top(TOP)]
        first, second, third = map(adjective, top)
        said["detail"] = f"{texts.COULD_BE.format(first=first, second=second, third=third)} {texts.UNSURE_HINT}"
        said["picks"] = _offer(top)
    return _say(
        **said,
        voice="adapted" if enrolled else "plain",
        notice=prediction.recording_notice,
        facts=facts,
        gender=gender,
        more=texts.ALL_EIGHT if prediction.sure else texts.ALL_EIGHT_UNSURE,
        label=texts.BARS,
        bars=bars(prediction.probabilities, leading=1 if prediction.sure else TOP, pick=True),
    )


def describe_pick(mood: str, prediction: Prediction | None) -> SafeContext:
    """Describe a picked mood, and how the last recording sounded if that was something else."""
    sounded = prediction.emotion if prediction else None
    differs = sounded is not None and sounded != mood
    detail = texts.SOUNDED.format(emotion=adjective(sounded)) if differs else ""
    return _say(kind="picked", face=mood, headline=texts.CHOSE.format(emotion=adjective(mood)), detail=detail)


def describe_link(mood: str) -> SafeContext:
    """Describe the mood of an address, which somebody else may have chosen; of several, one is asked for."""
    several = mood.split(",") if "," in mood else []
    said: dict[str, Any] = {"face": mood}
    if several:
        said = {"face": "unsure", "detail": texts.UNSURE_HINT, "picks": _offer(several)}
    return _say(kind="link", headline=films_for(mood), **said)


def films_for(mood: str) -> str:
    """Name a list of films by its mood, or by several.

    Examples:
        >>> films_for("angry"), films_for("sad,calm,angry")
        ('Films for an angry mood', 'Films for a sad, calm or angry mood')
    """
    *others, last = map(adjective, mood.split(","))
    emotion = f"{', '.join(others)} or {last}" if others else last
    return texts.FOR_A_MOOD.format(article="an" if emotion[0] in "aeiou" else "a", emotion=emotion)


def read_mood(text: str) -> str | None:
    """Return the mood that an address names, or several with commas between, as of a voice that is not sure."""
    return ",".join(mood for mood in dict.fromkeys(text.split(",")) if mood in tuple(Mood)) or None


def describe_problem(sentence: str) -> SafeContext:
    """Say why there is no prediction: the first sentence is the headline, the rest says what to do."""
    headline, _, detail = sentence.partition(". ")
    return escape(headline=f"{headline.rstrip('.')}.", detail=detail)


def adjective(emotion: str | None) -> str:
    """Return the word that follows "you feel"."""
    return "disgusted" if emotion == "disgust" else str(emotion)


def say_certainty(probability: float, accuracy: float | None) -> str:
    """Say how sure an answer is: in words that follow its measured accuracy, or else its calibrated probability."""
    words = next(
        word for limit, word in texts.CERTAINTY_WORDS if (probability if accuracy is None else accuracy) >= limit
    )
    if accuracy is None:
        return texts.CERTAINTY.format(words=words, percent=percent(probability))
    times = texts.TIMES[min(texts.TIMES, key=lambda share: abs(share - accuracy))]
    return texts.CERTAINTY_MEASURED.format(words=words, times=times)


def percent(probability: float) -> str:
    """Write a probability for people; only 0 and 1 themselves become 0% and 100%.

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


def bars(
    probabilities: Mapping[str, float], leading: int, keep_order: bool = False, pick: bool = False
) -> list[dict[str, Any]]:
    """Return the bars of bars.html, the most probable first or, as for bars that move, in the order of the emotions.

    As many as leading stand out. With pick, a click on a name picks that mood.
    """
    ordered = sorted(probabilities, key=lambda emotion: -probabilities[emotion])
    shown = probabilities if keep_order else ordered
    return [
        bar(adjective(emotion), probabilities[emotion], emotion in ordered[:leading])
        | ({"mood": str(emotion)} if pick else {})
        for emotion in shown
    ]


def bar(name: str, value: float, leads: bool = False) -> dict[str, Any]:
    """Return a bar of bars.html for a value from 0 to 1."""
    return {"name": name, "percent": percent(value), "share": round(value * 100), "leads": leads}


def _offer(moods: Sequence[str]) -> list[dict[str, str]]:
    """Return buttons for moods."""
    return [{"mood": str(mood), "name": adjective(mood).capitalize()} for mood in moods]


def _say(**values: Any) -> SafeContext:
    """Make an answer that page.js can tell from the one before, even if the words are the same."""
    return escape(stamp=secrets.token_hex(4), **values)
