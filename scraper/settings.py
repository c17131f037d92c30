"""What the environment may change, read once and handed on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scraper.errors import QueryError

IMDB = "https://www.imdb.com"
BUDGET_S = 2.8  # for one page of IMDb; the rest of the 3 s from click to list is for ranking


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mood-picks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScraperSettings:
    """How the program reaches IMDb and where it keeps things.

    Attributes:
        live: whether IMDb may be asked at all (IMDB_LIVE=on|off).
        base_url: scheme and host of IMDb (IMDB_BASE_URL).
        home: folder of the cache and the imported tables (MOOD_HOME).
        cache: a folder or a redis:// address for fetched pages (IMDB_CACHE); None is a folder in `home`.
        budget_s: the longest wait for a page.
    """

    live: bool = True
    base_url: str = IMDB
    home: Path = field(default_factory=_user_cache)
    cache: str | None = None
    budget_s: float = BUDGET_S

    def __post_init__(self) -> None:
        if urlsplit(self.base_url).scheme not in {"http", "https"}:
            raise QueryError(f"IMDB_BASE_URL must be an http or https address, not {self.base_url!r}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ScraperSettings:
        """Read the settings; a variable that is not set keeps its default.

        Raises:
            QueryError: when a variable holds a value it cannot have.
        """
        values = os.environ if environment is None else environment
        live = values.get("IMDB_LIVE") or "on"
        if live not in {"on", "off"}:
            raise QueryError(f"IMDB_LIVE must be on or off, not {live!r}")
        return cls(
            live=live == "on",
            base_url=values.get("IMDB_BASE_URL") or IMDB,
            home=Path(values["MOOD_HOME"]).expanduser() if values.get("MOOD_HOME") else _user_cache(),
            cache=values.get("IMDB_CACHE") or None,
        )
