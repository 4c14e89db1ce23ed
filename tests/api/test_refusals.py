"""What the API refuses: each in OpenAI's shape, with the status that its clients understand."""

from __future__ import annotations

import json
import socket

import openai
import psutil
import pytest
from openai import OpenAI

from core import errors
from core.api import refusal
from tests.api.conftest import MODEL
from tests.api.serving import Served

pytestmark = pytest.mark.model

CHAT, COMPLETION, EMBED = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
HI = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}
IMAGE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]

REFUSED = {
    "no JSON": (CHAT, b"{", 400, None, None),
    "nothing": (CHAT, b"", 400, None, None),
    "no UTF-8": (CHAT, b'{"messages": [{"role": "user", "content": "\xff"}]}', 400, None, None),
    "half a surrogate": (CHAT, b'{"messages": [{"role": "user", "content": "\\ud800"}]}', 400, None, None),
    "a list": (CHAT, [1], 400, None, None),
    "deep": (CHAT, b'{"messages": ' + b"[" * 100_000 + b"}", 400, None, None),
    "no messages": (CHAT, {}, 400, None, None),
    "empty messages": (CHAT, {"messages": []}, 400, None, None),
    "messages of another kind": (CHAT, {"messages": "Hi"}, 400, "messages", None),
    "an unknown role": (CHAT, {"messages": [{"role": "god", "content": "Hi"}]}, 400, "messages", None),
    "text for a number": (CHAT, HI | {"max_tokens": "2"}, 400, "max_tokens", None),
    "negative max_tokens": (CHAT, HI | {"max_tokens": -1}, 400, "max_tokens", None),
    "no tokens at all": (CHAT, HI | {"max_tokens": 0}, 400, "max_tokens", None),
    "an endless number": (CHAT, b'{"messages": [{"role":"user","content":"Hi"}], "temperature": 1e999}', 400,
                          "temperature", None),
    "a hot temperature": (CHAT, HI | {"temperature": 1000}, 400, "temperature", None),
    "top_p above 1": (CHAT, HI | {"top_p": 1.5}, 400, "top_p", None),
    "no answers": (CHAT, HI | {"n": 0}, 400, "n", None),
    "too many answers": (CHAT, HI | {"n": 1000}, 400, "n", None),
    "an unknown model": (CHAT, HI | {"model": "gpt-none"}, 404, None, "model_not_found"),
    "an image": (CHAT, {"messages": [{"role": "user", "content": IMAGE}]}, 400, "messages", None),
    "sound": (CHAT, HI | {"modalities": ["text", "audio"]}, 400, "modalities", None),
    "functions": (CHAT, HI | {"functions": [{"name": "f"}]}, 400, "functions", None),
    "a tool that is not offered": (
        CHAT, HI | {"tools": [{"type": "function", "function": {"name": "f"}}],
                    "tool_choice": {"type": "function", "function": {"name": "g"}}}, 400, "tool_choice", None),
    "a format of no kind": (CHAT, HI | {"response_format": {"type": "xml"}}, 400, "response_format", None),
    "a schema that is missing": (CHAT, HI | {"response_format": {"type": "json_schema"}}, 400, "response_format", None),
    "a schema that is none": (CHAT, HI | {"json_schema": {"$ref": "http://example.com/x"}}, 400, None, None),
    "a grammar that is none": (CHAT, HI | {"grammar": "root ::= ("}, 400, None, None),
    "a token that there is not": (CHAT, HI | {"logit_bias": {"999999999": 1}}, 400, "logit_bias", None),
    "a long conversation": (CHAT, {"messages": [{"role": "user", "content": "word " * 9000}]}, 400, None,
                            "context_length_exceeded"),
    "echo": (COMPLETION, {"prompt": "a", "echo": True}, 400, "echo", None),
    "best of many": (COMPLETION, {"prompt": "a", "best_of": 3}, 400, "best_of", None),
    "texts among tokens": (COMPLETION, {"prompt": ["a", 1]}, 400, "prompt", None),
    "no prompt": (COMPLETION, {"prompt": []}, 400, "n", None),
    "an empty prompt": (COMPLETION, {"prompt": ""}, 400, None, None),
    "a token id beyond": (COMPLETION, {"prompt": [10**9]}, 400, None, None),
    "token ids to embed": (EMBED, {"input": [1, 2]}, 400, "input", None),
    "dimensions": (EMBED, {"input": "a", "dimensions": 8}, 400, "dimensions", None),
    "no tokens to spell": ("/detokenize", {"tokens": [10**9]}, 400, None, None),
    "nothing there": ("/v1/images/generations", {"prompt": "a cat"}, 404, None, "unknown_url"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_the_right_words(server: Served, name: str) -> None:
    path, body, status, parameter, code = REFUSED[name]
    got = server.ask(path, body)
    assert got.status == status, got.body
    assert got.headers["content-type"] == "application/json"
    assert got.error.keys() == {"message", "type", "param", "code"}
    assert got.error["type"] == "invalid_request_error" and got.error["message"]
    if parameter is not None:
        assert got.error["param"] == parameter
    if code is not None:
        assert got.error["code"] == code


def test_the_same_with_a_stream(server: Served) -> None:
    for body in (HI | {"max_tokens": -1}, {"messages": [{"role": "user", "content": "word " * 9000}]}):
        assert server.ask(CHAT, body | {"stream": True}).status == 400


def test_the_official_client_knows_what_happened(client: OpenAI) -> None:
    hi = HI["messages"]
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-none", messages=hi)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(model=MODEL, messages=hi, temperature=-1)
    assert wrong.value.param == "temperature"
    with pytest.raises(openai.BadRequestError) as long:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "word " * 9000}], stream=True)
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-none")


