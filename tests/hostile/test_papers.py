"""The papers agree with the project: licences with the requirements, threats with the tests that hold them."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.licences import FINE, read_requirements


def test_every_dependency_has_a_licence_that_fits(project: Path) -> None:
    text = (project / "docs/licences.md").read_text()
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (yes)? *\| (.+) \|$", text, re.MULTILINE)
    listed = {name: version for name, version, direct, _ in rows if direct}
    pinned = {
        line.name.lower().replace("_", "-"): str(line.specifier)[2:]
        for line in read_requirements(project / "requirements.txt")
    }
    assert listed == pinned, "run python -m benchmarks.licences"
    assert [name for name, _, _, licence in rows if not FINE.search(licence)] == []


def test_every_test_that_the_threats_name_is_there(project: Path) -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", (project / "docs/threats.md").read_text()))
    assert len(named) > 8
    assert [name for name in sorted(named) if not (project / name).is_file()] == []
