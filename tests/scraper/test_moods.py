from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import QueryError
from scraper.film import GENRES
from scraper.moods import TABLE, Intent, Mood, avoided, blend, interest, tones
from scraper.tone import TONES

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
            assert cell.wants
            assert set(cell.wants) | cell.never <= set(TONES)
            assert not set(cell.wants) & cell.never


@given(probabilities, intents)
def test_the_blend_is_the_mean_of_the_moods_best_first(p: dict[str, float], intent: Intent) -> None:
    total = sum(p.values())
    weights = blend(p, intent)
    assert all(0 < weight <= 1 + 1e-9 for weight in weights.values())
    for genre, weight in weights.items():
        mean = sum(p[m] / total * TABLE[Mood(m)][intent].genres.get(genre, 0) for m in p)
        assert math.isclose(weight, mean, abs_tol=1e-9)
    assert list(weights.values()) == sorted(weights.values(), reverse=True)


def test_a_small_doubt_forbids_nothing() -> None:
    for mood in Mood:
        cell = TABLE[mood][Intent.LIFT]
        assert set(avoided({mood: 1.0}, Intent.LIFT)) == set(cell.avoid)
        assert tones({mood: 1.0}, Intent.LIFT) == (cell.wants, cell.never)
    doubtful = {"happy": 0.95, "angry": 0.05}
    assert avoided(doubtful, Intent.LIFT) == avoided({"happy": 1.0}, Intent.LIFT)
    assert tones(doubtful, Intent.LIFT)[1] == TABLE[Mood.HAPPY][Intent.LIFT].never


@given(probabilities, intents)
def test_no_tone_is_both_wanted_and_ruled_out(p: dict[str, float], intent: Intent) -> None:
    wanted, never = tones(p, intent)
    assert not set(wanted) & never


def test_a_sub_genre_is_for_a_mood_that_is_certain() -> None:
    assert interest({"sad": 0.9, "calm": 0.1}, Intent.MATCH) == ("Tragedy", "in0000090")
    assert interest({"sad": 0.5, "calm": 0.5}, Intent.MATCH) is None
    assert interest({}, Intent.MATCH) is None


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