@pytest.mark.parametrize("megabytes", [17, 50])
def test_a_large_body_is_refused_and_the_refusal_can_be_read(server: Served, megabytes: int) -> None:
    got = server.ask(CHAT, b'{"messages": "' + b"a" * (megabytes << 20) + b'"}')
    assert (got.status, got.error["code"]) == (413, "body_too_large")


def test_a_body_of_just_under_the_limit_is_read(server: Served) -> None:
    got = server.ask("/v1/embeddings", {"input": "a", "user": "u" * (15 << 20), "model": "none"})
    assert (got.status, got.error["code"]) == (404, "model_not_found")


def test_a_body_that_never_ends_keeps_nobody_waiting(server: Served) -> None:
    slow = socket.create_connection(("127.0.0.1", server.port))
    with slow:
        slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        assert server.ask(CHAT, HI).status == 200


def test_methods_that_are_not_there(server: Served) -> None:
    assert server.ask(CHAT, method="GET").status == 404
    assert server.ask("/v1/models", {}, method="DELETE").status == 404
    preflight = server.ask(CHAT, method="OPTIONS", headers={"Access-Control-Request-Method": "POST"})
    assert preflight.status == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]


def test_what_goes_wrong_in_mid_stream_is_said_in_the_stream(server: Served) -> None:
    """The model's process is killed: what had come stands, and the error in place of [DONE]."""
    body = {"prompt": "Once", "max_tokens": 4000, "ignore_eos": True, "stream": True}
    with server.open(COMPLETION, body) as connection:
        first = connection.recv(65536)
        while b'"text"' not in first:
            first += connection.recv(65536)
        for child in psutil.Process(server.process.pid).children(recursive=True):
            child.kill()
        rest = b""
        while more := connection.recv(65536):
            rest += more
            if rest.endswith(b"0\r\n\r\n"):
                break
    assert b"[DONE]" not in rest
    said = next(line for line in rest.decode().splitlines() if line.startswith('data: {"error"'))
    assert json.loads(said.removeprefix("data: "))["error"]["type"] == "server_error"
    assert server.ask(COMPLETION, {"prompt": "Once", "max_tokens": 2}).status == 200, "it starts anew"


def test_every_kind_of_error_has_a_status() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, errors.WorkbenchError):
            found = next(one for one in kind.__mro__ if one in refusal.KINDS)
            assert refusal.KINDS[found][0] >= 400


def test_a_busy_model_says_when_to_come_again() -> None:
    got = refusal.response(errors.ModelBusy(model="m", waiting=3))
    assert (got.status_code, got.headers["retry-after"]) == (503, "1")
