"""Films from the text of an IMDb results page: from its embedded JSON, else from its cards. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Iterable

from parsel import Selector

from scraper.cards import parse_cards, parse_total
from scraper.errors import ImdbBlocked, ImdbLayoutChanged
from scraper.facts import clean_text, cursor, genre_names, imdb_id, number, poster, whole
from scraper.film import Film
from scraper.page import Page

SHORTEST_PAGE = 5_000  # characters; real pages have about a million
CHALLENGE_MARKS = (
    "awsWafCookieDomainList", "gokuProps", "AwsWafIntegration", "challenge-container", "token.awswaf.com",
)  # fmt: skip
OLD_LAYOUTS = "table.results, div.lister-item"


def parse_page(text: str) -> Page:
    """Read the films of a results page.

    Args:
        text: the document as IMDb sent it.

    Returns:
        The released feature films on it; where IMDb says that nothing matches, total 0 and no films.

    Raises:
        ImdbBlocked: for a challenge, or a body too short to be a page.
        ImdbLayoutChanged: for a page of another shape.
    """
    if not text.strip():
        raise ImdbBlocked("IMDb did not answer with a page (blocked: empty answer)")
    document = Selector(text.replace("\x00", ""))
    page = _embedded(document) or _carded(document)
    if page is not None:
        return page
    if any(mark in text for mark in CHALLENGE_MARKS):
        raise ImdbBlocked("IMDb did not answer with a page (blocked: challenge)")
    if document.css(OLD_LAYOUTS):
        raise ImdbLayoutChanged("IMDb's answer has a layout of before 2023 that is not read")
    if len(text) < SHORTEST_PAGE:
        raise ImdbBlocked("IMDb did not answer with a page (blocked: a few lines only)")
    raise ImdbLayoutChanged("IMDb's page has a layout that this program does not know")


def _embedded(document: Selector) -> Page | None:
    script = document.css("script#__NEXT_DATA__::text").get()
    if script is None:
        return None
    try:
        data = json.loads(script)
    except (ValueError, RecursionError):
        return None
    props = _at(data, "props", "pageProps")
    search = _at(props, "searchResults", "titleResults")
    items = _at(search, "titleListItems")
    if isinstance(items, list):
        return _page("search-json", whole(_at(search, "total"), 0, 10**9), items, cursor(_at(search, "endCursor")))
    found = _at(props, "titleResults", "results")
    if isinstance(found, list):
        return _page("find-json", None, [_at(result, "listItem") for result in found])
    return None


def _page(layout: str, total: int | None, items: list[object], after: str | None = None) -> Page:
    known = [item for item in items if imdb_id(_at(item, "titleId")) and clean_text(_at(item, "titleText"))]
    if items and not known:
        raise ImdbLayoutChanged("IMDb's page lists films in a form that this program does not know")
    if not items and total:
        raise ImdbLayoutChanged("IMDb's page counts films but lists none")
    films = _unique(_film(item) for item in known if _is_released_movie(item))
    more = total is not None and total > len(items)  # IMDb sends a cursor even when nothing follows
    return Page(layout, total if items else 0, films, after if more else None)


def _is_released_movie(item: object) -> bool:
    stage = _at(item, "productionStatus", "currentProductionStage", "id")
    genres = _at(item, "genres")
    return (
        _at(item, "titleType", "id") == "movie"
        and (stage is None or stage == "released")
        and not (isinstance(genres, list) and "Adult" in genres)
    )


def _film(item: object) -> Film:
    votes = whole(_at(item, "ratingSummary", "voteCount"), 1, 10**9)
    seconds = whole(_at(item, "runtime"), 60, 360_000)
    return Film(
        imdb_id=imdb_id(_at(item, "titleId")) or "",
        title=clean_text(_at(item, "titleText")),
        year=whole(_at(item, "releaseYear"), 1874, 2100),
        genres=genre_names(_at(item, "genres")),
        rating=number(_at(item, "ratingSummary", "aggregateRating"), 1, 10) if votes else None,
        votes=votes,
        runtime_min=seconds // 60 if seconds else None,
        poster_url=poster(_at(item, "primaryImage", "url")),
    )


def _carded(document: Selector) -> Page | None:
    films = parse_cards(document)
    return None if films is None else Page("cards", parse_total(document), _unique(films))


def _unique(films: Iterable[Film]) -> tuple[Film, ...]:
    return tuple({film.imdb_id: film for film in films}.values())


def _at(value: object, *keys: str) -> object:
    """Walk down nested objects; None where the path ends early, whatever stands there."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
