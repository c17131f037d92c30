"""Film cards: a poster set in type from title, year and genre, the facts, the reason, and the way to IMDb."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scraper.film import GENRES, Film, Pick
from ui import table, texts

POSTER_HOST = "m.media-amazon.com"  # where IMDb keeps its posters
SHAPES = 5  # drawings that posters take turns with, see style.css
SIZES = (("large", 12, 8), ("medium", 26, 10))  # letters up to which a title, and its longest word, is set in a size

TEMPLATE = (
    """
{{#if value.heading}}
<section class="films" aria-label="FILMS" data-query="{{value.query}}">
  <h2>{{value.heading}}</h2>
  {{#if value.reason}}<p>{{value.reason}}</p>{{/if}}
  <p class="quiet">{{value.source}}</p>
  <ul>
    {{#each value.films}}
    <li class="film">
      <div class="poster shape-{{this.shape}} paper-{{this.paper}} ink-{{this.ink}}">
        {{#if this.poster_url}}
        <img src="{{this.poster_url}}" alt="" loading="lazy" referrerpolicy="no-referrer">
        {{else}}
        <span class="kicker">{{this.year}}</span>
        {{/if}}
        <h3 class="{{this.size}}"><a href="{{this.url}}" target="_blank" rel="noopener"
          >{{this.title}}<span class="unseen"> AT_IMDB</span></a></h3>
      </div>
      {{#if this.poster_url}}<p class="name" aria-hidden="true">{{this.title}}</p>{{/if}}
      <p class="facts">{{this.facts}}</p>
      <p class="quiet">{{this.genres}}</p>
      <p class="why">{{this.why}}</p>
      <button type="button" class="dismiss" data-film="{{this.id}}"
        >DISMISS<span class="unseen">: {{this.title}}</span></button>
    </li>
    {{/each}}
  </ul>
  {{#if value.rows}}
  <details class="table">
    <summary>AS_TABLE</summary>
    TABLE
  </details>
  {{/if}}
</section>
{{/if}}
""".replace("FILMS", texts.FILM_LIST)
    .replace("AT_IMDB", texts.AT_IMDB)
    .replace("DISMISS", texts.DISMISS)
    .replace("AS_TABLE", texts.AS_TABLE)
    .replace("TABLE", table.markup("films.csv", texts.FILM_TABLE))
)

DISMISS = """
const buttons = () => [...element.querySelectorAll("button[data-film]")];
let place = -1; // of the button that was pressed: when the list has changed, the focus returns to it
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-film]");
  if (!button) return;
  place = buttons().indexOf(button);
  trigger("click", { imdb_id: button.dataset.film });
});
new MutationObserver(() => {
  buttons()[place]?.focus({ preventScroll: true });
  place = -1;
}).observe(element, { childList: true, subtree: true });
"""


def card(pick: Pick) -> dict[str, Any]:
    """Describe one film for the template; the link is built from the checked id alone."""
    film = pick.film
    genres = [genre for genre in film.genres if genre in GENRES]
    return {
        "id": film.imdb_id,
        "url": film.url,
        "poster_url": _poster(film.poster_url),
        "title": film.title,
        "size": _size(film.title),
        "year": str(film.year or ""),
        "facts": " · ".join(_facts(film)),
        "genres": ", ".join(genres),
        "why": pick.why,
        "paper": _slug(genres[0]) if genres else "other",
        "ink": _slug(genres[-1]) if genres else "other",
        "shape": int(film.imdb_id[2:]) % SHAPES,
    }


def length(minutes: int) -> str:
    """Write a running time.

    Examples:
        >>> length(134), length(120), length(45)
        ('2h 14m', '2h', '45m')
    """
    hours, rest = divmod(minutes, 60)
    parts = ((texts.HOURS, hours), (texts.MINUTES, rest))
    return " ".join(text.format(value=value) for text, value in parts if value)


def _facts(film: Film) -> list[str]:
    facts = [str(film.year)] if film.year and _poster(film.poster_url) else []  # a typographic poster has it
    facts += [f"★ {film.rating:.1f}"] if film.rating else []
    return facts + ([length(film.runtime_min)] if film.runtime_min else [])


def _poster(url: str | None) -> str:
    parts = urlsplit(url or "")
    return url or "" if parts.scheme == "https" and parts.netloc == POSTER_HOST else ""


def _size(title: str) -> str:
    longest = max(map(len, title.split()), default=0)
    return next((size for size, all_, word in SIZES if len(title) <= all_ and longest <= word), "small")


def _slug(genre: str) -> str:
    return genre.lower().replace("-", "")
