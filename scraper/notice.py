"""Where a list of films came from, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scraper.query import FilmQuery


class SourceKind(StrEnum):
    """The four places a list of films can come from."""

    IMDB = "imdb"
    CACHE = "cache"
    IMPORTED = "imported"
    BUNDLED = "bundled"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a list came from."""

    kind: SourceKind
    as_of: date  # how old its facts are: a datetime in UTC for a page, a date for a table
    notice: str  # for the page: where the films are from, how old that is, and why not a better source

    def to_dict(self) -> dict[str, str]:
        """Return kind, date and notice, ready for JSON."""
        return {"kind": self.kind.value, "as_of": self.as_of.isoformat(), "notice": self.notice}


def describe(
    kind: SourceKind, as_of: date, query: FilmQuery, reasons: Sequence[str] = (), searched: str = "", pages: int = 1
) -> Source:
    """Say where a list is from; a page of IMDb is as old as the time in UTC when it, or the older of two, was fetched.

    The reasons say why there is no better source; searched is the genre or sub-genre that IMDb was asked for.
    """
    if kind is SourceKind.BUNDLED:
        notice = f"from our own list of {as_of:%B %Y}; newer films may be missing"
    elif kind is SourceKind.IMPORTED:
        known = ", with the films whose language our own list knows" if query.languages else ""
        notice = f"from IMDb's official tables of {as_of:%-d %B %Y}{known}"
    else:
        which = "from IMDb's page" if pages == 1 else "from IMDb's first two pages"
        under = f", searched under {searched}" if searched else ""
        known = "" if query.lead == "any" else ", with the films whose lead our own list knows"
        notice = f"{which} of {as_of:%-d %B %Y, %H:%M} UTC{under}{known}"
    sentences = [notice, " and ".join(reasons)] if reasons else [notice]
    return Source(kind, as_of, " ".join(f"{one[0].upper()}{one[1:]}." for one in sentences))
