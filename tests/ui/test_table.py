"""Tables of films: readable as rows, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import unquote

import pytest

from scraper.film import Film, Pick
from ui import table, texts


def make_pick(title: str) -> Pick:
    return Pick(Film("tt0000001", title, 2020, ("Drama", "War"), 7.5, 1000, 95, "en"), "Drama: because")


def test_a_film_is_a_row_that_begins_with_name_rating_and_link() -> None:
    frame = table.of_films([make_pick("A")])
    assert list(frame.columns)[:3] == ["Name", "Rating", "Link"]
    assert table.rows_of(frame)[0][:4] == [
        "A",
        "7.5",
        {"url": "https://www.imdb.com/title/tt0000001/", "text": texts.OPEN},
        "2020",
    ]


def test_what_is_not_known_is_empty() -> None:
    row = table.rows_of(table.of_films([make_pick("A"), Pick(Film("tt0000002", "B"), "")]))[1]
    assert row[1] == row[3] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_text_is_never_a_formula(start: str) -> None:
    text = table.to_csv(table.of_films([make_pick(f"{start}cmd|' /C calc'!A0")]))
    assert list(csv.reader(io.StringIO(text)))[1][0].startswith((f"'{start}", "cmd"))


def test_the_link_holds_the_whole_file() -> None:
    frame = table.of_films([make_pick('Amélie, "the" film')])
    link = table.csv_link(frame)
    assert re.fullmatch(r"[\w%.~-]+", link.partition(",")[2])
    head, row = csv.reader(io.StringIO(unquote(link.partition(",")[2]).removeprefix("\ufeff")))
    assert dict(zip(head, row, strict=True))["Name"] == 'Amélie, "the" film'
