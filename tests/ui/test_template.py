"""Whatever a scraped title holds, it stays text: in a template and in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from ui import texts
from ui.template import TEMPLATES, escape, table, template


@pytest.mark.parametrize("text", ["${value}", "{{{value.title}}}", "{{> part}}"])
def test_templates_that_do_not_escape_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(text)
    (tmp_path / "part.html").write_text("${value}")
    with pytest.raises(ValueError, match="double braces"):
        template("bad", elem_id="x", folder=tmp_path)


GIVEN = ("table", "file", "title", "summary", "hint", "more", "note", "files", "max_bytes", "max_s")  # by the page


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.stem)
def test_a_template_includes_its_parts_and_fills_every_block(path: Path) -> None:
    text = template(path.stem, elem_id="x", **dict.fromkeys(GIVEN, "")).html_template
    assert "{{>" not in text
    assert sorted(re.findall(r"{{#(\w+)", text)) == sorted(re.findall(r"{{/(\w+)", text))


def test_a_text_that_neither_the_texts_nor_the_page_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("{{say.nowhere}}")
    with pytest.raises(AttributeError, match="NOWHERE"):
        template("bad", elem_id="x", folder=tmp_path)
    template("bad", elem_id="x", folder=tmp_path, nowhere="here")


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("${alert(1)}", "\\${alert(1)}"),
        ("\\${alert(1)}", "\\\\\\${alert(1)}"),
        ("\\u", "\\\\u"),
        ("Cash: $5", "Cash: $5"),
    ],
)
def test_script_in_a_value_is_escaped_at_every_depth(hostile: str, harmless: str) -> None:
    assert escape(films=[{"title": hostile}], heading=hostile, share=71) == {
        "films": [{"title": harmless}],
        "heading": harmless,
        "share": 71,
    }


def read_csv(link: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(unquote(link.partition(",")[2]).removeprefix("\ufeff"))))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_text_in_a_spreadsheet_is_never_a_formula(start: str) -> None:
    rows = [[f"{start}cmd|' /C calc'!A0"]]
    assert read_csv(table(["Name"], rows, rows)["csv"])[1][0].startswith((f"'{start}", "cmd"))


def test_a_table_holds_its_whole_file_and_links_to_imdb_only() -> None:
    rows = [['Amélie, "the" film', None, 0.5, "https://www.imdb.com/title/tt0000001/", "https://evil.example/"]]
    shown = table(["Name", "Year", "p", "Link", "Other"], rows, rows)
    link = {"url": rows[0][3], "text": texts.OPEN}
    assert shown["rows"] == [[rows[0][0], "", "0.5", link, "https://evil.example/"]]
    assert re.fullmatch(r"[\w%.~-]+", shown["csv"].partition(",")[2])
    assert read_csv(shown["csv"]) == [["Name", "Year", "p", "Link", "Other"], [rows[0][0], "", "0.5", *rows[0][3:]]]
