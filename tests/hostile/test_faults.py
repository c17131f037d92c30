"""What breaks around the program: it goes on by itself where it can, and says one line where it cannot."""

from __future__ import annotations

import logging
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from running_app import start

from scraper import Catalogue
from scraper.breaker import Breaker
from scraper.cache import MemoryNote
from scraper.catalogue import IMPORTED_NAME
from scraper.errors import CatalogueError, ImdbBlocked
from scraper.imdb import Answer
from ser_model.cnn import WeightsError
from ui import service


def run(project: Path, *arguments: str, limit_bytes: int = -1, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of the project, perhaps where no file may grow beyond a limit, as on a full disk."""

    def fill_disk() -> None:
        if limit_bytes >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=fill_disk,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"} | environment,
    )


def search(project: Path, limit_bytes: int = -1, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(project, "scraper", "search", "--mood", "sad", limit_bytes=limit_bytes, **environment)


@pytest.mark.parametrize("home", ["/proc/nowhere", "/dev/null"])
def test_a_home_that_cannot_be_written_costs_the_kept_pages_alone(project: Path, home: str) -> None:
    done = search(project, MOOD_HOME=home, IMDB_BASE_URL="http://imdb.invalid")
    assert done.returncode == 0
    assert done.stdout.count("https://www.imdb.com/title/") == 24
    assert "pages are kept in memory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_costs_the_kept_pages_alone(project: Path, tmp_path: Path) -> None:
    done = search(project, limit_bytes=0, MOOD_HOME=str(tmp_path), IMDB_BASE_URL="http://imdb.invalid")
    assert done.returncode == 0
    assert done.stdout.count("https://www.imdb.com/title/") == 24
    assert "Traceback" not in done.stderr


def test_results_that_find_no_room_are_one_line(project: Path, tmp_path: Path) -> None:
    clip = str(project / "ui/voices/lively.wav")
    done = run(project, "ser_model", "predict", clip, "--out", str(tmp_path / "table.csv"), limit_bytes=100)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "File too large" in done.stderr or "No space" in done.stderr


@pytest.mark.slow
def test_a_recording_that_finds_no_room_is_refused_in_words_and_films_go_on(tmp_path: Path) -> None:
    app = start(tmp_path / "app", limit_bytes=30_000)
    try:
        answer = requests.post(f"{app.url}gradio_api/upload", files={"files": ("a.wav", bytes(90_000))}, timeout=20)
        assert answer.status_code == 507
        assert "no room on this computer" in answer.text
        call = requests.post(f"{app.url}gradio_api/call/v2/recommend", json={"mood": "sad"}, timeout=20).json()
        films = requests.get(f"{app.url}gradio_api/call/recommend/{call['event_id']}", timeout=20).text
        assert "event: complete" in films
    finally:
        app.stop(signal.SIGKILL)


def test_damaged_tables_are_said_and_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / IMPORTED_NAME).write_bytes(b"PAR1 and then nothing")
    with caplog.at_level(logging.WARNING):
        found = Catalogue.load(tmp_path)
    assert found.imported is None
    assert "import the tables again" in caplog.text
    assert len(found.bundled.films()) > 1_000


@pytest.mark.parametrize("error", [WeightsError("weights are missing. Fetch."), CatalogueError("list is missing")])
def test_what_cannot_be_loaded_at_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(service, "recognizer", fail)
    monkeypatch.setattr(service, "recommender", fail)
    with caplog.at_level(logging.WARNING):
        service._load_all()
    assert [record.getMessage() for record in caplog.records] == [str(error)] * 2
    assert not any(record.exc_info for record in caplog.records)


def test_a_clock_put_back_does_not_leave_imdb_alone_for_days() -> None:
    clock = [datetime(2030, 1, 1, tzinfo=UTC)]
    breaker = Breaker(MemoryNote(), now=lambda: clock[0])
    breaker.trip(ImdbBlocked("refused"))
    with pytest.raises(ImdbBlocked):
        breaker.check()
    clock[0] -= timedelta(days=2)
    breaker.check()
    clock[0] += timedelta(days=4)
    breaker.check()


def test_a_clock_put_forward_asks_imdb_again_at_once() -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    breaker = Breaker(MemoryNote(), now=lambda: clock[0])
    breaker.trip(ImdbBlocked("refused"))
    clock[0] += timedelta(days=3_650)
    breaker.check()
    breaker.trip(ImdbBlocked("refused"))
    with pytest.raises(ImdbBlocked):
        breaker.check()


def test_a_page_from_the_future_is_not_fresh() -> None:
    now = datetime.now(UTC)
    assert Answer((), now).is_fresh
    assert not Answer((), now + timedelta(days=2)).is_fresh
    assert not Answer((), now - timedelta(days=2)).is_fresh
