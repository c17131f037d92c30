"""Who may import whom, how large a room may be, and what the Space needs at start."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard

PROJECT = Path(__file__).resolve().parents[1]
PRODUCT = [
    path
    for folder in ("ser_model", "scraper", "ui", "benchmarks", "examples")
    for path in sorted((PROJECT / folder).rglob("*.py"))
] + [PROJECT / "app.py", PROJECT / "train.py"]
HEAVY = {"transformers", "datasets", "librosa", "matplotlib", "sklearn", "scipy", "av", "ray"}


def list_imports(path: Path) -> set[str]:
    """Every module a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def imports_any(path: Path, *modules: str) -> set[str]:
    return {name for name in list_imports(path) if any(name == m or name.startswith(f"{m}.") for m in modules)}


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_module_says_what_it_is_for_and_is_of_readable_length(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= (150 if path.name == "app.py" else 250)


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_halves_know_nothing_of_each_other(path: Path) -> None:
    home = path.relative_to(PROJECT).parts[0]
    if home == "ser_model":
        assert not imports_any(path, "scraper", "ui", "app", "gradio")
    if home == "scraper":
        assert not imports_any(path, "ser_model", "ui", "app", "gradio", "torch")
    if home not in ("ui", "app.py"):
        assert not imports_any(path, "gradio")


@pytest.mark.parametrize("path", sorted((PROJECT / "ser_model").glob("*.py")), ids=lambda path: path.name)
def test_serving_needs_neither_training_nor_evaluation(path: Path) -> None:
    found = imports_any(path, "ser_model.training", "ser_model.evaluation")
    assert not found or path.name == "__main__.py"
    if path.name == "__main__.py":  # only inside the commands that need them
        top = {node.module for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)}
        assert not top & found


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=120
    ).stdout


@pytest.mark.parametrize("module", ["app", "ser_model.recognize", "ser_model.__main__", "scraper"])
def test_starting_loads_nothing_heavy(module: str) -> None:
    loaded = json.loads(
        run_python(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))").splitlines()[-1]
    )
    assert not HEAVY & set(loaded)
    if not module.startswith("app"):
        assert "gradio" not in loaded


def test_the_space_card_agrees_with_the_requirements() -> None:
    card = SpaceCard.load(PROJECT / "README.md").data
    pins = dict(
        re.findall(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    )
    assert card.sdk_version == pins["gradio"]
    assert str(card.python_version) == "3.12.12"
    assert card.app_file == "app.py"
    assert pins["torch"] == pins["torchaudio"] == "2.11.0"


def test_every_requirement_is_pinned() -> None:
    for path in PROJECT.glob("requirements*.txt"):
        lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
        assert all("==" in line or line.startswith("-r ") for line in lines if line)


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(PROJECT)))
def test_nothing_is_unpickled(path: Path) -> None:
    text = path.read_text()
    assert not imports_any(path, "pickle", "dill", "cloudpickle", "shelve", "marshal")
    assert not re.search(r"torch\.load\(|joblib\.load\(|read_pickle\(|allow_pickle=True|jsonpickle", text)


def test_the_shipped_weights_are_small() -> None:
    assert (PROJECT / "ser_model/weights/model.safetensors").stat().st_size < 5_000_000
