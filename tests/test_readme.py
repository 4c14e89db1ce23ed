"""What README.md and docs/ say is so: the layout, the commands, the links, the figures' names."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str, text: str = README) -> list[str]:
    """The code blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(start: str) -> list[str]:
    """The commands in README's shell blocks that begin so."""
    return [line for block in blocks("sh") for line in block.splitlines() if line.startswith(start)]


def ignored() -> set[str]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return {".git", *(line.strip("/ ") for line in lines)}


def test_the_layout_is_the_one_there_is() -> None:
    drawn = {line.split()[0].rstrip("/") for line in blocks("text")[0].splitlines()}
    assert drawn == {path.name for path in ROOT.iterdir()} - ignored()


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"run", "test"} <= named <= targets


@pytest.mark.skipif(not (ROOT / "core/__main__.py").exists(), reason="there is no command line yet")
@pytest.mark.parametrize("command", commands(".venv/bin/python -m core"))
def test_every_command_is_understood(command: str) -> None:
    """Each with --help: its subcommand exists, and so do its options."""
    words = shlex.split(command)[1:]
    asked = subprocess.run(
        [sys.executable, *words[:3], "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    assert [word for word in words if word.startswith("--") and word not in asked.stdout] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [one for one in targets if "://" not in one and not (page.parent / one).exists()] == []


def test_environment_variables_are_those_of_the_settings() -> None:
    settings = (ROOT / "core/settings.py").read_text(encoding="utf-8")
    assert set(re.findall(r"`(WORKBENCH_\w+)`", README)) == set(re.findall(r"WORKBENCH_\w+", settings))


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        wanted = [line for line in lines if line and not line.startswith(("#", "-r"))]
        assert [line for line in wanted if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9.]*", line)] == []
        assert wanted == sorted(wanted, key=lambda line: line.split("==")[0].lower())


def test_the_oldest_python_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    assert f"Python {oldest} or newer" in README
    assert f"OLDEST = ({oldest.replace('.', ', ')})" in (ROOT / "scripts/setup.py").read_text(encoding="utf-8")
