"""What a page says about where its films came from: how old they are, and why there was no better source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from scraper.catalogue import FilmTable
from scraper.film import Source, SourceKind
from scraper.imdb import Answer
from scraper.query import FilmQuery


def of_page(kind: SourceKind, answer: Answer, query: FilmQuery, reasons: Sequence[str] = (), pages: int = 1) -> Source:
    """Describe films of IMDb's search.

    Args:
        kind: whether they were asked for or kept.
        answer: the films.
        query: what was looked for.
        reasons: why there is no better source, as clauses.
        pages: how many pages they are from.
    """
    unapplied = query.unapplied(kind)
    which = "this is IMDb's page" if pages == 1 else "these are IMDb's first two pages"
    notice = f"{which} as of {_moment(answer.fetched_at)}"
    if "any of several genres" in unapplied:
        notice += f", searched under {query.genres[0]}"
    if "lead" in unapplied:
        notice += ", with the films whose lead our own list knows"
    return Source(kind, answer.fetched_at, _sentence(notice, reasons), unapplied)


def of_table(table: FilmTable, query: FilmQuery, reasons: Sequence[str] = ()) -> Source:
    """Describe films of a list on this machine."""
    unapplied = query.unapplied(table.kind)
    if table.kind is SourceKind.BUNDLED:
        notice = f"this is our own list as of {table.as_of:%B %Y}"
    else:
        notice = f"this is from IMDb's official tables as of {table.as_of:%-d %B %Y}"
    if "language" in unapplied:
        notice += ", with the films whose language our own list knows"
    return Source(table.kind, table.as_of, _sentence(notice, reasons), unapplied)


def with_count(source: Source, found: int, enough: int) -> Source:
    """Add how many films fit, when they are few."""
    if found >= enough:
        return source
    count = f"Only {found} film{'s fit' if found > 1 else ' fits'}" if found else "No film fits"
    return replace(source, notice=f"{source.notice} {count} these filters; loosen one to see more.")


def _moment(moment: datetime) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"


def _sentence(clause: str, reasons: Sequence[str]) -> str:
    whole = f"{' and '.join(reasons)}, so {clause}" if reasons else clause
    return f"{whole[0].upper()}{whole[1:]}."
