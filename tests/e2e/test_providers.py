"""Providers in a real browser: a server on this machine is found, connected with a click and asked in Chat; a key that
is refused is said, corrected, and tested step by step.

What is found is Foundry Local, the one server whose port its own program tells: a double of both, on a free port.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chatting import Workbench, ask, drawn, said, watched, workbench
from tests.models.remote.lists import ACCEPTED_KEY
from tests.models.remote.misbehaving import Misbehaving

pytestmark = [pytest.mark.e2e, pytest.mark.model]


class Foundry(BaseHTTPRequestHandler):
    """Answers as Foundry Local does (Microsoft Learn, "Foundry Local REST API reference"), written from its page."""

    def do_GET(self) -> None:  # the name is http.server's
        known = {
            "/openai/status": {"modelDirPath": "/models", "endpoints": []},
            "/v1/models": {"object": "list", "data": [{"id": "phi-4-mini", "object": "model"}]},
        }
        self._say(json.dumps(known[self.path]).encode() if self.path in known else b"", "application/json")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        deltas = [{"content": word} for word in ("The capital ", "is ", "Paris.")]
        chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in [*chunks, end]] + ["data: [DONE]\n\n"]
        self._say("".join(lines).encode(), "text/event-stream")

    def _say(self, data: bytes, kind: str) -> None:
        self.send_response(200 if data else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def foundry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the program that says where the server is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Foundry)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    folder = tmp_path_factory.mktemp("programs")
    program = folder / "foundry"
    status = f"http://127.0.0.1:{server.server_port}/openai/status"
    program.write_text(f"#!/bin/sh\necho 'Model management service is running on {status}'\n")
    program.chmod(0o755)
    yield folder
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, foundry: Path) -> Iterator[Workbench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{foundry}{os.pathsep}{os.environ['PATH']}")
        with workbench(tmp_path_factory.mktemp("home")) as running:
            yield running


@pytest.fixture
def page(browser: Browser, bench: Workbench) -> Iterator[Page]:
    with watched(browser) as (context, _):
        page = context.new_page()
        page.goto(bench.server.address)
        page.get_by_role("link", name="Providers", exact=True).click()
        yield page
        bench.hush()


@pytest.mark.skipif(os.name == "nt", reason="the double of the program is a shell script")
def test_a_server_on_this_machine_is_found_connected_and_asked(page: Page) -> None:
    found = page.locator('[class*="st-key-here-"]', has_text="Foundry Local")
    expect(found).to_contain_text("1 model")
    found.get_by_role("button", name="Connect").click()
    expect(found).to_contain_text("connected")
    connected = page.locator('[class*="st-key-connected-"]', has_text="Foundry Local")
    expect(connected).to_contain_text("on this machine")
    connected.get_by_text("1 model", exact=True).click()
    expect(connected).to_contain_text("phi-4-mini")
    connected.get_by_role("button", name="Use in Chat").click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value(re.compile("phi-4-mini"))
    ask(page, "What is the capital of France?")
    drawn(page)
    assert said(page) == "The capital is Paris."


def test_a_key_that_is_refused_is_said_and_corrected(page: Page) -> None:
    with Misbehaving() as server:
        page.get_by_text("Other", exact=True).click()
        page.get_by_label("Base URL", exact=True).fill(server.url("lists-for-key"))
        page.get_by_label("Key (optional)", exact=True).fill("sk-wrong-9876543210")
        form = page.get_by_test_id("stForm")
        form.get_by_role("button", name="Connect").click()
        expect(page.get_by_test_id("stAlert")).to_contain_text("did not accept the key")
        expect(page.get_by_label("Base URL", exact=True)).to_have_value(server.url("lists-for-key"))
        page.get_by_label("Key (optional)", exact=True).fill(ACCEPTED_KEY)
        form.get_by_role("button", name="Connect").click()
        connected = page.locator('[class*="st-key-connected-"]', has_text="127.0.0.1")
        expect(connected).to_contain_text("key: until this server stops")
        connected.get_by_role("button", name="Test").click()
        for step in ("Connected", "Key accepted", "Models listed", "First token"):
            expect(connected.get_by_text(step, exact=True)).to_be_visible()
        assert ACCEPTED_KEY not in page.content()
