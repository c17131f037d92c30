"""Who may import whom, and what the app needs at start."""

from __future__ import annotations

import ast
import graphlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import SpaceCard

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = ("ser_model", "scraper", "ui", "benchmarks", "examples")
FILES = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py")]
MODULES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted([*FILES, PROJECT / "app.py", PROJECT / "train.py"])
}
HEAVY = {"transformers", "datasets", "librosa", "matplotlib", "sklearn", "scipy", "av", "ray", "pandas"}


def statements(tree: ast.AST, inside_functions: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from statements(node, inside_functions)


def imports_of(module: str, inside_functions: bool = True) -> set[str]:
    """All that a module imports; `from package import name` counts as package.name if that is a module of ours."""
    found: set[str] = set()
    for node in statements(ast.parse(MODULES[module].read_text()), inside_functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & MODULES.keys()) or {node.module}
    return found


def is_in(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def forbidden(importers: list[str], *packages: str, inside_functions: bool = True) -> list[str]:
    return [
        f"{module} imports {name}"
        for module in importers
        for name in sorted(imports_of(module, inside_functions))
        if is_in(name, *packages)
    ]


SERVING = [name for name, path in MODULES.items() if path.parent == PROJECT / "ser_model"]
SCRAPER = [name for name in MODULES if is_in(name, "scraper")]


def test_the_model_and_the_scraper_are_independent() -> None:
    assert not forbidden([name for name in MODULES if is_in(name, "ser_model")], "scraper", "ui", "app")
    assert not forbidden(SCRAPER, "ser_model", "ui", "app", "torch")


def test_only_the_page_imports_gradio() -> None:
    assert not forbidden([name for name in MODULES if not is_in(name, "ui", "app")], "gradio")


def test_serving_never_imports_training_or_evaluation() -> None:
    others = [name for name in SERVING if name != "ser_model.__main__"]
    assert not forbidden(others, "ser_model.training", "ser_model.evaluation")
    commands = ["ser_model.__main__"]  # may do so inside its commands
    assert not forbidden(commands, "ser_model.training", "ser_model.evaluation", inside_functions=False)


def test_training_never_imports_evaluation() -> None:
    training = [name for name in MODULES if is_in(name, "ser_model.training")]
    assert training
    assert not forbidden(training, "ser_model.evaluation")


def test_serving_imports_what_is_slow_inside_functions_only() -> None:
    lazy = [name for name in [*SERVING, *SCRAPER] if name != "ser_model.hub"]  # nothing imports the hub's classes
    assert not forbidden(lazy, "transformers", "datasets", "librosa", "matplotlib", inside_functions=False)


def test_no_modules_import_each_other() -> None:
    graph = {module: imports_of(module) & MODULES.keys() for module in MODULES}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_starting_loads_nothing_heavy() -> None:
    code = (
        "import json, sys, scraper.__main__, ser_model.__main__\n"
        "commands = sorted(sys.modules)\n"
        "import app\n"
        "print(json.dumps([commands, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    commands, page = json.loads(done.stdout.splitlines()[-1])
    assert not (HEAVY | {"gradio"}) & set(commands)
    assert not (HEAVY - {"pandas"}) & set(page)  # gradio imports pandas


def test_every_module_has_a_docstring() -> None:
    assert [name for name, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_nothing_is_unpickled() -> None:
    assert not forbidden(list(MODULES), "pickle", "dill", "cloudpickle", "shelve", "marshal")
    calls = re.compile(r"torch\.load\(|joblib\.load\(|read_pickle\(|allow_pickle=True|jsonpickle")
    assert [name for name, path in MODULES.items() if calls.search(path.read_text())] == []


def test_the_space_card_agrees_with_the_requirements() -> None:
    card = SpaceCard.load(PROJECT / "README.md").data
    text = (PROJECT / "requirements.txt").read_text()
    pins = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)", text, re.MULTILINE))
    assert card.sdk_version == pins["gradio"]
    assert str(card.python_version) == "3.12.12"
    assert pins["torch"] == pins["torchaudio"] == "2.11.0"


def test_every_requirement_is_pinned() -> None:
    for path in PROJECT.glob("requirements*.txt"):
        lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
        assert all("==" in line or line.startswith("-r ") for line in lines if line)


def test_the_shipped_weights_are_small() -> None:
    assert (PROJECT / "ser_model/weights/model.safetensors").stat().st_size < 5_000_000
