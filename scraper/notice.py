"""Where a list of films came from, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
    """Where a list came from.

    Attributes:
        kind: the place.
        as_of: how old its facts are (a datetime in UTC for a page, a date for a table).
        notice: a sentence or two for the page: where the films are from, how old that is, and why not a better source.
    """

    kind: SourceKind
    as_of: date
    notice: str

    def to_dict(self) -> dict[str, str]:
        """Return kind, date and notice, ready for JSON."""
        return {"kind": self.kind.value, "as_of": self.as_of.isoformat(), "notice": self.notice}


def describe_search(
    kind: SourceKind, fetched_at: datetime, query: FilmQuery, searched: str, reasons: Sequence[str] = (), pages: int = 1
) -> Source:
    """Describe a list from IMDb's search.

    Args:
        kind: IMDB, or CACHE for pages that were fetched before.
        fetched_at: when the older page was fetched, in UTC.
        query: which films were looked for.
        searched: the genre or sub-genre that IMDb was asked for, if the mood has others too.
        reasons: why there is no better source, as parts of a sentence.
        pages: how many pages of the search the list is made of.
    """
    which = "this is IMDb's page" if pages == 1 else "these are IMDb's first two pages"
    notice = f"{which} as of {fetched_at:%-d %B %Y, %H:%M} UTC"
    if searched:
        notice += f", searched under {searched}"
    if query.lead != "any":
        notice += ", with the films whose lead our own list knows"
    return Source(kind, fetched_at, _sentence(reasons, notice))


def describe_saved_page(now: datetime) -> Source:
    """Describe a list from a page of IMDb that the visitor saved and gave to us."""
    return Source(SourceKind.IMDB, now, "These films are on the page of IMDb that you saved.")


def describe_table(kind: SourceKind, as_of: date, query: FilmQuery, reasons: Sequence[str]) -> Source:
    """Describe a list from a table on this machine, BUNDLED or IMPORTED; arguments are those of describe_search."""
    if kind is SourceKind.BUNDLED:
        notice = f"this is our own list as of {as_of:%B %Y}"
    else:
        notice = f"this is from IMDb's official tables as of {as_of:%-d %B %Y}"
        if query.languages:
            notice += ", with the films whose language our own list knows"
    return Source(kind, as_of, _sentence(reasons, notice))


def _sentence(reasons: Sequence[str], notice: str) -> str:
    sentence = f"{' and '.join(reasons)}, so {notice}." if reasons else f"{notice}."
    return sentence[0].upper() + sentence[1:]
