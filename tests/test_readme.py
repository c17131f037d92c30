from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from ser_model.evaluation.readme import update_readme


def test_the_figures_are_those_of_the_results(project: Path, tmp_path: Path) -> None:
    copy = shutil.copy(project / "README.md", tmp_path / "README.md")
    assert not update_readme(Path(copy), project / "results"), "run python -m ser_model.evaluation.readme"


def test_the_table_follows_a_change_of_the_results(project: Path, tmp_path: Path) -> None:
    readme = Path(shutil.copy(project / "README.md", tmp_path / "README.md"))
    results = tmp_path / "results" / "luna"
    results.mkdir(parents=True)
    metrics = json.loads((project / "results/luna/metrics.json").read_text())
    (results / "metrics.json").write_text(json.dumps(metrics | {"uar": 0.4321}))
    assert update_readme(readme, results.parent)
    assert "**43.2**" in readme.read_text()


def test_every_file_the_readme_links_to_is_there(project: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (project / "README.md").read_text())
    assert links
    assert all((project / link).exists() for link in links)
