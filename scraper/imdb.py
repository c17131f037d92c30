"""Everything about reaching IMDb: the settings, the client, the pause after a refusal, the session and its cache.

It is polite: it says who it is, sends one request at a time and one a second at most, never retries, solves no
challenge, and after a refusal leaves IMDb alone for half an hour, then for longer each time.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from requests.adapters import HTTPAdapter
from requests_cache import AnyResponse, CacheMixin
from requests_cache.backends.base import BaseCache
from requests_cache.backends.filesystem import FileDict
from requests_cache.backends.redis import RedisCache
from requests_cache.backends.sqlite import SQLiteCache
from requests_cache.models.response import CachedResponse
from requests_ratelimiter import LimiterMixin

from scraper.errors import ImdbBlocked, ImdbEmpty, ImdbLayoutChanged, ImdbUnavailable, QueryError
from scraper.film import Film
from scraper.parse import Page, parse_page, unique
from scraper.query import FilmQuery

IMDB = "https://www.imdb.com"
HEADERS = {
    "User-Agent": "mood-picks/0.1 (film suggestions; a page or two per visitor's click)",
    "Accept": "text/html",
    "Accept-Language": "en-US,en;q=0.9",
}
BLOCK_STATUS = {202, 403, 405, 429}
MAX_REDIRECTS = 1
MAX_BODY_BYTES = 5 * 2**20  # after decompression; real pages have 1.4 MB at most
CHUNK_BYTES = 2**16

TIMEOUT_S = 2.8  # for IMDb's answer; the rest of the 3 s from click to list is for ranking
REFUSAL_PAUSES = (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=12), timedelta(days=1))
FAILURE_PAUSE = timedelta(minutes=1)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
TOO_LATE = "IMDb did not answer in time"

FRESH_FOR = timedelta(hours=6)  # a cached page this young is shown without asking IMDb ...
STALE_FOR = timedelta(days=30)  # ... and for this much longer when IMDb does not answer
MAX_PAGES = 500  # in the cache
REDIS_TIMEOUT_S = 0.25  # a slow Redis must not use up the time of a click

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScraperSettings:
    """How to reach IMDb and where to store things."""

    home: Path  # folder of the page cache, the pause and the imported tables (MOOD_HOME)
    live: bool = True  # whether IMDb may be asked at all (IMDB_LIVE=on|off)
    base_url: str = IMDB  # IMDB_BASE_URL
    cache: str | None = None  # folder, file ending in .sqlite, or redis:// address (IMDB_CACHE); None: folder in `home`
    timeout_s: float = TIMEOUT_S
    requests_per_second: float = 1
    max_pages: int = MAX_PAGES

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ScraperSettings:
        """Read the settings; a variable that is empty or not set keeps its default.

        Raises:
            QueryError: when a value cannot be used.
        """
        live, base_url = environment.get("IMDB_LIVE") or "on", environment.get("IMDB_BASE_URL") or IMDB
        home = os.path.expanduser("~")  # noqa: PTH111 - it stays "~" for a user without a home
        cache = environment.get("XDG_CACHE_HOME") or f"{tempfile.gettempdir() if home == '~' else home}/.cache"
        if live not in {"on", "off"}:
            raise QueryError(f"IMDB_LIVE must be on or off, not {live!r}")
        if urlsplit(base_url).scheme not in {"http", "https"}:
            raise QueryError(f"IMDB_BASE_URL must be an http or https address, not {base_url!r}")
        return cls(
            home=Path(environment.get("MOOD_HOME") or Path(cache, "mood-picks")).expanduser(),
            live=live == "on",
            base_url=base_url,
            cache=environment.get("IMDB_CACHE") or None,
        )


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One or two pages of IMDb's search."""

    films: tuple[Film, ...]
    fetched_at: datetime  # when the older page was fetched, in UTC
    is_fresh: bool  # whether it is young enough to be shown without asking IMDb
    cursor: str | None = None  # what to pass to get the next page, if there is one

    def __add__(self, other: SearchResult) -> SearchResult:
        films, older = unique(self.films + other.films), min(self.fetched_at, other.fetched_at)
        return SearchResult(films, older, self.is_fresh and other.is_fresh, other.cursor)


