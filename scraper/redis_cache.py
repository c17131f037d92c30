"""The page cache in Redis, shared by all replicas of the program."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from requests_cache.backends.redis import RedisCache

from scraper.cache import SERIALIZER, PageCache, Tolerant
from scraper.errors import QueryError

NAMESPACE = "mood-picks"
NOTE = "mood-picks-left-alone"
TIMEOUT_S = 0.25  # a slow Redis must not eat the budget of a click; by default it would be asked four times

logger = logging.getLogger(__name__)


class SharedCache(Tolerant, RedisCache):
    """Pages in Redis."""

    failures = (RedisError,)


@dataclass(frozen=True, slots=True)
class SharedNote:
    """A note in Redis."""

    connection: Redis

    def read(self) -> str:
        """Return the text, "" when there is none or Redis fails."""
        try:
            text = self.connection.get(NOTE)
        except RedisError as error:
            logger.warning("the shared note cannot be read: %s", error)
            return ""
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else ""

    def write(self, text: str) -> None:
        """Replace the text."""
        try:
            self.connection.set(NOTE, text)
        except RedisError as error:
            logger.warning("a note cannot be kept: %s", error)


def open_redis_cache(address: str) -> PageCache:
    """Open the cache at an address such as redis://host:6379/0; nothing is asked of Redis yet.

    Raises:
        QueryError: when the address is none.
    """
    try:
        connection = Redis.from_url(
            address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as error:  # the address may hold a password and is not repeated
        raise QueryError("IMDB_CACHE must be a folder or look like redis://host:6379/0") from error
    pages = SharedCache(NAMESPACE, connection=connection, serializer=SERIALIZER)
    return PageCache(pages, SharedNote(connection))
