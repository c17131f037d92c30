"""Films from the cards of a results page, for the day its embedded JSON is gone. Cards carry no genres."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parsel import Selector, SelectorList

from scraper.errors import ImdbLayoutChanged
from scraper.facts import clean_text, minutes, poster, rating, rounded_votes
from scraper.film import Film

CARD = "li.ipc-metadata-list-summary-item"
LINK = "a.ipc-title-link-wrapper::attr(href), a.ipc-lockup-overlay::attr(href)"
TITLE = ".ipc-title__text"
DETAILS = (
    ".dli-title-metadata-item, .cli-title-metadata-item, "
    ".dli-title-metadata li.ipc-inline-list__item, .cli-title-metadata li.ipc-inline-list__item"
)
OTHER_TYPE = ".dli-title-type-data, .cli-title-type-data"  # only on what is no feature film ...
OTHER_TYPES = {
    "TV Movie", "TV Series", "TV Mini Series", "TV Special", "TV Episode", "TV Short", "Short", "Video",
    "Video Game", "Music Video", "Podcast Series", "Podcast Episode",
}  # fmt: skip  # ... and since 2026 a detail among the others
STAR = ".ipc-rating-star--imdb"

_TOTAL = re.compile(r"\d[\d,.]*-\d[\d,.]* of (\d[\d,]{0,12})", re.ASCII)
_YEAR = re.compile(r"(18|19|20)\d\d", re.ASCII)
_TITLE_PATH = re.compile(r"/title/(tt\d{7,9})\b", re.ASCII)


def parse_cards(document: Selector) -> list[Film] | None:
    """Read the feature films of a page's cards.

    Returns:
        The films, or None when the page has no cards of titles at all.

    Raises:
        ImdbLayoutChanged: when there are cards and none can be read.
    """
    cards = [card for card in document.css(CARD) if _id(card)]
    if not cards:
        return None
    titled = [card for card in cards if _title(card)]
    if not titled:
        raise ImdbLayoutChanged("IMDb's page has film cards in a form that this program does not know")
    return [_film(card) for card in titled if not card.css(OTHER_TYPE) and not OTHER_TYPES & set(_details(card))]


def parse_total(document: Selector) -> int | None:
    """Return how many films match in all, from a line such as "1-50 of 42,401"."""
    for text in _short_texts(document):
        match = _TOTAL.match(text)
        if match:
            return int(match[1].replace(",", ""))
    return None


def _short_texts(document: Selector) -> Iterator[str]:
    for node in document.xpath("//body//div/text() | //body//span/text()").getall():
        if len(node) < 80:  # noqa: PLR2004  the line is short, scripts are not
            yield node.strip()


def _film(card: Selector) -> Film:
    details = _details(card)
    star = card.css(STAR)
    score = rating(star.xpath("@aria-label").get("") or _joined(star.css(".ipc-rating-star--rating")))
    return Film(
        imdb_id=_id(card),
        title=_title(card),
        year=next((int(match[0]) for match in map(_YEAR.match, details) if match), None),
        rating=score,
        votes=rounded_votes(_joined(star.css(".ipc-rating-star--voteCount"))) if score else None,
        runtime_min=next((length for length in map(minutes, details) if length), None),
        poster_url=poster(card.css("img.ipc-image::attr(src)").get()),
    )


def _id(card: Selector) -> str:
    match = _TITLE_PATH.search(card.css(LINK).get(""))
    return match[1] if match else ""


def _details(card: Selector) -> list[str]:
    return [clean_text(_joined(item)) for item in card.css(DETAILS)]


def _title(card: Selector) -> str:
    return re.sub(r"^\d+\.\s+", "", clean_text(_joined(card.css(TITLE)[:1])))


def _joined(nodes: Selector | SelectorList[Selector]) -> str:
    return "".join(nodes.xpath(".//text()").getall())
