"""`python -m core hub` as a person and a program use it: real processes, a Hub on loopback."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.models.remote.permit import LOCAL_ONLY
from core.store.database import Database
from core.store.providers import Providers
from tests.e2e.serving import ROOT, free_port, hears_ctrl_c, until
from tests.hub.local_hub import TOKEN, Fault, LocalHub, Repo

PATIENCE_S = 60


class Program:
    """The command line over one data folder and one Hub."""

    def __init__(self, home: Path, hub: str) -> None:
        self.home = home
        self.environ = {**os.environ, "WORKBENCH_HOME": str(home), "HF_ENDPOINT": hub, "HF_HOME": str(home / "hf")}
        self.environ.pop("HF_HUB_OFFLINE", None)

    def start(self, *arguments: str, limit: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "core", "hub", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=pipe, stderr=pipe, encoding="utf-8", preexec_fn=limit
        )

    def run(self, *arguments: str, limit: Callable[[], None] | None = None) -> tuple[int, str, str]:
        process = self.start(*arguments, limit=limit)
        out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def answered(self, *arguments: str, code: int = 0) -> Any:
        """The one JSON value it writes."""
        returned, out, err = self.run(*arguments, "--json")
        assert (returned, err) == (code, ""), err
        return json.loads(out)


@pytest.fixture
def program(tmp_path: Path, local: LocalHub) -> Program:
    return Program(tmp_path / "home", local.url)


@pytest.fixture
def served(local: LocalHub, model: bytes) -> Repo:
    files = {"tiny-Q4_0.gguf": model, "tiny-Q8_0.gguf": model + bytes(4096)}
    return local.add(Repo("org/tiny-GGUF", files, downloads=7, card={"license": "mit"}, gguf={"total": 20_000}))


def test_search_and_files(served: Repo, program: Program) -> None:
    (found,) = program.answered("search", "tiny", "--author", "org")
    assert (found["id"], found["downloads"], found["licence"], found["parameters"]) == (served.id, 7, "mit", 20_000)
    assert program.answered("search", "tiny", "--at-least", "1.5") == []
    assert len(program.answered("search", "tiny", "--at-most", "0.5")) == 1
    told = program.answered("files", served.id)
    assert [one["label"] for one in told["variants"]] == ["Q4_0", "Q8_0"]
    first = told["variants"][0]
    assert first["size"] == first["files"][0]["size"] == len(served.files["tiny-Q4_0.gguf"])
    assert first["advice"]["exact"] and first["advice"]["verdict"] == "fits" and first["advice"]["tokens_per_s"] > 0
    assert told["pace"]["measured"] is False and (program.home / "bandwidth.json").exists()


def test_the_tables_say_the_same(served: Repo, program: Program) -> None:
    code, out, _ = program.run("search", "tiny")
    assert code == 0 and "org/tiny-GGUF" in out and "mit" in out
    code, out, err = program.run("files", served.id)
    assert code == 0 and "Q8_0" in out and "fits" in out and "≤" in out
    assert "memory bandwidth" in err


def test_a_file_on_the_hub_is_inspected_by_its_header_alone(
    served: Repo, program: Program, local: LocalHub, tmp_path: Path
) -> None:
    here = tmp_path / "here.gguf"
    here.write_bytes(served.files["tiny-Q4_0.gguf"])

    def inspected(place: str) -> Any:
        command = [sys.executable, "-m", "core", "gguf", place, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=program.environ, capture_output=True, check=True)
        return {name: value for name, value in json.loads(done.stdout).items() if name != "path"}

    assert inspected(f"hf://{served.id}/tiny-Q4_0.gguf") == inspected(str(here))
    assert all(local.ranges("tiny-Q4_0.gguf"))


def test_a_download_is_a_model_afterwards(served: Repo, program: Program) -> None:
    told = program.answered("download", served.id, "q4_0")
    assert Path(told["path"]).read_bytes() == served.files["tiny-Q4_0.gguf"]
    command = [sys.executable, "-m", "core", "models", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=program.environ, capture_output=True, check=True)
    assert json.dumps(told["path"]).encode() in done.stdout


@pytest.mark.faults
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_download_goes_on_where_it_was(
    served: Repo, program: Program, local: LocalHub, end: signal.Signals
) -> None:
    served.fault = Fault(times=1, pause_s=0.5)
    process = program.start("download", served.id, "Q4_0", limit=hears_ctrl_c)
    part = program.home / "models" / served.id / "tiny-Q4_0.gguf.part"
    until(lambda: part.exists() and part.stat().st_size > 0)
    process.send_signal(end)
    process.communicate(timeout=PATIENCE_S)
    here = part.stat().st_size
    assert 0 < here < len(served.files["tiny-Q4_0.gguf"])
    told = program.answered("download", served.id, "Q4_0")
    assert Path(told["path"]).read_bytes() == served.files["tiny-Q4_0.gguf"]
    assert local.ranges("tiny-Q4_0.gguf") == ["", f"bytes={here}-"] and not part.exists()


@pytest.mark.faults
def test_a_disk_that_takes_no_more_is_said_and_what_came_stays(served: Repo, program: Program) -> None:
    """A limit on the size of files stands for the full disk: writing fails in the same place."""
    assert program.run("search", "x")[0] == 0  # what is kept has been made
    most = len(served.files["tiny-Q4_0.gguf"]) // 2

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    code, out, err = program.run("download", served.id, "Q4_0", limit=limit)
    assert code == 1 and out == "" and "cannot be written to" in err and "Traceback" not in err
    told = program.answered("download", served.id, "Q4_0")
    assert Path(told["path"]).read_bytes() == served.files["tiny-Q4_0.gguf"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("files", "org/nothing"), "HubNotFound"),
        (("files", "nothing"), "NameInvalid"),
        (("download", "org/tiny-GGUF", "Q2_K"), "HubNotFound"),
    ],
)
def test_what_is_not_there_is_an_error(served: Repo, program: Program, arguments: tuple[str, ...], error: str) -> None:
    told = program.answered(*arguments, code=1)
    assert told["error"] == error and told["hint"]


def test_offline_is_said_at_once(served: Repo, program: Program, local: LocalHub) -> None:
    program.environ["HF_HUB_OFFLINE"] = "1"
    assert program.answered("search", "tiny", code=1)["error"] == "HubOffline" and local.asked == []
    del program.environ["HF_HUB_OFFLINE"]
    program.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
    assert program.answered("search", "tiny", code=1)["error"] == "HubUnreachable"


def test_local_only_holds_for_commands_too(program: Program) -> None:
    program.environ["HF_ENDPOINT"] = "https://hub.example.org"
    program.home.mkdir()
    database = Database(program.home / "workbench.db")
    Providers(database).set_preference("person", LOCAL_ONLY, True)
    database.close()
    assert program.answered("search", "tiny", code=1)["error"] == "LocalOnly"


def test_the_token_is_sent_and_never_shown(served: Repo, program: Program, local: LocalHub) -> None:
    served.gated = "manual"
    told = program.answered("download", served.id, "Q4_0", code=1)
    assert told["error"] == "HubGated" and f"{local.url}/{served.id}" in told["hint"]
    program.environ["HF_TOKEN"] = TOKEN
    code, out, err = program.run("download", served.id, "Q4_0", "--json")
    assert code == 0 and TOKEN not in out + err
    kept = [path for path in program.home.rglob("*") if path.is_file()]
    assert kept and not any(TOKEN.encode() in path.read_bytes() for path in kept)
