"""Where fetched pages, and the note that IMDb refused, are kept between clicks: a file, Redis, or memory."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from requests_cache.backends.base import BaseCache
from requests_cache.backends.sqlite import SQLiteCache

from scraper.errors import ScraperError

SERIALIZER = "json"  # never pickle: a cache may be shared, and unpickling runs code

logger = logging.getLogger(__name__)


class Note(Protocol):
    """A short text that outlives a click; its failures are reported and otherwise without effect."""

    def read(self) -> str:
        """Return the text, "" without one."""

    def write(self, text: str) -> None:
        """Replace the text."""


@dataclass(slots=True)
class MemoryNote:
    """A note that ends with the process."""

    text: str = ""

    def read(self) -> str:
        """Return the text."""
        return self.text

    def write(self, text: str) -> None:
        """Replace the text."""
        self.text = text


@dataclass(frozen=True, slots=True)
class FileNote:
    """A note in a file."""

    path: Path

    def read(self) -> str:
        """Return the text, "" when there is none that can be read."""
        try:
            return self.path.read_text("utf-8", errors="replace")
        except OSError:
            return ""

    def write(self, text: str) -> None:
        """Replace the text."""
        try:
            self.path.write_text(text, "utf-8")
        except OSError as error:
            logger.warning("a note cannot be kept: %s", error)


@dataclass(frozen=True, slots=True)
class PageCache:
    """What outlives a click: answers of IMDb as requests-cache keeps them, and the note that it refused."""

    pages: BaseCache
    note: Note


class Tolerant(BaseCache):
    """A store whose failures cost the kept pages, never the answer."""

    failures: ClassVar[tuple[type[Exception], ...]]

    def get_response(self, *arguments: Any, **settings: Any) -> Any:
        """Return the kept answer, None when the store fails."""
        try:
            return super().get_response(*arguments, **settings)
        except self.failures as error:
            logger.warning("the page cache cannot be read: %s", error)
            return None

    def save_response(self, *arguments: Any, **settings: Any) -> None:
        """Keep an answer unless the store fails."""
        try:
            super().save_response(*arguments, **settings)
        except self.failures as error:
            logger.warning("the page cache cannot be written: %s", error)


class FileCache(Tolerant, SQLiteCache):
    """Pages in an SQLite file."""

    failures = (sqlite3.Error, OSError)


def open_cache(target: str | Path) -> PageCache:
    """Open the cache; a file that cannot be used is replaced by memory, with a warning.

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
        pages = FileCache(path, serializer=SERIALIZER, busy_timeout=500)
    except (OSError, sqlite3.Error) as error:
        logger.warning("the page cache %s cannot be used (%s): pages are kept in memory", path, error)
        return memory_cache()
    return PageCache(pages, FileNote(path.with_suffix(".note")))


def memory_cache() -> PageCache:
    """Return a cache that ends with the process."""
    return PageCache(BaseCache(), MemoryNote())


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
        from scraper.redis_cache import open_redis_cache  # noqa: PLC0415  only for those who set such an address
    except ImportError as error:
        raise ScraperError("IMDB_CACHE is a Redis address: run `pip install redis` or give a file") from error
    return open_redis_cache(address)
