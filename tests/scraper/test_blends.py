from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper import Catalogue, FilmQuery, ImdbClient, Intent, Recommender, ScraperSettings
from scraper.moods import Mood, avoided, blend
from scraper.ranking import fit

SHARES = st.lists(st.floats(0.001, 1), min_size=len(Mood), max_size=len(Mood))


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    home: Path = tmp_path_factory.mktemp("home")
    return Recommender(ImdbClient(ScraperSettings(live=False, home=home)), Catalogue.load(home))


@settings(max_examples=60, deadline=None)
@given(shares=SHARES, intent=st.sampled_from(Intent))
def test_every_reading_of_a_voice_gives_a_full_list(bundled: Recommender, shares: list[float], intent: Intent) -> None:
    probabilities = {str(mood): share for mood, share in zip(Mood, shares, strict=True)}
    found = bundled.recommend(probabilities, intent, FilmQuery(limit=12))
    assert len(found.picks) == 12
    assert not set(found.genres) & set(avoided(probabilities, intent))


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("mood", Mood)
def test_a_sure_reading_brings_films_that_suit_the_mood_as_well(
    bundled: Recommender, mood: Mood, intent: Intent
) -> None:
    heard = {str(other): 0.93 if other is mood else 0.01 for other in Mood}
    sure, picked = (bundled.recommend(one, intent, FilmQuery(limit=12)) for one in (heard, {str(mood): 1.0}))
    suited = [sum(fit(pick.film, blend({mood: 1.0}, intent)) for pick in found.picks) for found in (sure, picked)]
    assert suited[0] > 0.75 * suited[1]
