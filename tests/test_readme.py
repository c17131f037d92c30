from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from ser_model.evaluation.readme import describe_robustness, make_table, update_readme


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


def test_the_robustness_table_follows_its_results(tmp_path: Path) -> None:
    assert describe_robustness(tmp_path) == ""
    rows = [{"group": "small", "unchanged": share} for share in (0.941, 0.998)]
    groups = {"small": {"checks": 10, "passed": 7, "random_rater_passed": 0}}
    bars = {"small": {"what": "share of the small changes passed", "value": 0.7, "bar": 0.8, "holds": False}}
    report = {"command": "x", "clips": 12, "clean_uar": 0.5, "bars": bars, "groups": groups, "rows": rows}
    (tmp_path / "robustness.json").write_text(json.dumps(report))
    table = describe_robustness(tmp_path)
    assert "| 7 of 10 | 0 of 10 | 94 to 100 |" in table
    assert "share of the small changes passed 0.700 (the bar is 0.8: does not hold)" in table


def test_the_original_recipe_stands_in_three_rows_with_the_reason(project: Path, tmp_path: Path) -> None:
    readme = Path(shutil.copy(project / "README.md", tmp_path / "README.md"))
    metrics = json.loads((project / "results/luna/metrics.json").read_text())
    for name, accuracy in {"classic-random-copies": 0.971, "classic-random": 0.651, "classic": 0.421}.items():
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "metrics.json").write_text(json.dumps(metrics | {"accuracy": accuracy}))
    update_readme(readme, tmp_path / "results")
    rows = [line for line in readme.read_text().splitlines() if "original recipe" in line]
    assert [re.findall(r"\| ([\d.]+) \|", row) for row in rows] == [["97.1"], ["65.1"], ["42.1"]]
    sentence = readme.read_text().replace("\n", " ")
    assert "97.1 % of its answers" in sentence
    assert "this is why the headline is by actor" in sentence


def test_every_file_the_readme_links_to_is_there(project: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (project / "README.md").read_text())
    assert links
    assert all((project / link).exists() for link in links)


def test_a_row_of_an_earlier_recipe_says_so(project: Path, tmp_path: Path) -> None:
    luna = json.loads((project / "results/luna/metrics.json").read_text())
    other = luna["settings"] | {"coded_bit_rates": None}
    for settings, said in ((other, True), (luna["settings"] | {"epochs": 3}, False)):
        for name, metrics in (("luna", luna), ("loso", luna | {"settings": settings})):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "metrics.json").write_text(json.dumps(metrics))
        assert ("by an earlier recipe" in make_table(tmp_path)) is said
