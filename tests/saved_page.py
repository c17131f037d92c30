"""A page of IMDb's search as a browser saves it, for the tests that drop one."""

from __future__ import annotations

import json
from pathlib import Path


def write_search_page(path: Path, count: int = 20) -> Path:
    """Write a page whose JSON lists films named Saved 0 and so on."""
    items = [
        {"titleId": f"tt{n:07d}", "titleText": f"Saved {n}", "titleType": {"id": "movie"}, "genres": ["Drama"]}
        for n in range(count)
    ]
    data = {"props": {"pageProps": {"searchResults": {"titleResults": {"titleListItems": items, "total": count}}}}}
    path.write_text(f'<script id="__NEXT_DATA__">{json.dumps(data)}</script>')
    return path
