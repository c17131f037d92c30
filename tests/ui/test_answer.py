"""What the answer says when it is sure, unsure, corrected, or has nothing to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ser_model.labels import EMOTIONS, Emotion, Gender, Intensity
from ser_model.recognize import Prediction
from ui import answer, texts


def make_prediction(sure: bool = True, **named: float) -> Prediction:
    rest = (1 - sum(named.values())) / (len(EMOTIONS) - len(named))
    probabilities = {emotion: named.get(emotion, rest) for emotion in EMOTIONS}
    best = max(probabilities, key=lambda emotion: probabilities[emotion])
    return Prediction(
        best if sure else None, sure, probabilities, Gender.FEMALE, 0.93, Intensity.NORMAL, 0.8, (0.2, 1.8), (), ""
    )


def test_a_sure_answer_names_the_emotion_and_how_sure() -> None:
    shown = answer.of_voice(make_prediction(sad=0.75), show_voice=True)
    assert (shown["headline"], shown["detail"]) == ("You sound sad.", "Quite sure: 75%.")
    assert shown["voice"] == "Sounds like a female voice (93% sure)."
    assert [row["name"] for row in shown["bars"] if row["leads"]] == ["sad"]


def test_how_strongly_it_was_said_is_a_word_where_it_means_something() -> None:
    heard = make_prediction(sad=0.75)
    assert answer.of_voice(heard, show_voice=False)["strength"] == "Said mildly (80% sure)."
    strong = replace(heard, intensity=Intensity.STRONG, intensity_probability=0.7)
    assert answer.of_voice(strong, show_voice=False)["strength"] == "Said strongly (70% sure)."
    doubtful = replace(strong, intensity_probability=0.55)
    assert answer.of_voice(doubtful, show_voice=False)["strength"] == ""
    assert answer.of_voice(make_prediction(neutral=0.75), show_voice=False)["strength"] == ""


def test_a_weak_answer_says_may() -> None:
    shown = answer.of_voice(make_prediction(disgust=0.35), show_voice=False)
    assert shown["headline"] == "You may sound disgusted."
    assert shown["voice"] == ""


def test_an_unsure_answer_names_three_and_asks() -> None:
    shown = answer.of_voice(make_prediction(sure=False, calm=0.24, sad=0.22, neutral=0.2), show_voice=True)
    assert shown["headline"] == texts.UNSURE
    assert shown["detail"] == "You might be calm, sad or neutral. Which is it?"
    assert [row["name"] for row in shown["bars"] if row["leads"]] == ["calm", "sad", "neutral"]


def test_the_visitor_knows_better() -> None:
    heard = make_prediction(calm=0.7)
    assert answer.of_pick("sad", heard)["detail"] == "It sounded calm, but you know better."
    assert answer.of_pick("calm", heard)["detail"] == ""
    assert answer.of_pick("disgust", None)["headline"] == "You feel disgusted."


def test_a_problem_is_a_headline_and_what_to_do() -> None:
    shown = answer.of_problem("The recording is silent. Please speak again.")
    assert (shown["headline"], shown["detail"]) == ("The recording is silent.", "Please speak again.")


def test_every_emotion_has_a_face(project: Path) -> None:
    style = (project / "ui" / "style.css").read_text("utf-8")
    for name in [*Emotion, "unsure"]:
        assert f".face-{name}" in style
