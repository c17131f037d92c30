"""Whatever a scraped title holds, it stays text."""

from __future__ import annotations

import pytest

from ui.template import shown, template


@pytest.mark.parametrize("text", ["${value}", "{{{value.title}}}"])
def test_templates_that_do_not_escape_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="double braces"):
        template(text, elem_id="x")


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
    assert shown(films=[{"title": hostile}], heading=hostile) == {
        "films": [{"title": harmless}],
        "heading": harmless,
    }


def test_numbers_and_flags_stay_what_they_are() -> None:
    assert shown(share=71, leads=True) == {"share": 71, "leads": True}
