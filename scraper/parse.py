"""Films from the HTML of an IMDb search page, chart or list: from its embedded JSON, else from its film cards.

No I/O here.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from parsel import Selector, SelectorList

from scraper.errors import ImdbBlocked, ImdbLayoutChanged
from scraper.film import GENRES, IMDB_ID, Film

MIN_PAGE_CHARS = 5_000  # real pages have about a million
CHALLENGE_MARKS = (
    "awsWafCookieDomainList", "gokuProps", "AwsWafIntegration", "challenge-container", "token.awswaf.com",
)  # fmt: skip
LAYOUTS = (
    ("search-json", "searchResults.titleResults.titleListItems", ""),
    ("find-json", "titleResults.results", "listItem"),
    ("chart-json", "pageData.chartTitles.edges", "node"),
    ("list-json", "mainColumnData.list.titleListItemSearch.edges", "listItem"),
)  # where a page has its titles, and under which name in each entry
ITEM_OF_NODE = {
    "titleId": "id", "titleText": "titleText.text", "titleType": "titleType", "releaseYear": "releaseYear.year",
    "ratingSummary": "ratingsSummary", "runtime": "runtime.seconds", "certificate": "certificate.rating",
    "primaryImage": "primaryImage",
}  # fmt: skip

CARD = "li.ipc-metadata-list-summary-item"
CARD_LINK = "a.ipc-title-link-wrapper::attr(href), a.ipc-lockup-overlay::attr(href)"
CARD_TITLE = ".ipc-title__text"
CARD_DETAILS = (
    ".dli-title-metadata-item, .cli-title-metadata-item, "
    ".dli-title-metadata li.ipc-inline-list__item, .cli-title-metadata li.ipc-inline-list__item"
)
CARD_TYPE = ".dli-title-type-data, .cli-title-type-data"  # only cards of something that is not a film have it ...
OTHER_TYPES = {
    "TV Movie", "TV Series", "TV Mini Series", "TV Special", "TV Episode", "TV Short", "Short", "Video",
    "Video Game", "Music Video", "Podcast Series", "Podcast Episode",
}  # fmt: skip  # ... and since 2026 it is one detail among the others
STAR = ".ipc-rating-star--imdb"

MAX_TITLE_CHARS = 300
MAX_TOTAL_CHARS = 80  # the line with the total is short
# these look like the brackets of a tag but do not open one, wherever the title is shown
_HARMLESS_BRACKETS = str.maketrans("<>", "\u2039\u203a")
_CURSOR = re.compile(r"[\w+/=-]{1,2000}", re.ASCII)  # base64
_POSTER = re.compile(r"(https://m\.media-amazon\.com/images/M/[\w@.,-]+?\._V1_)[\w,]*\.jpg", re.ASCII)
_TITLE_PATH = re.compile(r"/title/(tt\d{7,9})\b", re.ASCII)
_TOTAL = re.compile(r"\d[\d,.]*-\d[\d,.]* of (\d[\d,]{0,12})", re.ASCII)  # such as "1-50 of 42,401"
_RANK = re.compile(r"(\d{1,3})\.\s+(?=\S)", re.ASCII)  # before a title
# such as "2h 14m", "48m", "2 Std. 14 Min.", "2 h 14 min", "2h 14min"
_MINUTES = re.compile(
    r"(?:(\d{1,2})\s*(?:h|hrs?|Std|Stunden?|heures?|horas?|ore|ora)\.?)?\s*(?:(\d{1,3})\s*(?:m|mins?|minut\w+)\.?)?",
    re.ASCII | re.IGNORECASE,
)
_CERTIFICATE = re.compile(r"[A-Z][A-Z0-9/+-]{0,7}", re.ASCII)
_YEAR = re.compile(r"(18|19|20)\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """What one page says."""

    layout: str  # how it was read: the first of a line of LAYOUTS, or "cards"
    total: int | None  # how many films match in all, by IMDb's count
    films: tuple[Film, ...]  # the released feature films on it
    cursor: str | None = None  # the `after` parameter of the next page

    def to_json(self) -> bytes:
        """Return the page as JSON, without anything else of the HTML, such as the client's address."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Page:
        """Read what `to_json` wrote; a ValueError, KeyError or TypeError says that something else wrote it."""
        fields = json.loads(text)
        films = (film | {name: tuple(film[name]) for name in ("genres", "tone")} for film in fields["films"])
        return cls(fields["layout"], fields["total"], tuple(Film(**film) for film in films), fields["cursor"])


