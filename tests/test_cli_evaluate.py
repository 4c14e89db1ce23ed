"""`python -m core evaluate`, as a person and a program use it: real processes, a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gguf.worded import WORDS, text, worded
from tests.test_cli import answered, core

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return worded(tmp_path / "reference.gguf")


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text(text(200), encoding="utf-8")
    return path


def test_the_json_is_what_programs_are_told(tmp_path: Path, reference: Path, words: Path) -> None:
    model = worded(tmp_path / "model.gguf", noise=0.1)
    asked = ["evaluate", str(model), "--text", str(words), "--context", "32"]
    found = answered(*asked, "--reference", str(reference), "--chunks", "3")
    assert list(found) == [
        "perplexity",
        "perplexity_error",
        "chunks",
        "context",
        "kl_divergence",
        "same_top",
        "delta_p_rms",
    ]
    assert list(found["kl_divergence"]) == ["mean", "error", "median", "p99", "p999", "max"]
    assert (found["chunks"], found["context"]) == (3, 32)
    assert 0 < found["kl_divergence"]["median"] <= found["kl_divergence"]["max"] and 0 < found["same_top"] <= 1
    alone = answered(*asked)
    assert alone["chunks"] == 6  # all that the text has
    assert (alone["kl_divergence"], alone["same_top"], alone["delta_p_rms"]) == (None, None, None)


def test_a_person_gets_lines(reference: Path, words: Path) -> None:
    done = core("evaluate", str(reference), "--text", str(words), "--context", "32", "--reference", str(reference))
    assert done.returncode == 0 and done.stderr == ""
    assert "perplexity" in done.stdout and "same top token  100%" in done.stdout


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--context", "512"], "TextTooShort"),
        (["--context", "8"], "SettingInvalid"),
        (["--context", "32", "--reference", "nowhere.gguf"], "ModelNotFound"),
        (["--context", "32", "--text", "nowhere.txt"], "TextUnreadable"),
    ],
)
def test_what_cannot_be_is_said(reference: Path, words: Path, options: list[str], error: str) -> None:
    done = core("evaluate", str(reference), "--text", str(words), *options, "--json")
    assert done.returncode == 1 and f'"error":"{error}"' in done.stdout


def test_another_vocabulary_is_refused(tmp_path: Path, reference: Path, words: Path) -> None:
    other = worded(tmp_path / "other.gguf", words=WORDS[::-1])
    done = core("evaluate", str(other), "--text", str(words), "--context", "32", "--reference", str(reference))
    assert done.returncode == 1 and "do not cut the text into the same tokens" in done.stderr
