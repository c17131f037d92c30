"""How pictures of the page are taken: every state wide and on a phone, light and dark, and sheets of the four.

KEEP_PICTURES=FOLDER pytest -m browser tests/browser makes the pictures;
python tests/browser/looks.py FOLDER/states docs/states puts the four looks of each state on one sheet.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

PICTURES = os.environ.get("KEEP_PICTURES", "")
SIZES = {"wide": (1280, 1440), "phone": (360, 780)}
THEMES = ("light", "dark")
WIDTHS = {"wide": 560, "phone": 240}  # pixels on a sheet
TALLEST, GAP = 1_400, 16  # pixels; what is taller is cut off

kept = pytest.mark.skipif(not PICTURES, reason="KEEP_PICTURES names no folder")
every_size = pytest.mark.parametrize("size", SIZES)
every_theme = pytest.mark.parametrize("theme", THEMES)


def look(size: str, theme: str) -> dict[str, Any]:
    """Return what opens the page in that look."""
    width, height = SIZES[size]
    return {"width": width, "height": height, "dark": theme == "dark", "reduced_motion": "reduce", "watched": False}


def take(page: Page, state: str, size: str, theme: str) -> None:
    """Keep a picture of the whole page."""
    folder = Path(PICTURES) / "states"
    folder.mkdir(parents=True, exist_ok=True)
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    page.screenshot(path=folder / f"{state}-{size}-{theme}.png", full_page=True)


def make_sheets(pictures: Path, sheets: Path) -> None:
    """Put the looks of each state side by side, and list the sheets in an index."""
    sheets.mkdir(parents=True, exist_ok=True)
    states = sorted({path.stem.rsplit("-", 2)[0] for path in pictures.glob("*.png")})
    for state in states:
        looks = [_shrink(pictures / f"{state}-{size}-{theme}.png", size) for size, theme in _list_looks()]
        sheet = Image.new(
            "RGB",
            (sum(one.width + GAP for one in looks) + GAP, max(one.height for one in looks) + 2 * GAP),
            "#8a8f98",
        )
        left = GAP
        for one in looks:
            sheet.paste(one, (left, GAP))
            left += one.width + GAP
        sheet.save(sheets / f"{state}.webp", quality=70, method=6)
    lines = [f"## {state[3:].replace('-', ' ').capitalize()}\n\n![{state}]({state}.webp)\n" for state in states]
    head = "# Every state of the page\n\nWide and 360 px, light and dark; made by `tests/browser/looks.py`.\n"
    (sheets / "README.md").write_text("\n".join([head, *lines]))


def _list_looks() -> list[tuple[str, str]]:
    return list(itertools.product(SIZES, THEMES))


def _shrink(path: Path, size: str) -> Image.Image:
    image = Image.open(path).convert("RGB")
    width = WIDTHS[size]
    small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    return small.crop((0, 0, width, min(small.height, TALLEST)))


if __name__ == "__main__":
    make_sheets(Path(sys.argv[1]), Path(sys.argv[2]))
