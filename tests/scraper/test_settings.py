from __future__ import annotations

from pathlib import Path

import pytest

from scraper.errors import QueryError
from scraper.settings import IMDB, ScraperSettings


def test_an_empty_environment_keeps_the_defaults() -> None:
    settings = ScraperSettings.from_environment({"IMDB_LIVE": "", "IMDB_CACHE": ""})
    assert settings.live
    assert settings.base_url == IMDB
    assert settings.cache is None
    assert settings.home.name == "mood-picks"


def test_reads_every_variable() -> None:
    environment = {"IMDB_LIVE": "off", "IMDB_BASE_URL": "http://x", "IMDB_CACHE": "redis://r", "MOOD_HOME": "/m"}
    settings = ScraperSettings.from_environment(environment)
    assert settings == ScraperSettings(live=False, base_url="http://x", cache="redis://r", home=Path("/m"))


@pytest.mark.parametrize("bad", [{"IMDB_LIVE": "maybe"}, {"IMDB_BASE_URL": "imdb.com"}])
def test_impossible_values_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(QueryError, match="IMDB_"):
        ScraperSettings.from_environment(bad)
