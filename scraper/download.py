"""IMDb's official tables: one of today is not fetched again, and a broken download goes on where it stopped."""

from __future__ import annotations

import os
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
from tqdm import tqdm

from scraper.errors import CatalogueError

OFFICIAL = "https://datasets.imdbws.com"
TIMEOUT_S = (10, 60)  # to connect, between two pieces
RENEWED_S = 24 * 3600  # IMDb writes its tables once a day
CHUNK = 2**16  # bytes; what a broken connection can cost


def download(name: str, folder: Path, base: str = OFFICIAL) -> Path:
    """Fetch one table, with a progress bar.

    Args:
        name: file name, such as title.basics.tsv.gz.
        folder: where it goes; a part of an earlier attempt is continued if IMDb still has the same version.
        base: address of the folder it lies in.

    Returns:
        The path of the complete file, which carries the date of IMDb's version.

    Raises:
        CatalogueError: when it cannot be fetched completely; calling again continues.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / name
    if whole.is_file() and 0 <= time.time() - whole.stat().st_mtime < RENEWED_S:
        return whole
    part, version = folder / f"{name}.part", folder / f"{name}.version"
    headers = {"Accept-Encoding": "identity"}
    known = version.read_text("utf-8") if part.is_file() and version.is_file() else ""
    if known:
        headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": known}
    try:
        with requests.get(f"{base}/{name}", headers=headers, stream=True, timeout=TIMEOUT_S) as response:
            if response.status_code != requests.codes.range_not_satisfiable:  # nothing is missing
                response.raise_for_status()
                version.write_text(response.headers.get("ETag", ""), "utf-8")
                _receive(response, part)
            _date(part, response.headers.get("Last-Modified"))
    except (requests.RequestException, OSError, ValueError) as error:  # the last of a date that is none
        raise CatalogueError(f"{name} could not be fetched ({error}); run the import again to go on") from error
    version.unlink()
    return part.replace(whole)


def _date(part: Path, modified: str | None) -> None:
    """Give a file the date of its version, where the server says it."""
    if modified:
        moment = parsedate_to_datetime(modified).timestamp()
        os.utime(part, (moment, moment))


def _receive(response: requests.Response, part: Path) -> None:
    resumed = response.status_code == requests.codes.partial_content
    start = part.stat().st_size if resumed else 0
    total = start + int(response.headers.get("Content-Length", 0))
    with (
        part.open("ab" if resumed else "wb") as file,
        tqdm(initial=start, total=total or None, unit="B", unit_scale=True, desc=part.stem) as bar,
    ):
        for chunk in response.iter_content(CHUNK):
            bar.update(file.write(chunk))
    if part.stat().st_size < total:
        raise OSError(f"{part.stat().st_size} of {total} bytes came")
