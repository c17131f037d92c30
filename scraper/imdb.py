"""The client for IMDb's advanced title search: a kept page if there is one, else one request, never two."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock, Thread

import requests

from scraper.breaker import Breaker, utc_now
from scraper.cache import open_cache
from scraper.errors import ImdbEmpty, ImdbError, ImdbUnavailable
from scraper.film import Film
from scraper.page import Page, load_page
from scraper.query import FilmQuery
from scraper.settings import ScraperSettings
from scraper.transport import Deadline, ImdbSession

FRESH_FOR = timedelta(hours=6)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """Films of one page of IMDb, in its order, and when the page was fetched (UTC)."""

    films: tuple[Film, ...]
    fetched_at: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether the page is young enough to stand for a new one."""
        return utc_now() - self.fetched_at < FRESH_FOR


class Flights:
    """Requests under way: at most one for the same address, and latecomers wait for its answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: dict[str, Future[Answer]] = {}

    def join(self, address: str, fetch: Callable[[], Answer]) -> Future[Answer]:
        """Return the answer to come for an address, starting the request if nobody has."""
        with self._lock:
            if address in self._under_way:
                return self._under_way[address]
            future: Future[Answer] = Future()
            self._under_way[address] = future
        # A daemon, because a resolver or a trickle of headers can outlast any deadline set from here.
        Thread(target=self._fly, args=(address, future, fetch), daemon=True).start()
        return future

    def leave(self, address: str, future: Future[Answer]) -> None:
        """Forget a request, so that the next visitor starts a new one."""
        with self._lock:
            if self._under_way.get(address) is future:
                del self._under_way[address]

    def _fly(self, address: str, future: Future[Answer], fetch: Callable[[], Answer]) -> None:
        try:
            future.set_result(fetch())
        except Exception as error:  # noqa: BLE001  every waiting thread raises it again
            future.set_exception(error)
        finally:
            self.leave(address, future)


class ImdbClient:
    """Asks IMDb for films, politely and within a time budget.

    Args:
        settings: where IMDb is, whether it may be asked, where pages are kept, how long to wait.
    """

    def __init__(self, settings: ScraperSettings) -> None:
        self.settings = settings
        cache = open_cache(settings.cache or settings.home / "imdb-pages.sqlite")
        self._session = ImdbSession(cache, settings.budget_s)
        self._breaker = Breaker(cache.note)
        self._flights = Flights()

    def cached(self, query: FilmQuery) -> Answer | None:
        """Return the page kept for a query, at most 30 days old, without asking IMDb."""
        try:
            response = self._session.get(query.to_url(self.settings.base_url), only_if_cached=True)
            if response.status_code != requests.codes.ok:
                return None
            page, fetched_at = load_page(response.content)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a kept page cannot be read and is fetched anew: %s", error)
            return None
        return _complete(page, query, fetched_at)

    def live(self, query: FilmQuery) -> Answer:
        """Ask IMDb for a page and keep it.

        Raises:
            ImdbBlocked: it refused, now or within the last half hour.
            ImdbUnavailable: it cannot be reached, takes longer than the budget, or is switched off.
            ImdbLayoutChanged: its page cannot be read.
            ImdbEmpty: nothing matches the query.
        """
        if not self.settings.live:
            raise ImdbUnavailable("The live look-up is switched off")
        self._breaker.check()
        url = query.to_url(self.settings.base_url)
        deadline = Deadline.after(self.settings.budget_s)
        flight = self._flights.join(url, lambda: self._fetch(url, query, deadline))
        try:
            answer = flight.result(timeout=deadline.remaining_s())
        except TimeoutError:
            late = ImdbUnavailable(f"IMDb did not answer within {self.settings.budget_s:g} seconds")
            self._breaker.trip(late)
            self._flights.leave(url, flight)
            raise late from None
        return answer

    def _fetch(self, url: str, query: FilmQuery, deadline: Deadline) -> Answer:
        try:
            response = self._session.get(url, force_refresh=True, timeout=deadline)
        except ImdbError as error:
            self._breaker.trip(error)
            raise
        except requests.RequestException as error:
            failure = ImdbUnavailable("IMDb could not be reached")
            self._breaker.trip(failure)
            raise failure from error
        page, fetched_at = load_page(response.content)
        answer = _complete(page, query, fetched_at)
        if not answer.films:
            raise ImdbEmpty("IMDb found no film for these filters")
        return answer


def _complete(page: Page, query: FilmQuery, fetched_at: datetime) -> Answer:
    """Add to the films what the address asked for, so IMDb vouches for it: language, and genres of cards."""
    genres = query.genres if query.genres_all else query.genres[:1]
    films = (
        replace(film, language=film.language or query.language, genres=film.genres or genres) for film in page.films
    )
    return Answer(tuple(films), fetched_at.astimezone(UTC))
