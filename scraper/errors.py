"""Everything that can go wrong between a mood and a list of films.

The message of an ImdbError is a clause without a period: the notice on the page continues it.
"""

# ruff: noqa: N818  the names say what IMDb did; the root carries the word Error
from __future__ import annotations

import reprlib


class ScraperError(Exception):
    """The root of this package's errors."""


class QueryError(ScraperError, ValueError):
    """A filter or setting cannot be used; the message says which values can."""


class CatalogueError(ScraperError):
    """A local list of films cannot be read; the message says how to fix that."""


class ImdbError(ScraperError):
    """No usable page came from IMDb."""


class ImdbBlocked(ImdbError):
    """IMDb refused the request or asked for proof that a person sent it."""


class ImdbUnavailable(ImdbError):
    """IMDb could not be reached, failed, took too long, or must not be asked right now."""


class ImdbLayoutChanged(ImdbError):
    """IMDb sent a page that this program cannot read."""


class ImdbEmpty(ImdbError):
    """IMDb answered properly and found nothing."""


def shorten(value: object) -> str:
    """Return any value as one short line, for quoting it in an error message."""
    return reprlib.repr(value)
