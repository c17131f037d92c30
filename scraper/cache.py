"""Where fetched pages, and the note that IMDb refused, are kept between clicks: a folder, Redis, or memory."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from requests_cache.backends.base import BaseCache
from requests_cache.backends.filesystem import FileDict
from requests_cache.models.response import CachedResponse

SERIALIZER = "json"  # never pickle: a cache may be shared, and unpickling runs code
# what requests-cache raises for text that is no answer of IMDb's
UNREADABLE: tuple[type[Exception], ...] = (ValueError, ExceptionGroup)

MOST_PAGES = 500  # some 0.2 MB each

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
        """Return the kept answer, None when the store fails or holds something else."""
        try:
            response = super().get_response(*arguments, **settings)
        except (*self.failures, *UNREADABLE) as error:
            logger.warning("a kept page cannot be read: %s", error)
            return None
        return response if isinstance(response, CachedResponse) else None

    def save_response(self, *arguments: Any, **settings: Any) -> None:
        """Keep an answer unless the store fails."""
        try:
            super().save_response(*arguments, **settings)
        except self.failures as error:
            logger.warning("a page cannot be kept: %s", error)


class Bounded(Tolerant):
    """A store on this machine, which must not fill up: with MOST_PAGES in it, the next page pushes half of them out."""

    failures: ClassVar[tuple[type[Exception], ...]] = ()

    def save_response(self, *arguments: Any, **settings: Any) -> None:
        """Keep an answer, if need be in the place of others."""
        try:
            if len(self.responses) >= MOST_PAGES:
                self.responses.bulk_delete(list(self.responses)[: MOST_PAGES // 2])
        except self.failures as error:
            logger.warning("kept pages cannot be deleted: %s", error)
        super().save_response(*arguments, **settings)


class FolderCache(Bounded):
    """One file a page. requests-cache's SQLite store would wait without end for a file that it may not write."""

    failures = (OSError, KeyError)  # FileDict turns the first into the second

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.responses = FileDict(folder, serializer=SERIALIZER, decode_content=True)


def open_cache(target: str | Path) -> PageCache:
    """Open the cache; a folder that cannot be used is replaced by memory, with a warning.

    Args:
        target: path of the folder, or an address redis://host:port/number.

    Raises:
        QueryError: for an address that is none.
    """
    if str(target).startswith(("redis://", "rediss://")):
        from scraper.redis_cache import open_redis_cache  # noqa: PLC0415  only for those who set such an address

        return open_redis_cache(str(target))
    folder = Path(target).expanduser()
    try:
        pages = FolderCache(folder)
        _probe(folder)
    except OSError as error:
        logger.warning("the page cache %s cannot be used (%s): pages are kept in memory", folder, error)
        return PageCache(Bounded(), MemoryNote())
    pages.delete(expired=True)
    return PageCache(pages, FileNote(folder / "left-alone.note"))


def _probe(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass
