"""Where fetched pages, and the note that IMDb refused, are kept between clicks: a file, Redis, or memory."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import MutableMapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requests_cache.backends.base import BaseCache
from requests_cache.backends.sqlite import SQLiteCache, SQLiteDict

from scraper.errors import ScraperError

SERIALIZER = "json"  # never pickle: a cache may be shared, and unpickling runs code
NAMESPACE = "mood-picks"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageCache:
    """Two stores that live and die together.

    Attributes:
        pages: answers of IMDb by request, as requests-cache keeps them.
        notes: small texts by name.
    """

    pages: BaseCache
    notes: MutableMapping[str, Any]


def open_cache(target: str | Path) -> PageCache:
    """Open the cache; one that cannot be used is replaced by memory, with a warning.

    Args:
        target: path of the file, or an address redis://host:port/number.

    Raises:
        ScraperError: for a Redis address without the package `redis`.
    """
    if str(target).startswith(("redis://", "rediss://")):
        return _redis_cache(str(target))
    path = Path(target)
    try:
        _probe(path)
    except (OSError, sqlite3.Error) as error:
        logger.warning("the page cache %s cannot be used (%s): pages are kept in memory", path, error)
        return memory_cache()
    notes: MutableMapping[str, Any] = SQLiteDict(path, table_name="notes", serializer=None, busy_timeout=500)
    return PageCache(SQLiteCache(path, serializer=SERIALIZER, busy_timeout=500), notes)


def memory_cache() -> PageCache:
    """Return a cache that ends with the process."""
    return PageCache(BaseCache(), {})


def _probe(path: Path) -> None:
    """Fail if the file cannot be read and written; requests-cache would wait for ever on a read-only one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
        connection.execute("PRAGMA quick_check").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE probe (x)")
        connection.execute("ROLLBACK")


def _redis_cache(address: str) -> PageCache:
    try:
        from redis import Redis  # noqa: PLC0415  only for those who set such an address
        from requests_cache.backends.redis import RedisCache, RedisHashDict  # noqa: PLC0415
    except ImportError as error:
        raise ScraperError("IMDB_CACHE is a Redis address: run `pip install redis` or give a file") from error
    connection = Redis.from_url(address, socket_timeout=0.5, socket_connect_timeout=0.5)
    notes = RedisHashDict(NAMESPACE, collection_name="notes", connection=connection)
    return PageCache(RedisCache(NAMESPACE, connection=connection, serializer=SERIALIZER), notes)
