"""The answer when it is sure, unsure, corrected, or has nothing to say, and the bars beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from predictions import make_prediction

from ser_model.labels import EMOTIONS, Emotion, Intensity
from ui import answer, texts


def leading(shown: answer.SafeContext) -> list[str]:
    return [bar["name"] for bar in shown["bars"] if bar["leads"]]


def test_a_sure_answer_names_the_emotion_and_how_sure() -> None:
    shown = answer.describe_prediction(make_prediction(sad=0.75))
    assert (shown["headline"], shown["detail"]) == ("You sound sad.", "Quite sure (75%).")
    assert shown["gender"] == "A woman's voice"
    assert leading(shown) == ["sad"]


def test_intensity_is_told_where_it_means_something() -> None:
    prediction = make_prediction(sad=0.75)
    strong = replace(prediction, intensity=Intensity.STRONG, intensity_probability=0.7)
    unclear = replace(strong, intensity_probability=0.55)
    told = [
        answer.describe_prediction(one)["facts"] for one in (prediction, strong, unclear, make_prediction(neutral=0.75))
    ]
    assert told == [["Spoken with mild feeling."], ["Spoken with strong feeling."], [], []]


def test_a_weak_answer_says_may_and_a_weak_gender_perhaps() -> None:
    shown = answer.describe_prediction(replace(make_prediction(disgust=0.35), gender_probability=0.7))
    assert shown["headline"] == "You may sound disgusted."
    assert shown["gender"] == "A woman's voice, perhaps"


def test_a_synthetic_voice_is_not_the_visitor() -> None:
    assert answer.describe_prediction(make_prediction(happy=0.8), made=True)["headline"] == "This voice sounds happy."


def test_two_answers_with_the_same_words_are_told_apart() -> None:
    first, second = (answer.describe_pick("sad", None)["stamp"] for _ in range(2))
    assert first != second


def test_an_adapted_answer_says_so() -> None:
    assert texts.ADAPTED in answer.describe_prediction(make_prediction(), enrolled=True)["facts"]


def test_an_unsure_answer_names_three_and_asks() -> None:
    prediction = make_prediction(sure=False, calm=0.24, sad=0.22, neutral=0.2)
    shown = answer.describe_prediction(prediction)
    assert shown["headline"] == texts.UNSURE
    assert shown["detail"] == f"You might be calm, sad or neutral. {texts.UNSURE_HINT}"
    assert [one["mood"] for one in shown["picks"]] == ["calm", "sad", "neutral"]
    assert leading(shown) == ["calm", "sad", "neutral"]


def test_the_visitor_knows_better() -> None:
    prediction = make_prediction(calm=0.7)
    assert answer.describe_pick("sad", prediction)["detail"] == "It sounded calm, but you know better."
    assert answer.describe_pick("calm", prediction)["detail"] == ""
    assert answer.describe_pick("disgust", None)["headline"] == "You chose “disgusted”."
    assert answer.describe_link("angry")["headline"] == "Films for an angry mood"


def test_a_problem_is_a_headline_and_what_to_do() -> None:
    shown = answer.describe_problem("The recording is silent. Please speak again.")
    assert (shown["headline"], shown["detail"]) == ("The recording is silent.", "Please speak again.")


def test_every_emotion_has_a_face(project: Path) -> None:
    style = (project / "ui/style.css").read_text("utf-8")
    assert all(f".face-{name}" in style for name in [*Emotion, "unsure"])


@pytest.mark.parametrize(
    ("probability", "words"),
    [(1.0, "Very sure"), (0.9, "Very sure"), (0.89, "Quite sure"), (0.5, "Fairly sure"), (0.0, "A careful guess")],
)
def test_certainty_has_words(probability: float, words: str) -> None:
    assert answer.say_certainty(probability, None).startswith(words)


def test_certainty_follows_what_was_measured_on_strangers() -> None:
    shown = answer.describe_prediction(make_prediction(sad=0.75, accuracy=0.65))
    assert shown["detail"] == "Fairly sure: answers like this are right two times in three."
    assert "nine times in ten" in answer.say_certainty(0.5, 0.97)
    assert answer.say_certainty(0.5, 0.97).startswith("Very sure")


@pytest.mark.parametrize(
    ("probability", "shown"), [(0.714, "71%"), (0.0004, "<1%"), (0.0, "0%"), (0.9999, ">99%"), (1.0, "100%")]
)
def test_percent_never_rounds_to_certainty(probability: float, shown: str) -> None:
    assert answer.percent(probability) == shown


def test_bars_are_ordered_and_the_leading_ones_stand_out() -> None:
    probabilities = {emotion: (place + 1) / 36 for place, emotion in enumerate(EMOTIONS)}
    rows = answer.bars(probabilities, leading=3)
    assert [row["name"] for row in rows] == [answer.adjective(emotion) for emotion in reversed(EMOTIONS)]
    assert [row["leads"] for row in rows] == [True] * 3 + [False] * 5
    steady = answer.bars(probabilities, leading=1, keep_order=True)
    assert [row["name"] for row in steady] == [answer.adjective(emotion) for emotion in EMOTIONS]
    assert steady[-1]["leads"]
