"""`python -m core compare` as a person and a program use it: real processes, models behind an endpoint on loopback."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import settings
from core.workbench import beside
from tests.answering import until
from tests.arena.speaking import Speaking
from tests.test_cli import core, running

SAID = {"owl": "It is 4.", "crow": '{"reason": "shorter", "better": "1"}'}
PROMPTS = "prompt,equals,category\n2 + 2?,4,maths\n=1+1,,\n"


@pytest.fixture
def server(home: Path) -> Iterator[Speaking]:
    """Connected in the data folder that the commands use."""
    with Speaking(**SAID) as speaking:
        workbench = beside(settings.from_environment())
        speaking.connected(workbench)
        workbench.close()
        yield speaking


@pytest.fixture
def prompts(tmp_path: Path) -> str:
    path = tmp_path / "prompts.csv"
    path.write_text(PROMPTS, encoding="utf-8")
    return str(path)


def models(server: Speaking, *names: str) -> str:
    return ",".join(f"{server.base_url}#{name}" for name in names or SAID)


def compared(*arguments: str, code: int = 0) -> Any:
    """The one JSON value that the command writes."""
    done = core("compare", *arguments, "--json")
    assert (done.returncode, done.stderr) == (code, "")
    return json.loads(done.stdout)


def test_models_are_asked_and_compared(server: Speaking, prompts: str) -> None:
    judge = models(server, "crow")
    given = ("--repeat", "2", "--max-tokens", "9", "--temperature", "0", "--seed", "7", "--judge", judge)
    told = compared("--models", models(server), "--prompts", prompts, *given)
    assert [cell["model"] for cell in told["cells"]] == ["owl"] * 4 + ["crow"] * 4
    assert {cell["prompt"] for cell in told["cells"]} == {"2 + 2?", "=1+1"}
    assert [(one["model"], one["done"], one["passed"]) for one in told["models"]] == [
        ("owl", 4, 1.0),
        ("crow", 4, 0.0),
    ]
    assert {cell["cost"] for cell in told["cells"]} == {None}
    assert told["judge"]["model"] == judge
    assert [(one["winner"], one["agreed"]) for one in told["judge"]["verdicts"]] == [("tie", False)] * 4
    asked = [body for body in server.bodies if "question>" not in str(body)]
    assert {body["max_tokens"] for body in asked} == {9}
    assert [body["seed"] for body in asked] == [7, 7, 8, 8] * 2


def test_a_person_reads_a_table(server: Speaking, prompts: str) -> None:
    done = core("compare", "--models", models(server), "--prompts", prompts)
    assert (done.returncode, done.stderr) == (0, "")
    head, owl, _crow = done.stdout.splitlines()
    assert head.split()[:3] == ["MODEL", "ANSWERS", "FAILED"]
    assert owl.split()[:3] == ["owl", "2", "0"]


def test_a_set_that_comes_with_the_workbench_has_a_name(server: Speaking) -> None:
    told = compared("--models", models(server, "owl"), "--prompts", "translation.fr")
    assert len(told["cells"]) == 6
    assert told["cells"][0]["category"] == "translation"


def test_prompts_come_from_standard_input(server: Speaking) -> None:
    done = core("compare", "--models", models(server, "owl"), "--prompts", "-", "--json", stdin="one?\ntwo?\n")
    assert [cell["prompt"] for cell in json.loads(done.stdout)["cells"]] == ["one?", "two?"]


def test_an_answer_that_fails_leaves_the_others(server: Speaking, prompts: str) -> None:
    server.failing.add("owl")
    told = compared("--models", models(server), "--prompts", prompts, code=1)
    assert [cell["status"] for cell in told["cells"]] == ["failed", "failed", "done", "done"]
    assert "owl does not like this" in told["cells"][0]["error"]


def test_what_cannot_be_used_is_said_and_nothing_is_asked(server: Speaking, prompts: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"a,b\n1,2\n")
    for which, file, more, error in (
        (models(server), str(tmp_path / "gone.csv"), (), "PromptsUnreadable"),
        (models(server), str(wrong), (), "ColumnsWrong"),
        ("nobody", prompts, (), "ModelNotFound"),
        (models(server), prompts, ("--judge", "nobody"), "ModelNotFound"),
    ):
        assert compared("--models", which, "--prompts", file, *more, code=1)["error"] == error
    assert server.order == []


@pytest.mark.parametrize("arguments", [("--prompts", "p", "--models", ","), ()])
def test_what_is_not_understood_is_2(home: Path, arguments: tuple[str, ...]) -> None:
    assert core("compare", "--models", "a", *arguments).returncode == 2


def test_ctrl_c_leaves_what_had_come(server: Speaking, prompts: str) -> None:
    server.held.clear()
    with running("compare", "--models", models(server), "--prompts", prompts, "--json") as process:
        until(lambda: server.order)
        os.killpg(process.pid, signal.SIGINT)
        out, _err = process.communicate(timeout=30)
    told = json.loads(out)
    assert process.returncode == 1
    assert [cell["status"] for cell in told["cells"]] == ["waiting"] * 4
    server.held.set()
    workbench = beside(settings.from_environment())
    workbench.batches.start("person", told["batch"])
    assert workbench.batches.wait(told["batch"], 30)
    assert {cell.status for cell in workbench.batches.cells("person", told["batch"])} == {"done"}
    workbench.close()