class ImdbClient:
    """Searches IMDb, politely and within a time limit; one instance serves every thread, `now` is its clock."""

    def __init__(self, settings: ScraperSettings, now: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self._now = now
        self._session = _Session(settings)
        self._pause = Pause(settings.home / "imdb-pause.json", now)
        self._in_flight: tuple[str, Future[SearchResult]] | None = None  # the address and its answer
        self._lock = Lock()  # for the pause and the request in flight

    def cached(self, query: FilmQuery, cursor: str = "") -> SearchResult | None:
        """Return the cached page of a query, fresh or stale, without asking IMDb."""
        response = self._session.get(query.to_url(self.settings.base_url, cursor), only_if_cached=True)
        if response.status_code != requests.codes.ok:
            return None
        try:
            return self._read(response, query)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a cached page cannot be read and will be fetched again: %s", error)
            return None

    def fetch(self, query: FilmQuery, cursor: str = "", timeout_s: float | None = None) -> SearchResult:
        """Ask IMDb for a page of search results, the first or the one after a cursor, and cache it.

        Raises:
            ImdbError: there is no such page, IMDb may not be asked now, or another page is being asked for.
        """
        if not self.settings.live:
            raise ImdbUnavailable("live search is turned off")
        timeout_s = self.settings.timeout_s if timeout_s is None else timeout_s
        if timeout_s <= 0:
            raise ImdbUnavailable("there was no time left to ask IMDb")
        url = query.to_url(self.settings.base_url, cursor)
        with self._lock:
            self._pause.check()
            in_flight, future = self._in_flight or (None, Future())
            if in_flight not in {None, url}:
                raise ImdbUnavailable("another IMDb request is in progress")
            if in_flight is None:
                self._in_flight = url, future
                # A daemon thread, because a slow name server or trickling headers can outlast any timeout set here.
                Thread(target=self._run, args=(future, url, query, timeout_s), daemon=True).start()
        try:
            return future.result(timeout_s)
        except TimeoutError:
            late = ImdbUnavailable(TOO_LATE)
            if in_flight is None:
                with self._lock:
                    self._pause.record(late)
            raise late from None

    def _run(self, future: Future[SearchResult], url: str, query: FilmQuery, timeout_s: float) -> None:
        """Send one request, record how it went, and pass on its outcome."""
        error: Exception | None = None
        try:
            # With force_refresh, errors are raised; otherwise requests-cache would hide them behind a stale page.
            result = self._read(self._session.get(url, force_refresh=True, timeout=timeout_s), query)
            if not result.films:
                error = ImdbEmpty("IMDb found no film for these filters")
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            error = ImdbUnavailable(TOO_LATE)
        except (OSError, urllib3.exceptions.HTTPError):
            error = ImdbUnavailable("IMDb could not be reached")
        except Exception as other:  # noqa: BLE001  the waiting thread raises it
            error = other
        with self._lock:
            self._in_flight = None
            self._pause.record(error)
        if error:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _read(self, response: AnyResponse, query: FilmQuery) -> SearchResult:
        """Read a page, and add what the address required: the one language, and the genre of cards without genres."""
        page = Page.from_json(response.content)
        language = query.languages[0] if len(query.languages) == 1 else None
        genres = () if query.interest else query.genres[:1]
        films = tuple(replace(film, language=language, genres=film.genres or genres) for film in page.films)
        # A page from the future was fetched before the clock was set back, so its age is unknown.
        is_fresh = not response.is_expired and response.created_at <= self._now()
        return SearchResult(films, response.created_at, is_fresh, page.cursor)


class _PauseState(NamedTuple):
    """From when until when IMDb is not asked, whether it refused, and how many refusals there were in a row."""

    since: datetime = LONG_AGO
    until: datetime = LONG_AGO
    blocked: bool = False
    refusals: int = 0

    def is_active(self, now: datetime) -> bool:
        return self.since <= now < self.until  # one from the future is from before the clock was set back


class Pause:
    """The pause after a refusal or failure, for every process on this machine, and only here if it cannot be saved."""

    def __init__(self, path: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._now = now
        self._unsaved: _PauseState | None = None

    def check(self) -> None:
        """Return if IMDb may be asked; else raise ImdbBlocked after a refusal, ImdbUnavailable after a failure."""
        state, now = self._load(), self._now()
        if not state.is_active(now):
            return
        day = "" if state.until.date() == now.date() else f"{state.until:%-d %B}, "
        end = f"will not be asked again before {day}{state.until:%H:%M} UTC"
        if state.blocked:
            raise ImdbBlocked(f"IMDb refused to answer (blocked) and {end}")
        raise ImdbUnavailable(f"IMDb did not answer and {end}")

    def record(self, error: Exception | None) -> None:
        """Record what a request raised: a refusal pauses for longer each time until a success, a failure briefly."""
        state, now = self._load(), self._now()
        if error is None or isinstance(error, ImdbEmpty):
            if state.refusals:
                self._save(state._replace(refusals=0))
        elif isinstance(error, ImdbBlocked):
            length = REFUSAL_PAUSES[min(state.refusals, len(REFUSAL_PAUSES) - 1)]
            self._save(_PauseState(now, now + length, True, state.refusals + 1))
        elif not state.is_active(now):
            self._save(_PauseState(now, now + FAILURE_PAUSE, False, state.refusals))

    def _load(self) -> _PauseState:
        if self._unsaved:
            return self._unsaved
        try:
            fields = json.loads(self._path.read_text("utf-8"))
            since, until = (datetime.fromisoformat(fields[name]).astimezone(UTC) for name in ("since", "until"))
            return _PauseState(since, until, bool(fields["blocked"]), max(0, int(fields["refusals"])))
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return _PauseState()

    def _save(self, state: _PauseState) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(state._asdict(), default=datetime.isoformat), "utf-8")
            self._unsaved = None
        except OSError as error:
            logger.warning("the pause cannot be saved and ends with this process: %s", error)
            self._unsaved = state


class _Session(CacheMixin, LimiterMixin, requests.Session):
    """The cache first, then the rate limit, then the network."""

    def __init__(self, settings: ScraperSettings) -> None:
        super().__init__(
            backend=FailSafeCache(_open_cache(settings), settings.max_pages),
            expire_after=FRESH_FOR,
            stale_if_error=int(STALE_FOR.total_seconds()),
            allowable_codes=(requests.codes.ok,),
            per_second=settings.requests_per_second,
            max_delay=settings.timeout_s,
        )
        self.max_redirects = MAX_REDIRECTS
        self.headers.update(HEADERS)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _PageAdapter(max_retries=0))


