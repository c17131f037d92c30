"""Film cards: facts in order, links by checked id only, posters from IMDb's own host only."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from scraper.film import GENRES, Film, Pick
from ui.cards import SHAPES, card, length

FILM = Film("tt0111161", "A Film", 1994, ("Comedy", "Drama"), 8.1, 90_000, 134, "en")


@pytest.mark.parametrize(
    "imdb_id", ["javascript:alert(1)", "tt1", "tt0111161/../evil", "tt0111161\n", "", "//evil.example"]
)
def test_only_a_checked_id_becomes_a_link(imdb_id: str) -> None:
    with pytest.raises(ValueError, match="IMDb title id"):
        card(Pick(replace(FILM, imdb_id=imdb_id), ""))


def test_a_card_says_what_is_known() -> None:
    shown = card(Pick(FILM, "Comedy: keeps the good mood"))
    assert shown["url"] == "https://www.imdb.com/title/tt0111161/"
    assert (shown["title"], shown["year"], shown["facts"]) == ("A Film", "1994", "★ 8.1 · 2h 14m")
    assert (shown["genres"], shown["why"]) == ("Comedy, Drama", "Comedy: keeps the good mood")
    assert (shown["paper"], shown["ink"]) == ("comedy", "drama")
    assert 0 <= shown["shape"] < SHAPES


def test_a_card_leaves_out_what_is_not_known() -> None:
    shown = card(Pick(Film("tt0000001", "Untold"), "Fits your filters"))
    assert (shown["year"], shown["facts"], shown["genres"], shown["paper"]) == ("", "", "", "other")


@pytest.mark.parametrize(
    "poster", ["javascript:alert(1)", "http://m.media-amazon.com/x.jpg", "https://evil.example/x.jpg", None]
)
def test_posters_come_from_imdb_or_not_at_all(poster: str | None) -> None:
    assert card(Pick(replace(FILM, poster_url=poster), ""))["poster_url"] == ""


def test_with_a_poster_the_year_stands_among_the_facts() -> None:
    poster = "https://m.media-amazon.com/images/M/x.jpg"
    shown = card(Pick(replace(FILM, poster_url=poster), ""))
    assert (shown["poster_url"], shown["facts"]) == (poster, "1994 · ★ 8.1 · 2h 14m")


def test_genres_that_imdb_does_not_have_never_reach_a_class_name() -> None:
    shown = card(Pick(replace(FILM, genres=('"><script>', "Drama")), ""))
    assert (shown["genres"], shown["paper"], shown["ink"]) == ("Drama", "drama", "drama")


@pytest.mark.parametrize(
    ("title", "size"),
    [
        ("Up", "large"),
        ("Oppenheimer", "small"),
        ("Casablanca", "medium"),
        ("The Assassination of Jesse James", "small"),
    ],
)
def test_long_titles_are_set_smaller(title: str, size: str) -> None:
    assert card(Pick(replace(FILM, title=title), ""))["size"] == size


@pytest.mark.parametrize(("minutes", "written"), [(134, "2h 14m"), (120, "2h"), (45, "45m")])
def test_running_times(minutes: int, written: str) -> None:
    assert length(minutes) == written


def test_every_genre_of_films_has_its_colour(project: Path) -> None:
    style = (project / "ui" / "style.css").read_text("utf-8")
    for genre in set(GENRES) - {"Game-Show", "News", "Reality-TV", "Short", "Talk-Show"}:  # hardly any films
        drawn = card(Pick(replace(FILM, genres=(genre,)), ""))
        assert f".paper-{drawn['paper']} " in style, genre
        assert f".ink-{drawn['ink']} " in style, genre


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_titles_are_legible_on_every_poster(project: Path) -> None:
    style = (project / "ui" / "style.css").read_text("utf-8")
    ink = re.search(r"color: (#\w{6}); background-color: var\(--paper\)", style)
    assert ink
    papers = re.findall(r"--paper: (#\w{6})", style)
    assert len(papers) >= 20
    for paper in papers:
        contrast = (luminance(ink[1]) + 0.05) / (luminance(paper) + 0.05)
        assert contrast >= 4.5, f"{paper}: {contrast:.1f}"
