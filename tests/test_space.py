"""What a Space and a Docker image need: front matter, a GPU for the comparison only, no root, a health check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import soundfile as sf
import voice
from gradio_client import Client, handle_file
from huggingface_hub import SpaceCard
from pytest_httpserver import HTTPServer
from running_app import start

CPU_BASIC = {
    "SYSTEM": "spaces",
    "SPACE_ID": "somebody/mood-picks",
    "SPACE_HOST": "somebody-mood-picks.hf.space",
    "SPACE_AUTHOR_NAME": "somebody",
    "SPACE_REPO_NAME": "mood-picks",
    "ACCELERATOR": "none",
    "CPU_CORES": "2",
}


def test_the_front_matter_is_complete(project: Path) -> None:
    card = SpaceCard.load(project / "README.md").data
    wanted = ("title", "emoji", "sdk", "sdk_version", "python_version", "app_file", "license", "short_description")
    assert all(getattr(card, name) for name in wanted)
    assert card.sdk == "gradio"
    assert len(str(card.short_description)) <= 60
    assert "mcp-server" in card.tags
    assert (project / str(card.app_file)).is_file()


def test_only_the_comparison_asks_for_a_gpu(project: Path) -> None:
    asking = [path.name for path in (project / "ui").glob("*.py") if "spaces.GPU" in path.read_text()]
    assert asking == ["comparison.py"]


def test_the_image_runs_unprivileged_with_a_health_check(project: Path) -> None:
    lines = (project / "Dockerfile").read_text().splitlines()
    steps = [line.split()[0] for line in lines if line and line[0].isupper()]
    assert {"USER", "HEALTHCHECK", "EXPOSE", "CMD"} <= set(steps)
    assert steps.index("USER") < steps.index("CMD")
    assert "root" not in next(line for line in lines if line.startswith("USER"))


def test_the_image_copies_existing_files_onto_a_pinned_base(project: Path) -> None:
    lines = (project / "Dockerfile").read_text().splitlines()
    base = next(line for line in lines if line.startswith("FROM"))
    assert re.fullmatch(r"FROM python:3\.1[12]-slim-\w+", base)
    copied = [line.split()[-2] for line in lines if line.startswith("COPY")]
    assert copied
    assert all((project / source).exists() for source in copied)
    ignored = (project / ".dockerignore").read_text().split()
    assert not {"ui", "ser_model", "scraper", "results", "app.py"} & set(ignored)
    pins = re.findall(r"torch(?:audio)?==[\d.]+", (project / "Dockerfile").read_text())
    assert all(pin in (project / "requirements.txt").read_text() for pin in pins)


@pytest.mark.slow
@pytest.mark.parametrize("hardware", ["cpu-basic", "zero-gpu"])
def test_it_starts_and_predicts_with_the_variables_of_a_space(
    hardware: str, tmp_path: Path, httpserver: HTTPServer
) -> None:
    variables = dict(CPU_BASIC)
    if hardware == "zero-gpu":  # its device service is told of every decorated function at the start
        httpserver.expect_request("/startup-report", method="POST").respond_with_data("")
        variables |= {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": httpserver.url_for("")}
    sf.write(tmp_path / "voice.wav", voice.speak(), voice.RATE_HZ)
    running = start(tmp_path / "space", **variables)
    try:
        client = Client(running.url, verbose=False)
        prediction = client.predict(handle_file(tmp_path / "voice.wav"), api_name="/recognize")
        assert len(prediction["probabilities"]) == 8
        films = client.predict(mood="sad", intent="lift", api_name="/recommend")
        assert films["films"]
    finally:
        running.stop()
    assert bool(httpserver.log) == (hardware == "zero-gpu")
