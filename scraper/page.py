"""A page of search results without the page: the films on it, in a form that can be stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from scraper.film import Film


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of IMDb says.

    Attributes:
        layout: the shape it was read from: "search-json", "find-json" or "cards".
        total: films that match in all, as IMDb counts them; None where the page does not say.
        films: the released feature films on it, in the page's order.
        cursor: what to ask the next page with; None when there is none.
    """

    layout: str
    total: int | None
    films: tuple[Film, ...]
    cursor: str | None = None


def dump_page(page: Page, fetched_at: datetime) -> bytes:
    """Return a page as JSON; nothing else of the document is in it, the client's address least of all."""
    fields = {"layout": page.layout, "total": page.total, "films": [film.to_fields() for film in page.films]}
    return json.dumps(fields | {"cursor": page.cursor, "fetched_at": fetched_at.isoformat()}).encode()


def load_page(text: bytes) -> tuple[Page, datetime]:
    """Return the page and the moment it was fetched, from `dump_page`.

    Raises:
        ValueError: (or KeyError, TypeError) when the text was not written by this version of `dump_page`.
    """
    fields = json.loads(text)
    films = tuple(Film.from_fields(film) for film in fields["films"])
    page = Page(fields["layout"], fields["total"], films, fields["cursor"])
    return page, datetime.fromisoformat(fields["fetched_at"])
