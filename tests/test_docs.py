"""The documents name only what exists: files, commands with their options, endpoints, environment variables."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

import app

PROJECT = Path(app.__file__).parent
DOCUMENTS = [PROJECT / "README.md", PROJECT / "SECURITY.md", *sorted((PROJECT / "docs").glob("*.md"))]
TEXT = "\n".join(path.read_text() for path in DOCUMENTS)
COMMAND = re.compile(r"python (-m (?:ser_model|scraper|benchmarks) [a-z-]+|train\.py)([^\n`]*)")
COMMANDS = {target: "" for target, _ in COMMAND.findall(TEXT)}
for target, rest in COMMAND.findall(TEXT):
    COMMANDS[target] += rest.split("#")[0]
ROOTS = ("ser_model/", "scraper/", "ui/", "tests/", "docs/", "examples/", "benchmarks/", "results/", ".ci/")


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", path.read_text()):
        name, _, heading = link.partition("#")
        target = (path.parent / name) if name else path
        assert target.exists(), link
        if heading:
            assert heading in map(anchor, re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)), link


def test_every_path_in_the_documents_exists() -> None:
    named = set(re.findall(r"`([\w./-]+)`", TEXT)) | set(re.findall(r"(?<=[ =])([\w-]+/[\w./-]+)", TEXT))
    paths = {name for name in named if name.startswith(ROOTS)}
    assert len(paths) > 30
    runs = ("results/corpora", "results/comparison-corpora")
    made = {*runs, *(f"{run}/metrics.json" for run in runs)}  # by the commands in docs/training.md
    assert {name for name in paths - made if not (PROJECT / name.rstrip(".")).exists()} == set()


def test_every_kind_of_command_is_documented() -> None:
    assert len(COMMANDS) >= 12


@pytest.mark.parametrize("target", COMMANDS)
def test_every_documented_command_has_its_options(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, *arguments = target.removeprefix("-m ").split()
    program = importlib.import_module("train" if module == "train.py" else f"{module}.__main__")
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        program.main([*arguments, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    options = set(re.findall(r"--[a-z][a-z-]+", COMMANDS[target]))
    assert {option for option in options if not re.search(rf"{option}\b", text)} == set()


def test_every_endpoint_is_documented_with_its_parameters() -> None:
    table = (PROJECT / "docs/api.md").read_text()
    rows = dict(re.findall(r"^\| `(/\w+)` \| (.+?) \|", table, re.MULTILINE))
    endpoints = app.demo.get_api_info()["named_endpoints"]
    assert set(rows) == set(endpoints)
    for name, endpoint in endpoints.items():
        assert re.findall(r"`(\w+)`", rows[name]) == [one["parameter_name"] for one in endpoint["parameters"]]


def test_every_environment_variable_is_read_somewhere() -> None:
    table = (PROJECT / "docs/api.md").read_text().split("## Environment variables")[1]
    names = {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert len(names) > 5
    sources = [
        PROJECT / "app.py",
        *(p for folder in ("ui", "scraper", "ser_model", "tests") for p in (PROJECT / folder).rglob("*.py")),
    ]
    code = "\n".join(path.read_text() for path in sources)
    assert {name for name in names if name not in code} == set()


def test_the_readme_is_short_and_its_headline_is_measured() -> None:
    readme = (PROJECT / "README.md").read_text()
    uar = json.loads((PROJECT / "results/luna/metrics.json").read_text())["uar"]
    assert f"**{100 * uar:.1f} % UAR" in readme
    assert len(readme.encode()) < 10_240
    assert readme.count("<!-- results:begin -->") == readme.count("<!-- results:end -->") == 1
