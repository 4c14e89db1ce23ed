"""`python -m core serve` as a program and a person start and end it; and the API on the pages' port."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from openai import OpenAI

from tests.api.conftest import MODEL
from tests.api.serving import PATIENCE_S, ROOT, Served, serve, until
from tests.e2e import serving as pages

LONG = {"prompt": "Once upon a time", "max_tokens": 4000, "ignore_eos": True, "stream": True}
HI = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("address", [("127.0.0.1", None), ("no.such.host.invalid", "0"), ("127.0.0.1", "70000")])
def test_an_address_that_cannot_be_had(address: tuple[str, str | None]) -> None:
    host, port = address
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = ["serve", "--json", "--host", host, "--port", port or str(taken.getsockname()[1])]
        done = subprocess.run(
            [sys.executable, "-m", "core", *command], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S
        )
    said = json.loads(done.stdout)
    assert (done.returncode, said["error"]) == (1, "AddressTaken")
    assert host in said["message"] and said["hint"]


@pytest.mark.model
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to_also_in_mid_answer(tmp_path: Path, ending: signal.Signals) -> None:
    with serve(tmp_path) as server:
        with server.open("/v1/completions", LONG) as connection:
            assert b"data: " in connection.recv(65536) + connection.recv(65536)
            (worker,) = psutil.Process(server.process.pid).children(recursive=True)
            server.process.send_signal(ending)
            server.process.wait(PATIENCE_S)
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.model
def test_the_pages_server_has_the_same_api(tmp_path: Path) -> None:
    environ = {"WORKBENCH_HOME": str(tmp_path / "home")}
    with pages.serve("app.py", "--server.baseUrlPath=lab", base="lab/", environ=environ) as running:
        base = f"http://127.0.0.1:{running.port}/lab/v1"
        with OpenAI(base_url=base, api_key="none", max_retries=0) as client:
            assert MODEL in [model.id for model in client.models.list()]
            stream = client.chat.completions.create(model=MODEL, messages=HI, max_tokens=4, stream=True)
            assert [chunk.choices[0].finish_reason for chunk in stream][-1] in ("stop", "length")
        assert len(running.workers()) == 1
        server = Served(base, running.process)  # type: ignore[arg-type]
        assert server.ask("/lab/health").json == {"status": "ok"}
        assert b"workbench_requests_total" in server.ask("/lab/metrics").body
        assert server.ask("/lab/v1/nothing").error["code"] == "unknown_url"
        assert server.ask("/lab/v1/models", headers={"Origin": "http://evil.example"}).status == 403
        assert server.ask("/lab/v1/models", headers={"Host": "evil.example"}).status == 403
        assert b"<html" in server.ask("/lab/").body.lower(), "the pages are there as well"


def test_the_pages_server_with_a_key(tmp_path: Path) -> None:
    key = "wb-key-0123456789"
    environ = {"WORKBENCH_HOME": str(tmp_path / "home"), "WORKBENCH_API_KEY": key}
    with pages.serve("app.py", environ=environ) as running:
        server = Served(f"http://127.0.0.1:{running.port}/v1", running.process)  # type: ignore[arg-type]
        assert server.ask("/v1/models").status == 401
        assert server.ask("/v1/models", headers={"Authorization": f"Bearer {key}"}).status == 200