class _PageAdapter(HTTPAdapter):
    """Fetches a page and answers with its films as JSON, so that nothing else of it can reach the cache."""

    def send(  # type: ignore[override]  # the session passes everything by name
        self, request: requests.PreparedRequest, *, timeout: float, **settings: Any
    ) -> requests.Response:
        deadline = time.monotonic() + timeout
        with super().send(request, **settings | {"stream": True, "timeout": timeout}) as response:
            if response.is_redirect:
                headers, body = {"Location": response.headers["Location"]}, b""
            else:
                page = parse_page(_read_body(response, deadline).decode("utf-8", "replace"))
                headers, body = {"Content-Type": "application/json"}, page.to_json()
        raw = urllib3.HTTPResponse(
            io.BytesIO(body), headers, status=response.status_code, preload_content=False, request_url=request.url
        )
        return self.build_response(request, raw)


def _read_body(response: requests.Response, deadline: float) -> bytes:
    """Check the status and read the body as it arrives, up to the size limit and the deadline."""
    status = response.status_code
    if "x-amzn-waf-action" in response.headers or status in BLOCK_STATUS:
        raise ImdbBlocked(f"IMDb did not answer with a page (blocked: status {status})")
    if status >= requests.codes.server_error:
        raise ImdbUnavailable(f"IMDb failed (status {status})")
    if status != requests.codes.ok:
        raise ImdbLayoutChanged(f"IMDb no longer has this kind of page (status {status})")
    body = bytearray()
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ImdbLayoutChanged("IMDb's answer is larger than 5 MB, which no search page is")
        if time.monotonic() > deadline:
            raise ImdbUnavailable(TOO_LATE)
    if response.raw.length_remaining:
        raise ImdbUnavailable("IMDb's answer broke off")
    return bytes(body)


class FailSafeCache(BaseCache):
    """Another cache whose failures never cost an answer; when it is full, the next page replaces half of the pages."""

    def __init__(self, cache: BaseCache, max_pages: int) -> None:
        super().__init__()
        self.responses, self.redirects = cache.responses, cache.redirects
        self._max_pages = max_pages

    def get_response(self, key: str, default: Any = None) -> Any:
        """Return the cached response, or the default when there is none that can be read."""
        try:
            response = super().get_response(key)
        except Exception as error:  # noqa: BLE001  each storage, and each kind of damage, raises something else
            logger.warning("a cached page cannot be read: %s", error)
            return default
        return response if isinstance(response, CachedResponse) else default

    def save_response(self, *args: Any, **kwargs: Any) -> None:
        """Store a response if that is possible."""
        try:
            if len(self.responses) >= self._max_pages:
                self.responses.bulk_delete(list(self.responses)[: self._max_pages // 2])
            super().save_response(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  as above
            logger.warning("a page cannot be cached: %s", error)


def _open_cache(settings: ScraperSettings) -> BaseCache:
    """Open the page cache; a folder or file that cannot be used is replaced by memory, with a warning."""
    target = settings.cache or str(settings.home / "imdb-pages")
    if "://" in target:
        limits = {"socket_timeout": REDIS_TIMEOUT_S, "socket_connect_timeout": REDIS_TIMEOUT_S}
        try:  # does not connect yet
            connection = Redis.from_url(target, retry=Retry(NoBackoff(), 0), **limits)
        except ValueError as error:  # the message does not repeat the address, which may hold a password
            raise QueryError("IMDB_CACHE must be a folder, a .sqlite file or look like redis://host:6379/0") from error
        offset = int(STALE_FOR.total_seconds())  # after which Redis deletes a page itself
        return RedisCache("mood-picks", connection=connection, serializer="json", ttl_offset=offset)
    path = Path(target).expanduser()
    cache = BaseCache()  # FileCache would add a SQLite file for redirects, and wait for that
    try:
        if path.suffix == ".sqlite":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("ab").close()  # requests-cache would wait forever for a file that it must not write
            cache = SQLiteCache(path, serializer="json")  # never pickle: loading that runs code
        else:
            cache.responses = FileDict(path, serializer="json", decode_content=True)
        tempfile.TemporaryFile(dir=path if path.is_dir() else path.parent).close()
    except (OSError, sqlite3.Error) as error:
        logger.warning("the page cache %s cannot be used (%s): pages are kept in memory", path, error)
        return BaseCache()
    return cache