def parse_page(text: str) -> Page:
    """Read the films of a page as IMDb sent it; if IMDb found nothing, total is 0.

    Raises:
        ImdbBlocked: for a challenge, for JSON, or for a body too short to be a page.
        ImdbLayoutChanged: for any other page.
    """
    if not text.strip():
        raise ImdbBlocked("IMDb did not answer with a page (blocked: empty answer)")
    if text.lstrip()[0] in '{["':
        raise ImdbBlocked("IMDb did not answer with a page (blocked: JSON)")
    document = Selector(text.replace("\x00", ""), type="html")
    page = _from_embedded_json(document) or _from_cards(document)
    if page is not None:
        return page
    if any(mark in text for mark in CHALLENGE_MARKS):
        raise ImdbBlocked("IMDb did not answer with a page (blocked: challenge)")
    if len(text) < MIN_PAGE_CHARS:
        raise ImdbBlocked("IMDb did not answer with a page (blocked: only a few lines)")
    raise ImdbLayoutChanged("IMDb's page has an unknown layout")


def read_saved(data: bytes) -> str:
    """Return the HTML of a saved page: an .html file, or an .mhtml file, as Chrome saves a page in one piece.

    Raises:
        ImdbLayoutChanged: for an .mhtml file without a page.
    """
    head = data[:2_000].lstrip().lower()
    if not head.startswith((b"from:", b"mime-version:", b"content-type: multipart/")):
        return data.decode("utf-8", "replace")
    parts = email.message_from_bytes(data, policy=email.policy.default).walk()
    html = next((part.get_payload(decode=True) for part in parts if part.get_content_type() == "text/html"), None)
    if not isinstance(html, bytes):
        raise ImdbLayoutChanged("the saved page has no HTML in it")
    return html.decode("utf-8", "replace")


# --- the embedded JSON ---


def _from_embedded_json(document: Selector) -> Page | None:
    try:
        data = json.loads(document.css("script#__NEXT_DATA__::text").get(""))
    except (ValueError, RecursionError):
        return None
    props = _at(data, "props", "pageProps")
    for layout, path, name in LAYOUTS:
        *way, last = path.split(".")
        holder = _at(props, *way)
        entries = _at(holder, last)
        if isinstance(entries, list):
            items = [_at(entry, name) if name else entry for entry in entries]
            total = _int(_at(holder, "total"), 0, 10**9)
            if last == "edges":
                items, total = list(map(_item_of_node, items)), total or len(items)
            return _page_of_items(layout, total, items, _at(holder, "endCursor"))
    return None


def _item_of_node(node: object) -> dict[str, object]:
    """Turn a title of a chart or list into one of a search, which says the same at other places."""
    genres = _at(node, "titleGenres", "genres")
    item = {name: _at(node, *path.split(".")) for name, path in ITEM_OF_NODE.items()}
    return item | {"genres": [_at(one, "genre", "text") for one in genres] if isinstance(genres, list) else []}


def _page_of_items(layout: str, total: int | None, items: list[object], cursor: object) -> Page:
    known = [item for item in items if _imdb_id(_at(item, "titleId")) and _text(_at(item, "titleText"))]
    if items and not known:
        raise ImdbLayoutChanged("IMDb's page lists films in an unknown format")
    if not items and total:
        raise ImdbLayoutChanged("IMDb's page counts films but lists none")
    films = unique(_film_of_item(item) for item in known if _is_released_movie(item))
    more = total is not None and total > len(items)  # IMDb sends a cursor even on the last page
    after = cursor if more and isinstance(cursor, str) and _CURSOR.fullmatch(cursor) else None
    return Page(layout, total if items else 0, films, after)


def _is_released_movie(item: object) -> bool:
    stage = _at(item, "productionStatus", "currentProductionStage", "id")
    genres = _at(item, "genres")
    is_adult = isinstance(genres, list) and "Adult" in genres
    return _at(item, "titleType", "id") == "movie" and stage in (None, "released") and not is_adult


def _film_of_item(item: object) -> Film:
    votes = _int(_at(item, "ratingSummary", "voteCount"), 1, 10**9)
    seconds = _int(_at(item, "runtime"), 60, 360_000)
    names = _at(item, "genres")
    certificate = _text(_at(item, "certificate"))
    return Film(
        imdb_id=_imdb_id(_at(item, "titleId")),
        title=_text(_at(item, "titleText")),
        year=_int(_at(item, "releaseYear"), 1874, 2100),
        genres=tuple(dict.fromkeys(name for name in names if name in GENRES)) if isinstance(names, list) else (),
        rating=_rating(_at(item, "ratingSummary", "aggregateRating")) if votes else None,
        votes=votes,
        runtime_min=seconds // 60 if seconds else None,
        poster_url=_poster(_at(item, "primaryImage", "url")),
        certificate=certificate if _CERTIFICATE.fullmatch(certificate) else None,
    )


# --- the cards, for the day the embedded JSON is gone; they have no genres ---


