"""Fixtures for every test: no network but loopback, the running app, and the real data if it is there."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from running_app import Running, start

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("MOOD_SHARED", ROOT.parent / "shared"))  # the real corpora


def _is_loopback(address: object) -> bool:
    if not isinstance(address, tuple):  # a Unix socket is a path
        return True
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if not _is_loopback(address):
            raise OSError(f"the tests may not reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def project() -> Path:
    return ROOT


@pytest.fixture
def shared() -> Path:
    """The folder with the real corpora; without it the tests that need them are skipped."""
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED}; MOOD_SHARED names another place")
    return SHARED


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app in a process of its own, shared by all tests that ask for it."""
    app = start(tmp_path_factory.mktemp("app"))
    yield app
    app.stop(signal.SIGKILL)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
