"""The examples do what they say against a running app, and the example voices are speech."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from running_app import Running

from ser_model.audio import load_audio
from ser_model.vad import SpeechDetector

PROJECT = Path(__file__).resolve().parents[1]
VOICES = sorted((PROJECT / "ui/voices").glob("*.wav"))


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


def test_the_python_client_predicts_and_finds_films(url: str) -> None:
    output = run(sys.executable, "examples/python_client.py", url, "ui/voices/cheerful.wav")
    assert output.startswith("emotion: ")
    assert output.count("https://www.imdb.com/title/tt") == 3


def test_curl_uploads_a_voice_and_gets_prediction_and_films(url: str) -> None:
    output = run("bash", "examples/curl.sh", url, "ui/voices/sad.wav")
    assert output.count("event: complete") == 2
    assert '"probabilities"' in output
    assert '"films"' in output


def test_an_mcp_client_sees_the_tools_and_gets_prediction_and_films(url: str) -> None:
    output = run(sys.executable, "examples/mcp_client.py", url, "ui/voices/cheerful.wav")
    assert "recognize" in output.splitlines()
    assert "probabilities" in output
    assert "https://www.imdb.com/title/tt" in output


@pytest.mark.parametrize("path", VOICES, ids=lambda path: path.stem)
def test_a_synthetic_voice_is_detected_as_speech(path: Path) -> None:
    assert path.stat().st_size < 120_000
    assert SpeechDetector().detect(load_audio(path)).voiced_s > 0.5


def test_the_script_makes_the_voices_of_the_page(tmp_path: Path) -> None:
    run(sys.executable, "examples/make_voices.py", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in VOICES}
    for path in VOICES:
        assert np.allclose(sf.read(tmp_path / path.name)[0], sf.read(path)[0], atol=1e-3)