def _from_cards(document: Selector) -> Page | None:
    """Read the cards; None if the page has no cards of titles at all."""
    cards = [card for card in document.css(CARD) if _card_id(card)]
    if not cards:
        return None
    titled = [card for card in cards if _card_title(card)]
    if not titled:
        raise ImdbLayoutChanged("IMDb's page has film cards in an unknown format")
    films = [card for card in titled if not card.css(CARD_TYPE) and not OTHER_TYPES & set(_card_details(card))]
    texts = document.xpath("//body//div/text() | //body//span/text()").getall()
    totals = filter(None, (_TOTAL.match(text.strip()) for text in texts if len(text) < MAX_TOTAL_CHARS))
    total = next((int(match[1].replace(",", "")) for match in totals), None)
    ranked = _are_ranked([_card_title(card) for card in titled])
    return Page("cards", total, unique(_film_of_card(card, ranked) for card in films))


def _are_ranked(titles: list[str]) -> bool:
    """Return whether numbers before the titles count them; a title may begin with a number of its own."""
    ranks = [int(match[1]) if (match := _RANK.match(title)) else 0 for title in titles]
    counted = ranks == list(range(ranks[0], ranks[0] + len(ranks)))
    return counted and ranks[0] > 0 and (len(ranks) > 1 or ranks[0] == 1)


def _film_of_card(card: Selector, ranked: bool) -> Film:
    details = _card_details(card)
    star = card.css(STAR)
    label = star.xpath("@aria-label").get("") or _inner_text(star.css(".ipc-rating-star--rating"))
    numbers = re.findall(r"\d{1,2}(?:[.,]\d)?(?!\d)", label, re.ASCII)  # "IMDb rating: 9.3", "IMDb-Bewertung: 8,7"
    rating = _rating(float(numbers[-1].replace(",", "."))) if numbers else None
    return Film(
        imdb_id=_card_id(card),
        title=_RANK.sub("", _card_title(card), count=1) if ranked else _card_title(card),
        year=next((int(match[0]) for match in map(_YEAR.match, details) if match), None),
        rating=rating,
        votes=_votes(_inner_text(star.css(".ipc-rating-star--voteCount"))) if rating else None,
        runtime_min=next(filter(None, map(_minutes, details)), None),
        poster_url=_poster(card.css("img.ipc-image::attr(src)").get()),
    )


def _card_id(card: Selector) -> str:
    match = _TITLE_PATH.search(card.css(CARD_LINK).get(""))
    return match[1] if match else ""


def _card_title(card: Selector) -> str:
    return _text(_inner_text(card.css(CARD_TITLE)[:1]))


def _card_details(card: Selector) -> list[str]:
    return [_text(_inner_text(item)) for item in card.css(CARD_DETAILS)]


def _inner_text(nodes: Selector | SelectorList[Selector]) -> str:
    return "".join(nodes.xpath(".//text()").getall())


def _votes(text: str) -> int | None:
    """Read a number of votes such as "(26K)", "(2.8M)" or "(646.623)"."""
    match = re.search(r"([\d.,]+)\s*([KM]?)", text, re.ASCII)
    if match is None:
        return None
    if match[2]:
        decimal = match[1].replace(",", ".")
        factor = {"K": 1_000, "M": 1_000_000}[match[2]]
        return round(float(decimal) * factor) if re.fullmatch(r"\d{1,4}(\.\d+)?", decimal) else None
    plain = re.sub("[.,]", "", match[1])
    return int(plain) or None if 0 < len(plain) < 10 else None  # noqa: PLR2004  no film has a billion


def _minutes(text: str) -> int | None:
    """Read a running time such as "2h 49m" or "2 Std. 49 Min."."""
    match = _MINUTES.fullmatch(text)
    return int(match[1] or 0) * 60 + int(match[2] or 0) or None if match else None


# --- values of any type, checked ---


def _at(value: object, *keys: str) -> object:
    """Walk down nested objects; None if the path ends early, whatever is there."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _imdb_id(value: object) -> str:
    return value if isinstance(value, str) and IMDB_ID.fullmatch(value) else ""


def _text(value: object) -> str:
    """Return text as one line, without control characters, lone surrogates or the brackets of tags."""
    if not isinstance(value, str):
        return ""
    value = value[:MAX_TITLE_CHARS].translate(_HARMLESS_BRACKETS)
    visible = "".join(c for c in value if c.isspace() or unicodedata.category(c) not in {"Cc", "Cs", "Cf"})
    return " ".join(visible.split())


def _int(value: object, low: int, high: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None


def _rating(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 1 <= value <= 10 else None  # noqa: PLR2004  IMDb's scale


def _poster(value: object) -> str | None:
    """Return the address of a small version of a poster on Amazon's image host, else None."""
    match = _POSTER.fullmatch(value) if isinstance(value, str) else None
    return f"{match[1]}QL75_UX280_.jpg" if match else None


def unique(films: Iterable[Film]) -> tuple[Film, ...]:
    """Return every film once."""
    return tuple({film.imdb_id: film for film in films}.values())
