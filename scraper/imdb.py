"""The client for IMDb's advanced title search: a kept page if there is one, else one request, never two."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import requests

from scraper.breaker import Breaker, utc_now
from scraper.cache import open_cache
from scraper.errors import ImdbEmpty, ImdbError, ImdbUnavailable
from scraper.film import Film
from scraper.flights import Flight, Flights
from scraper.page import Page, load_page
from scraper.query import FilmQuery
from scraper.settings import ScraperSettings
from scraper.transport import Deadline, ImdbSession

FRESH_FOR = timedelta(hours=6)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """Films of IMDb in its order, when their page was fetched (UTC), and the cursor of the page that follows."""

    films: tuple[Film, ...]
    fetched_at: datetime
    cursor: str | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the page is young enough to stand for a new one; one from the future is of a clock put back."""
        return abs(utc_now() - self.fetched_at) < FRESH_FOR

    def __add__(self, other: Answer) -> Answer:
        films = {film.imdb_id: film for film in (*other.films, *self.films)}
        order = dict.fromkeys(film.imdb_id for film in (*self.films, *other.films))
        return Answer(tuple(films[i] for i in order), min(self.fetched_at, other.fetched_at), other.cursor)


class ImdbClient:
    """Asks IMDb for films, politely and within a time budget.

    Args:
        settings: where IMDb is, whether it may be asked, where pages are kept, how long to wait.
    """

    def __init__(self, settings: ScraperSettings) -> None:
        self.settings = settings
        cache = open_cache(settings.cache or settings.home / "imdb-pages")
        self._session = ImdbSession(cache, settings.budget_s)
        self._breaker = Breaker(cache.note)
        self._flights: Flights[Answer] = Flights()

    def deadline(self) -> Deadline:
        """Return the moment until which a click that happens now may wait for IMDb."""
        return Deadline.after(self.settings.budget_s)

    def cached(self, query: FilmQuery, after: str = "") -> Answer | None:
        """Return the page kept for a query, at most 30 days old, without asking IMDb.

        Args:
            query: what is looked for.
            after: the cursor of the page before, for the next one.
        """
        try:
            response = self._session.get(query.to_url(self.settings.base_url, after), only_if_cached=True)
            if response.status_code != requests.codes.ok:
                return None
            page, fetched_at = load_page(response.content)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a kept page cannot be read and is fetched anew: %s", error)
            return None
        return _complete(page, query, fetched_at)

    def ask(self, query: FilmQuery, deadline: Deadline | None = None, after: str = "") -> Flight[Answer]:
        """Ask IMDb for a page, without waiting for it.

        Args:
            query: what is looked for.
            deadline: until when the answer is of use; the whole budget from now by default.
            after: the cursor of the page before, for the next one.

        Raises:
            ImdbBlocked: IMDb refused within the last half hour.
            ImdbUnavailable: it failed within the last minute, is being asked for another page, or is switched off.
        """
        if not self.settings.live:
            raise ImdbUnavailable("the live look-up is switched off")
        self._breaker.check()
        until = deadline or self.deadline()
        url = query.to_url(self.settings.base_url, after)
        return self._flights.join(url, until, lambda: self._fetch(url, query, until))

    def wait(self, flight: Flight[Answer]) -> Answer:
        """Wait for a page that was asked for.

        Raises:
            ImdbBlocked: IMDb refused.
            ImdbUnavailable: it cannot be reached, fails, or does not answer before the deadline.
            ImdbLayoutChanged: its page cannot be read.
            ImdbEmpty: nothing matches the query.
        """
        try:
            return flight.future.result(timeout=flight.deadline.remaining_s())
        except TimeoutError:
            late = ImdbUnavailable("IMDb did not answer in time")
            self._breaker.trip(late)
            raise late from None

    def live(self, query: FilmQuery) -> Answer:
        """Ask IMDb for a page, wait for it and keep it; raises what `ask` and `wait` raise."""
        return self.wait(self.ask(query))

    def _fetch(self, url: str, query: FilmQuery, deadline: Deadline) -> Answer:
        self._breaker.check()  # again: a failure may have landed since this visitor asked
        try:
            response = self._get(url, deadline)
        except ImdbError as error:
            self._breaker.trip(error)
            raise
        page, fetched_at = load_page(response.content)
        answer = _complete(page, query, fetched_at)
        if not answer.films:
            raise ImdbEmpty("IMDb found no film for these filters")
        return answer

    def _get(self, url: str, deadline: Deadline) -> requests.Response:
        try:
            return self._session.get(url, force_refresh=True, timeout=deadline)
        except requests.RequestException as error:
            raise ImdbUnavailable("IMDb could not be reached") from error


def _complete(page: Page, query: FilmQuery, fetched_at: datetime) -> Answer:
    """Add to the films what the address asked for, so IMDb vouches for it: language, and genres of cards."""
    genres = query.genres[:1]
    films = (
        replace(film, language=film.language or query.language, genres=film.genres or genres) for film in page.films
    )
    return Answer(tuple(films), fetched_at.astimezone(UTC), page.cursor)
