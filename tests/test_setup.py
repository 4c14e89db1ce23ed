"""Setting up: what counts as a change, and what is said when something is missing. Nothing is installed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import setup


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare clone with requirements of its own."""
    (tmp_path / "requirements.txt").write_text("llama-cpp-python==0.3.36\ntorch==2.13.0\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest==9.2.0\n")
    (tmp_path / setup.NODE_PACKAGES).parent.mkdir(parents=True)
    (tmp_path / setup.NODE_PACKAGES).write_text('{"dependencies": {"openai": "7.57.0"}}')
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(setup, "LOG", tmp_path / ".venv/setup.log")
    return tmp_path


@pytest.fixture
def installed(clone: Path) -> Path:
    """That clone with an interpreter in .venv and the stamp of a finished `run`."""
    setup.PYTHON.parent.mkdir(parents=True)
    setup.PYTHON.symlink_to(sys.executable)
    (setup.VENV / "ready-run").write_text(setup.fingerprint("run"))
    return clone


def test_nothing_is_done_when_nothing_changed(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main(["run"]) == 0
    assert capsys.readouterr().out == ""


def test_a_bare_clone_is_not_ready(clone: Path) -> None:
    assert not setup.is_ready("run")


def test_a_changed_requirement_is_noticed(installed: Path) -> None:
    assert setup.is_ready("run")
    (installed / "requirements.txt").write_text("torch==2.13.1\n")
    assert not setup.is_ready("run")


def test_a_lost_environment_is_noticed(installed: Path) -> None:
    setup.PYTHON.unlink()
    assert not setup.is_ready("run")


def test_requirements_of_the_tests_concern_only_the_tests(clone: Path) -> None:
    before = {purpose: setup.fingerprint(purpose) for purpose in setup.PURPOSES}
    (clone / "requirements-dev.txt").write_text("pytest==9.3.0\n")
    changed = setup.fingerprint("test")
    (clone / setup.NODE_PACKAGES).write_text('{"dependencies": {"openai": "7.58.0"}}')
    assert setup.fingerprint("run") == before["run"]
    assert len({before["test"], changed, setup.fingerprint("test")}) == 3


def test_the_pinned_version_is_the_one_of_the_requirements(clone: Path) -> None:
    assert setup.requirement("llama-cpp-python") == "llama-cpp-python==0.3.36"


def test_an_unknown_purpose_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main(["fly"]) == 2
    assert "run|test" in capsys.readouterr().err


def test_a_failing_step_shows_the_end_of_its_log(clone: Path) -> None:
    setup.VENV.mkdir()
    with pytest.raises(setup.SetupError, match="no such luck"):
        setup.run("a step", [sys.executable, "-c", "import sys; sys.exit('no such luck')"])
    assert not setup.run("a step", [sys.executable, "-c", "import sys; sys.exit(3)"], may_fail=True)


def test_a_step_past_its_limit_is_ended(clone: Path) -> None:
    setup.VENV.mkdir()
    assert not setup.run("a step", [sys.executable, "-c", "input() or __import__('time').sleep(60)"], may_fail=True)
    assert not setup.run("a step", [sys.executable, "-c", "import time; time.sleep(60)"], limit=0.1, may_fail=True)


def test_no_compiler_names_the_package_to_install(clone: Path, tmp_path: Path) -> None:
    """The real script, where pip finds no package at all and PATH holds no compiler."""
    nothing = {"PATH": str(tmp_path), "HOME": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    script = Path(setup.__file__).read_text(encoding="utf-8")
    (clone / "scripts").mkdir()
    (clone / "scripts/setup.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "scripts/setup.py"],
        cwd=clone,
        env=nothing | {"PIP_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for package in ("build-essential", "gcc-c++", "xcode-select", "BuildTools"):
        assert package in done.stderr
