"""Which films belong to one series, by their titles, and only with evidence: a number, a subtitle, a longer stem."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from scraper.film import Film

MIN_STEM_WORDS = 3  # of a title that another one continues, such as The Dark Knight Rises
FILMED_AGAIN = {"batman", "dracula", "matilda", "snow white"}  # other versions of a story, not parts of one

_SUBTITLE = re.compile(r":\s+|\s+[-\u2013]\s+")
_PART = re.compile(r"[\s,]+(?:part|chapter|vol\.?|volume|episode)\s+\w+$", re.IGNORECASE)
_NUMBER = re.compile(r"[\s,]+(?:[2-9]|1[0-2]|ii|iii|iv|vi{0,3}|ix|x)$", re.IGNORECASE | re.ASCII)
_AND_THE = re.compile(r"^(?!the |a )(\w[\w.'-]*(?: \w[\w.'-]*)+) (?:and|&) the .+")


def find_series(films: Iterable[Film]) -> dict[str, str]:
    """Return the name of the series by IMDb id, for the films that belong to one.

    Evidence is a number, a part or a subtitle behind the title of an earlier film, or behind the same words as in
    another title; a title of some length that another one continues; or the same hero ("Harry Potter and the ...").
    Films of the same title or of different languages are no series, nor are titles that differ by an article.
    """
    bare: dict[tuple[str, str | None], list[Film]] = defaultdict(list)
    by_stem: dict[tuple[str, str | None], list[Film]] = defaultdict(list)
    continued: dict[tuple[str, str | None], list[Film]] = defaultdict(list)
    for film in films:
        title, words = film.title.casefold(), film.title.casefold().split()
        bare[title, film.language].append(film)
        for stem in _stems(title) - FILMED_AGAIN:
            by_stem[stem, film.language].append(film)
        for count in range(MIN_STEM_WORDS, len(words)):
            continued[" ".join(words[:count]), film.language].append(film)
    for key in continued.keys() & bare.keys():
        by_stem[key] += continued[key]
    series: dict[str, str] = {}
    for key in sorted(by_stem, key=lambda key: (len(key[0]), str(key))):  # the shortest name wins
        last_year = max(film.year or 0 for film in by_stem[key])
        earlier = [film for film in bare.get(key, ()) if (film.year or 0) <= last_year]
        members = sorted({film.imdb_id for film in by_stem[key] + earlier})
        if len(members) > 1:
            name = next((series[one] for one in members if one in series), key[0])
            series |= dict.fromkeys(members, name)
    return series


def _stems(title: str) -> set[str]:
    """Return what stands before the subtitle or number of a title, or before what a hero meets."""
    parts = _SUBTITLE.split(title)
    stems = {_NUMBER.sub("", _PART.sub("", ": ".join(parts[:end]))) for end in range(1, len(parts) + 1)} - {title}
    hero = _AND_THE.match(title)
    return stems | ({hero[1]} if hero else set())
