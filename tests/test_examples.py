"""The examples do what they say against a running app, and the example voices are taken for speech."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from running_app import Running

import app
from ser_model.audio import load_audio
from ser_model.speech import SpeechDetector
from ui import texts
from ui.examples import VOICES

PROJECT = Path(app.__file__).parent


@pytest.fixture
def url(running: Running) -> str:
    return running.url.rstrip("/")


def run(*command: str) -> str:
    environment = os.environ | {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_client_hears_a_voice_and_finds_films(url: str) -> None:
    said = run(sys.executable, "examples/python_client.py", url, "ui/voices/lively.wav")
    assert said.startswith("emotion: ")
    assert said.count("https://www.imdb.com/title/tt") == 3


def test_curl_uploads_a_voice_and_gets_answer_and_films(url: str) -> None:
    said = run("bash", "examples/curl.sh", url, "ui/voices/slow.wav")
    assert said.count("event: complete") == 2
    assert '"probabilities"' in said
    assert '"films"' in said


def test_an_mcp_client_sees_the_tools_and_gets_films(url: str) -> None:
    said = run(sys.executable, "examples/mcp_client.py", url)
    assert "tool: recognize" in said
    assert "https://www.imdb.com/title/tt" in said


@pytest.mark.parametrize("name", VOICES)
def test_a_made_voice_is_taken_for_speech(name: str) -> None:
    path = VOICES[name]
    assert path.stat().st_size < 120_000
    span = SpeechDetector().find(load_audio(path))
    assert span.voiced_s > 0.5


def test_the_script_makes_the_voices_that_are_here(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'examples'); import make_voices; from pathlib import Path; "
        f"make_voices.FOLDER = Path({str(tmp_path)!r}); make_voices.main()"
    )
    run(sys.executable, "-c", code)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in VOICES.values()}
    for path in VOICES.values():
        made, kept = sf.read(tmp_path / path.name)[0], sf.read(path)[0]
        assert np.allclose(made, kept, atol=1e-3)


def test_each_has_a_name_on_the_page() -> None:
    assert set(texts.VOICES) == set(VOICES)
