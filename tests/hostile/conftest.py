"""An app that the tests of a module share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from running_app import Running, start


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    app = start(tmp_path_factory.mktemp("app"))
    yield app
    app.stop(signal.SIGKILL)


@pytest.fixture
def url(running: Running) -> str:
    return running.url
