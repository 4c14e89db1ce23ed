"""Snippets run as they are: by a real shell, interpreter and Node, against a server that notes what arrives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core import snippets
from core.errors import EmptyPrompt
from core.events import Finished, Text, Usage
from core.messages import ChatRequest, Message, Sampling
from core.models.base import ModelInfo
from core.models.remote.client import RemoteModel
from core.models.replay import Replay
from core.snippets import ExactRequest
from tests.models.remote.misbehaving import Misbehaving

KEY = "sk-canary-0123456789"
FAR = ModelInfo(id="far#tiny", name="tiny", provider="Far Away", local=False)
HERE = ModelInfo(id="/models/it's here.gguf", name="Here", provider="this machine", local=True, context_length=2048)
HARD = (
    "it's \"quoted\" `ls` $HOME ${HOME} $(id) !! !$ %PATH% \\ \\n \\\\ 'JSON'",
    "line\nJSON\nEOF\n\r\n\ttab \x00\x1b\x7f end",
    "é 👩🏽‍🚀 ما هي \u2028\u2029\ufeff </script> ${`x`} {{}} {0} %s",
    "'''\"\"\"''' */ // # --",
    "x" * 200_000,
)
REQUEST = ChatRequest(
    messages=(
        Message("system", "Be brief."),
        *(Message("user", text) for text in HARD),
        Message("assistant", "Well, "),
    ),
    sampling=Sampling(temperature=0.3, seed=7, logit_bias={17: -2.5}),
    max_tokens=5,
    stop=("\n\n", "'\"!"),
    json_schema={"type": "object", "properties": {"__proto__": {"type": "string"}, 'a"__proto__': {}}, "x": None},
    logprobs=2,
    continue_last=True,
)
GRAMMAR = ChatRequest(messages=(Message("user", "Hi!"),), grammar='root ::= "a" | "\\n" [^"\\x00]')


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running


def remote(server: Misbehaving) -> RemoteModel:
    return RemoteModel(FAR, server.url("well"), KEY)


def run(command: list[str], text: str | None = None) -> str:
    environment = {**os.environ, snippets.KEY: KEY, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, input=text, text=True, capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_shell(request: ExactRequest, folder: Path) -> str:
    return run(["sh", "-s"], snippets.as_curl(request))


def with_interactive_bash(request: ExactRequest, folder: Path) -> str:
    return run(["bash", "--norc", "-i"], "set -o history -o histexpand\necho before\n" + snippets.as_curl(request))


def with_python(request: ExactRequest, folder: Path) -> str:
    program = folder / "ask.py"
    program.write_text(snippets.as_python(request), encoding="utf-8")
    return run([sys.executable, str(program)])


def with_node(request: ExactRequest, folder: Path) -> str:
    program = folder / "ask.js"
    program.write_text(snippets.as_javascript(request), encoding="utf-8")
    return run(["node", str(program)])


RUNNERS: list[Any] = [
    pytest.param(with_shell, marks=pytest.mark.skipif(not shutil.which("curl"), reason="no curl")),
    pytest.param(
        with_interactive_bash,
        marks=pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="no curl or no bash"),
    ),
    with_python,
    pytest.param(with_node, marks=pytest.mark.skipif(not shutil.which("node"), reason="no node")),
]


@pytest.mark.parametrize("runner", RUNNERS)
def test_what_a_snippet_sends_is_what_the_model_was_sent(
    server: Misbehaving, tmp_path: Path, runner: Callable[[ExactRequest, Path], str]
) -> None:
    model = remote(server)
    list(model.stream(REQUEST))
    request = snippets.exact(model, REQUEST, own_api="http://localhost:1/v1")
    assert "capital" in runner(request, tmp_path)
    sent, again = server.asked
    assert again.body == sent.body == request.body
    assert again.path == sent.path
    assert again.headers["authorization"] == sent.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_local_request_goes_to_our_own_api_with_all_its_parameters(
    server: Misbehaving, tmp_path: Path, runner: Callable[[ExactRequest, Path], str]
) -> None:
    end = Finished("stop", Usage(prompt_tokens=1, generated_tokens=1))
    model = Replay(HERE, (Text("Hi"), end))
    request = snippets.exact(model, GRAMMAR, own_api=server.url("well"))
    assert request.local and request.body["model"] == HERE.id
    assert request.body["grammar"] == GRAMMAR.grammar and request.body["top_k"] == 40
    runner(request, tmp_path)
    (arrived,) = server.asked
    assert arrived.body == json.loads(snippets.as_json(request)) and arrived.path.endswith("/v1/chat/completions")


def test_json_is_the_body_as_it_is_sent(server: Misbehaving) -> None:
    request = snippets.exact(remote(server), REQUEST, own_api="")
    assert json.loads(snippets.as_json(request)) == request.body
    assert "é 👩🏽‍🚀" in snippets.as_json(request)


def test_no_snippet_holds_the_key(server: Misbehaving) -> None:
    request = snippets.exact(remote(server), REQUEST, own_api="")
    for write in (snippets.as_json, snippets.as_curl, snippets.as_python, snippets.as_javascript):
        assert KEY not in write(request)


def test_a_request_that_cannot_be_sent_is_refused(server: Misbehaving) -> None:
    for model in (remote(server), Replay(HERE, ())):
        with pytest.raises(EmptyPrompt):
            snippets.exact(model, ChatRequest(), own_api="http://localhost:1/v1")
