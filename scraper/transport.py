"""The way to IMDb and back: one request a second, a deadline, bounded bodies; only films are handed on."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_cache import CacheMixin
from requests_ratelimiter import LimiterMixin

from scraper.cache import PageCache
from scraper.errors import ImdbBlocked, ImdbLayoutChanged, ImdbUnavailable
from scraper.page import dump_page
from scraper.parse import parse_page

MAX_BODY = 5 * 2**20  # bytes, unpacked; real pages have 1.4 MB at most
CHUNK = 2**16  # bytes
MAX_REDIRECTS = 1
PER_SECOND = 1  # requests
STALE_AFTER = timedelta(days=30)
BLOCK_STATUS = {202, 403, 405, 429}

HEADERS = {
    "User-Agent": "mood-picks/0.1 (film suggestions; a page or two per visitor's click)",
    "Accept": "text/html",
    "Accept-Language": "en-US,en;q=0.9",
}


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment, on the monotonic clock, at which waiting ends."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the moment that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        """The seconds left, below 0 once it has passed."""
        return self.at - time.monotonic()

    def remaining_s(self) -> float:
        """Return the seconds left.

        Raises:
            ImdbUnavailable: when there are none.
        """
        left = self.left_s
        if left <= 0:
            raise ImdbUnavailable("IMDb did not answer in time")
        return left


class PageAdapter(HTTPAdapter):
    """Fetches a results page and answers with its films as JSON, so that nothing else can reach the cache."""

    def send(  # type: ignore[override]  # the session hands every argument on by name
        self,
        request: requests.PreparedRequest,
        *,
        timeout: Deadline,
        **settings: Any,
    ) -> requests.Response:
        """Send a request whose `timeout` is a Deadline.

        Raises:
            ImdbError: for everything that is no results page.
        """
        left = timeout.remaining_s()
        try:
            response = super().send(request, **settings | {"stream": True, "timeout": (left, left)})
            if response.is_redirect:
                return response
            with response:
                _refuse_bad_status(response)
                page = parse_page(_body(response, timeout).decode("utf-8", "replace"))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise ImdbUnavailable("IMDb could not be reached") from error
        return self._reduced(request, dump_page(page, datetime.now(UTC)))

    def _reduced(self, request: requests.PreparedRequest, body: bytes) -> requests.Response:
        headers = {"Content-Type": "application/json"}
        raw = urllib3.HTTPResponse(
            io.BytesIO(body), headers, status=200, preload_content=False, request_url=request.url
        )
        return self.build_response(request, raw)


class ImdbSession(CacheMixin, LimiterMixin, requests.Session):
    """A session for IMDb only: cache in front, then the rate limit, then the network.

    Args:
        cache: where pages are kept.
        max_wait_s: the longest wait for one's turn.
    """

    def __init__(self, cache: PageCache, max_wait_s: float) -> None:
        super().__init__(
            backend=cache.pages,
            expire_after=STALE_AFTER,
            allowable_codes=(200,),
            per_second=PER_SECOND,
            max_delay=max_wait_s,
        )
        self.max_redirects = MAX_REDIRECTS
        self.headers.update(HEADERS)
        for scheme in ("https://", "http://"):
            self.mount(scheme, PageAdapter(max_retries=0))


def _refuse_bad_status(response: requests.Response) -> None:
    status = response.status_code
    if "x-amzn-waf-action" in response.headers or status in BLOCK_STATUS:
        raise ImdbBlocked(f"IMDb did not answer with a page (blocked: status {status})")
    if status >= 500:  # noqa: PLR2004  the server's own faults
        raise ImdbUnavailable(f"IMDb failed (status {status})")
    if status != 200:  # noqa: PLR2004  OK
        raise ImdbLayoutChanged(f"IMDb no longer has this kind of page (status {status})")


def _body(response: requests.Response, deadline: Deadline) -> bytes:
    """Read at most MAX_BODY, one piece as it comes, so that a trickle cannot outlast the deadline."""
    body = bytearray()
    while chunk := response.raw.read1(CHUNK, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY:
            raise ImdbLayoutChanged("IMDb's answer is larger than 5 MB, which no results page is")
        deadline.remaining_s()
    if response.raw.length_remaining:
        raise ImdbUnavailable("IMDb's answer broke off")
    return bytes(body)
