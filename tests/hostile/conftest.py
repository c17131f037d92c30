"""The running app, without IMDb."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import app
from ui import service


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMDB_LIVE", "off")
        patch.setenv("MOOD_HOME", str(tmp_path_factory.mktemp("home")))
        service._open_films.cache_clear()
        _, address, _ = app.demo.launch(**app.LAUNCH, prevent_thread_lock=True, quiet=True)
        yield address
        app.demo.close()
