from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import QueryError
from scraper.film import GENRES
from scraper.moods import TABLE, Intent, Mood, avoided, blend, reason

probabilities = st.dictionaries(st.sampled_from([m.value for m in Mood]), st.floats(0.001, 1), min_size=1)
intents = st.sampled_from(Intent)


def test_every_mood_has_both_intents_with_known_genres_and_a_reason() -> None:
    for mood in Mood:
        for intent in Intent:
            cell = TABLE[mood][intent]
            assert 3 <= len(cell.genres) <= 5
            assert set(cell.genres) | set(cell.avoid) <= set(GENRES)
            assert not set(cell.genres) & set(cell.avoid)
            assert cell.reason


@given(probabilities, intents)
def test_the_blend_is_the_mean_of_the_moods_best_first_with_a_reason_for_each_genre(
    p: dict[str, float], intent: Intent
) -> None:
    total = sum(p.values())
    weights = blend(p, intent)
    assert all(0 < weight <= 1 + 1e-9 for weight in weights.values())
    for genre, weight in weights.items():
        mean = sum(p[m] / total * TABLE[Mood(m)][intent].weights.get(genre, 0) for m in p)
        assert math.isclose(weight, mean, abs_tol=1e-9)
        assert reason(genre, p, intent)
    assert list(weights.values()) == sorted(weights.values(), reverse=True)


@given(probabilities)
def test_only_lifting_leaves_genres_out_and_a_small_doubt_forbids_nothing(p: dict[str, float]) -> None:
    assert avoided(p, Intent.MATCH) == avoided({"happy": 0.95, "angry": 0.05}, Intent.LIFT) == ()
    assert all(set(avoided({mood: 1.0}, Intent.LIFT)) == set(TABLE[mood][Intent.LIFT].avoid) for mood in Mood)


def test_film_noir_gives_way_to_thriller_for_new_films() -> None:
    assert "Film-Noir" in blend({"disgust": 1.0}, Intent.MATCH, 1940)
    late = blend({"disgust": 1.0}, Intent.MATCH, 1990)
    assert "Film-Noir" not in late
    assert "Thriller" in late


def test_a_new_emotion_of_the_model_asks_for_its_genres() -> None:
    for ask in (blend, avoided):
        with pytest.raises(QueryError, match=r"'bored'.*genres in TABLE \(scraper/moods.py\)"):
            ask({"sad": 0.4, "bored": 0.6}, Intent.MATCH)


@pytest.mark.parametrize("bad", [{"joy": 1.0}, {"sad": -1.0}, {"sad": float("nan")}, {"sad": 0.0}])
def test_numbers_that_are_not_probabilities_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(QueryError):
        blend(bad, Intent.MATCH)
