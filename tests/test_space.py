"""What a Space and an image need: front matter, a GPU for the comparison alone, no rights, a health check."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import SpaceCard


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
    assert asking == ["rival.py"]


def test_the_image_runs_as_somebody_without_rights_and_tells_its_health(project: Path) -> None:
    lines = (project / "Dockerfile").read_text().splitlines()
    steps = [line.split()[0] for line in lines if line and line[0].isupper()]
    assert {"USER", "HEALTHCHECK", "EXPOSE", "CMD"} <= set(steps)
    assert steps.index("USER") < steps.index("CMD")
    assert "root" not in next(line for line in lines if line.startswith("USER"))
