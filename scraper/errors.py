"""Everything that can go wrong between a mood and a list of films.

ScraperError
|-- QueryError              the filters contradict each other or hold an impossible value
|-- CatalogueError          the bundled list or the imported tables are missing or damaged
`-- ImdbError               no usable page came from IMDb
    |-- ImdbBlocked         it refused, or sent a challenge instead of a page
    |-- ImdbUnavailable     it could not be reached within the time allowed
    |-- ImdbLayoutChanged   it sent a page of an unknown shape
    `-- ImdbEmpty           it sent a page, and no film is on it

The message of an ImdbError is a clause without a full stop: the page continues it with what is shown instead.
"""

# ruff: noqa: N818  the names say what IMDb did; the root carries the word Error
from __future__ import annotations


class ScraperError(Exception):
    """The root of this package's errors."""


class QueryError(ScraperError, ValueError):
    """A filter holds a value that cannot be searched for; the message says which values can."""


class CatalogueError(ScraperError):
    """A local list of films cannot be read; the message says how to get it back."""


class ImdbError(ScraperError):
    """No usable page came from IMDb."""


class ImdbBlocked(ImdbError):
    """IMDb refused the request or asked for proof that a person sits here."""


class ImdbUnavailable(ImdbError):
    """IMDb could not be reached, failed, or took longer than the time allowed."""


class ImdbLayoutChanged(ImdbError):
    """IMDb sent a page that this program cannot read."""


class ImdbEmpty(ImdbError):
    """IMDb answered properly and found nothing."""
