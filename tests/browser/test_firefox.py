"""The main path in Debian's Firefox (apt install firefox-esr), which playwright cannot drive."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
PATIENCE_S = 90
SETTINGS = {  # any free port, and a microphone that is allowed and hums
    "marionette.port": "0",
    "media.navigator.permission.disabled": "true",
    "media.navigator.streams.fake": "true",
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
}


class Tab:
    """One page in a Firefox of its own, which is asked over Marionette."""

    def __init__(self, port: int) -> None:
        self._stream = socket.create_connection(("127.0.0.1", port), PATIENCE_S).makefile("rwb")
        self._read()  # Firefox introduces itself
        self._number = 0
        self.ask("NewSession")

    def ask(self, command: str, **given: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, f"WebDriver:{command}", given]).encode()
        self._stream.write(b"%d:%s" % (len(message), message))
        self._stream.flush()
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def run(self, script: str) -> Any:
        return self.ask("ExecuteScript", script=f"return {script}", args=[])["value"]

    def wait(self, script: str) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (value := self.run(script)) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert value, f"{script} never came true"
        return value

    def upload(self, selector: str, path: Path) -> None:
        (element,) = self.ask("FindElement", using="css selector", value=selector)["value"].values()
        self.ask("ElementSendKeys", id=element, text=str(path))

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._stream.read(1)
        return json.loads(self._stream.read(int(length[:-1])))


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    if FIREFOX is None:
        pytest.skip("there is no Firefox here")
    lines = [f'user_pref("{name}", {value});' for name, value in SETTINGS.items()]
    (tmp_path / "user.js").write_text("\n".join(lines))
    process = subprocess.Popen([FIREFOX, "--headless", "--no-remote", "--profile", str(tmp_path), "--marionette"])
    try:
        port = tmp_path / "MarionetteActivePort"
        deadline = time.monotonic() + PATIENCE_S
        while not (port.is_file() and port.read_text()) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield Tab(int(port.read_text()))
    finally:
        process.kill()
        process.wait()


def test_a_mood_and_a_voice_bring_films_in_firefox(tab: Tab, url: str, microphone: Path) -> None:
    tab.ask("Navigate", url=url)
    tab.wait("!!document.querySelector('#live.ready')")
    tab.run("document.querySelector('#moods input[value=sad]').click()")
    tab.wait("document.querySelectorAll('.film').length >= 12")
    assert tab.run("document.querySelector('#answer h2').textContent") == "You chose “sad”."
    tab.wait("document.querySelector('#answer section').getBoundingClientRect().top < 40")
    assert tab.run("document.querySelector('.film').getBoundingClientRect().top < 0.8 * innerHeight")
    assert tab.run("location.search.includes('mood=sad')")
    tab.run("document.querySelector('#clip .source-selection button').click()")
    tab.wait("!!document.querySelector('#clip input[type=file]')")
    tab.upload("#clip input[type=file]", microphone)
    tab.wait("/sound|sure/.test(document.querySelector('#answer h2')?.textContent)")
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")


def test_firefox_records_and_says_what_it_could_not_hear(tab: Tab, url: str) -> None:
    tab.ask("Navigate", url=url)
    tab.wait("!!document.querySelector('#live.ready')")
    time.sleep(2)  # Gradio loads its recorder
    tab.run("document.querySelector('#clip .record-button').click()")
    tab.wait("document.activeElement.matches('.stop-button')")
    time.sleep(3)
    tab.run("document.activeElement.click()")
    tab.wait("/voice|silent|short/.test(document.querySelector('#problem .problem')?.textContent)")
