"""The page cache in Redis, shared by all replicas; needs the package `redis`."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from redis import Redis, RedisError
from requests_cache.backends.redis import RedisCache

from scraper.cache import SERIALIZER, PageCache, Tolerant

NAMESPACE = "mood-picks"
TIMEOUT_S = 0.5  # a slow Redis must not eat the budget of a click

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
            text = self.connection.get(f"{NAMESPACE}:note")
        except RedisError:
            return ""
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else ""

    def write(self, text: str) -> None:
        """Replace the text."""
        try:
            self.connection.set(f"{NAMESPACE}:note", text)
        except RedisError as error:
            logger.warning("a note cannot be kept: %s", error)


def open_redis_cache(address: str) -> PageCache:
    """Open the cache at an address such as redis://host:6379/0; nothing is asked of Redis yet."""
    connection = Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    pages = SharedCache(NAMESPACE, connection=connection, serializer=SERIALIZER)
    return PageCache(pages, SharedNote(connection))
