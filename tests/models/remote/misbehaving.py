"""An OpenAI-compatible server on loopback that misbehaves on command: the first part of the path says how.

    with Misbehaving() as server:
        model = RemoteModel(info, server.url("cut"), key)

`server.asked` holds what came, `server.dropped` is set when a client has gone while it was being answered.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.models.remote import counting, lists

USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
WORDS = ("The ", "capital ", "is Paris.")
MEGABYTE = "é" * 500_000
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: Any


class Handler(BaseHTTPRequestHandler):
    """One request. `say` and its kin write; what they write to a client that has gone is an `OSError`."""

    protocol_version = "HTTP/1.1"
    home: Misbehaving

    def do_POST(self) -> None:  # the name is http.server's
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.behave(BEHAVIOURS, body)

    def do_GET(self) -> None:
        self.behave(LISTS, None)

    def behave(self, ways: dict[str, Behaviour], body: Any) -> None:
        self.home.asked.append(Asked(self.path, {n.lower(): v for n, v in self.headers.items()}, body))
        self.close_connection = True
        try:
            ways.get(self.path.split("/")[1], lists.one)(self)
        except OSError:
            self.home.dropped.set()

    def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()

    def raw(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def event(self, value: object) -> None:
        self.raw(b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n")

    def say(self, *texts: str) -> None:
        for text in texts:
            self.event(delta(content=text))

    def done(self, reason: str = "stop", usage: object = USAGE, **more: object) -> None:
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if usage is not None:
            self.event({"choices": [], "usage": usage, **more})
        self.raw(b"data: [DONE]\n\n")

    def refuse(self, status: int, message: str = "no", **headers: str) -> None:
        self.answer({"error": {"message": message, "code": None}}, status, **headers)

    def answer(self, value: object, status: int = 200, **headers: str) -> None:
        data = json.dumps(value).encode()
        self.head(status, "application/json", Content_Length=str(len(data)), **headers)
        self.raw(data)

    def until_dropped(self) -> None:
        """Holds the connection open, saying nothing, until the client closes it."""
        self.connection.settimeout(LONGEST_WAIT_S)
        with suppress(OSError):
            self.connection.recv(1)
        self.home.dropped.set()

    def reset(self) -> None:
        """Ends the connection with a reset, as a process that is killed does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Misbehaving:
    """The server, running in a thread while the block lasts."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.dropped = threading.Event()
        handler = type("Handler", (Handler,), {"home": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True

    def url(self, behaviour: str) -> str:
        """The base URL at which it behaves that way."""
        assert behaviour in BEHAVIOURS or behaviour in LISTS
        return f"http://127.0.0.1:{self._server.server_port}/{behaviour}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def delta(**fields: object) -> dict[str, object]:
    """A chunk with these fields in its delta."""
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def stream(*deltas: dict[str, object], reason: str = "stop", usage: object = USAGE, **more: object) -> Behaviour:
    """A well-behaved stream of these deltas."""

    def behave(h: Handler) -> None:
        h.head()
        for fields in deltas:
            h.event(delta(**fields))
        h.done(reason, usage, **more)

    return behave


def refusal(status: int, message: str, **headers: str) -> Behaviour:
    return lambda h: h.refuse(status, message, **headers)


def after_words(*pieces: bytes) -> Behaviour:
    """Three words, then these bytes as they are, and the end of the connection."""

    def behave(h: Handler) -> None:
        h.head()
        h.say(*WORDS)
        for piece in pieces:
            h.raw(piece)

    return behave


def plain(kind: str, data: bytes) -> Behaviour:
    def behave(h: Handler) -> None:
        h.head(kind=kind)
        h.raw(data)

    return behave


def first_refuse(status: int, times: int, **headers: str) -> Behaviour:
    """Refuses so many times, then answers well."""

    def behave(h: Handler) -> None:
        if len(h.home.asked) <= times:
            h.refuse(status, "busy", **headers)
        else:
            BEHAVIOURS["well"](h)

    return behave


def rejects_usage(h: Handler) -> None:
    if "stream_options" in h.home.asked[-1].body:
        h.refuse(400, "Unknown parameter: 'stream_options'.")
    else:
        stream({"content": "ok"}, usage=None)(h)


def echo_key(h: Handler) -> None:
    sent = h.headers["authorization"]
    h.refuse(401, f"Incorrect API key provided: {sent.removeprefix('Bearer ')} in {sent}.")


def never_answers(h: Handler) -> None:
    h.until_dropped()


def stalls(h: Handler) -> None:
    h.head()
    h.say(*WORDS)
    h.until_dropped()


def lingers(h: Handler) -> None:
    """Ends its answer, and keeps the connection open without the mark of the end."""
    h.head()
    h.say(*WORDS)
    h.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE})
    h.until_dropped()


def resets(h: Handler) -> None:
    h.head()
    h.say(*WORDS)
    h.reset()


def cut_by_length(h: Handler) -> None:
    """Promises more bytes than it sends."""
    h.head(Content_Length="100000")
    h.say(*WORDS)


def trickles(h: Handler) -> None:
    """One byte a write, two a pause, in the middle of characters too; comments between."""
    h.head()
    for text in ("é", "🙂 ", "ﷺ"):
        for byte in b": alive\r\n\r\n" + b"data: " + json.dumps(delta(content=text), ensure_ascii=False).encode():
            h.raw(bytes([byte]))
        h.raw(b"\r\n\r\n")
    h.done()


def endless(h: Handler) -> None:
    h.head()
    while True:
        h.say("more ")


def endless_line(h: Handler) -> None:
    h.head()
    h.say(*WORDS)
    h.raw(b"data: ")
    while True:
        h.raw(b"x" * 65_536)


def endless_error(h: Handler) -> None:
    h.head(500, "text/plain")
    while True:
        h.raw(b"x" * 65_536)


def in_one_piece(h: Handler) -> None:
    message = {"role": "assistant", "content": "".join(WORDS)}
    h.answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE})


def keeps(first: Iterable[dict[str, object]], last: object) -> Behaviour:
    """These deltas, then an event that is no chunk."""

    def behave(h: Handler) -> None:
        h.head()
        for fields in first:
            h.event(delta(**fields))
        h.event(last)

    return behave


Behaviour = Callable[[Handler], None]

SAID = tuple({"content": word} for word in WORDS)
HTML = b"<!doctype html><html><body>Sign in to the hotel's network</body></html>"

BEHAVIOURS: dict[str, Behaviour] = {
    "well": stream({"role": "assistant", "content": ""}, *SAID),
    "refuses-400": refusal(400, "temperature must be below 2"),
    "refuses-401": refusal(401, "Invalid API key"),
    "refuses-402": refusal(402, "Insufficient balance"),
    "refuses-403": refusal(403, "Your country is not supported."),
    "refuses-404": refusal(404, "model 'x' not found"),
    "refuses-422": lambda h: h.answer({"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs"}]}, 422),
    "refuses-429": refusal(429, "Too many requests", Retry_After="3600"),
    "refuses-429-bare": refusal(429, "Too many requests"),
    "no-quota": lambda h: h.answer({"error": {"message": "No quota", "code": "insufficient_quota"}}, 429),
    "refuses-500": refusal(500, "Traceback: boom"),
    "refuses-503": refusal(503, "Loading model"),
    "refuses-html": lambda h: plain_error(h, HTML),
    "refuses-overflow": lambda h: h.answer(
        {"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}}, 400
    ),
    "busy-once-429": first_refuse(429, 1, Retry_After="0"),
    "busy-once-503": first_refuse(503, 1, Retry_After="0"),
    "busy-thrice": first_refuse(429, 3, Retry_After="0"),
    "wait": refusal(429, "later", Retry_After="20"),
    "echo-key": echo_key,
    "rejects-usage": rejects_usage,
    "redirects": lambda h: h.refuse(307, "gone", Location=h.home.url("well") + "/chat/completions?key=secret"),
    "never-answers": never_answers,
    "no-status": lambda h: h.reset(),
    "stalls": stalls,
    "lingers": lingers,
    "resets": resets,
    "cut": after_words(),
    "cut-in-event": after_words(b'data: {"choices": [{"delta": {"con'),
    "cut-by-length": cut_by_length,
    "cut-thinking": keeps([{"content": "<think>Let me "}, {"content": "see</th"}], {"choices": []}),
    "half-tag": keeps([{"content": " <thi"}], {"choices": []}),
    "not-json": after_words(b"data: {not json}\n\n", b"data: [DONE]\n\n"),
    "not-utf8": after_words(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'),
    "wrong-types": keeps(SAID, {"choices": [{"delta": {"content": ["a", "list"]}}]}),
    "nested": after_words(b'data: {"usage": ' + b"[" * 100_000 + b"\n\n"),
    "error-event": keeps(SAID, {"error": {"message": "CUDA out of memory", "code": 500}}),
    "error-event-429": keeps(SAID, {"error": {"message": "slow down", "code": 429}}),
    "error-object": keeps(SAID, {"object": "error", "message": "engine is dead"}),
    "error-reason": stream(*SAID, reason="error"),
    "error-200": lambda h: h.answer({"error": "model is gone"}),
    "no-usage": stream(*SAID, usage=None),
    "zero-usage": stream(*SAID, usage={"prompt_tokens": 0, "completion_tokens": 0}),
    "mad-usage": stream(*SAID, usage={"prompt_tokens": -4, "completion_tokens": "many"}),
    "empty-choices": keeps([], {"choices": []}),
    "null-choices": plain("text/event-stream", b'data: {"choices": null}\n\ndata: [DONE]\n\n'),
    "empty-body": plain("text/event-stream", b""),
    "no-text": stream({"role": "assistant"}, usage={"prompt_tokens": 11, "completion_tokens": 0}),
    "no-reason": after_words(b"data: [DONE]\n\n"),
    "no-done": after_words(b'data: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n'),
    "html": plain("text/html", HTML),
    "wrong-type": lambda h: (h.head(kind="text/html"), h.say(*WORDS), h.done())[-1],
    "in-one-piece": in_one_piece,
    "megabyte": stream({"content": MEGABYTE}),
    "trickles": trickles,
    "endless": endless,
    "endless-line": endless_line,
    "endless-error": endless_error,
    **counting.COUNTS,
}


LISTS: dict[str, Behaviour] = lists.LISTS | {
    name: BEHAVIOURS[name]
    for name in ("refuses-401", "refuses-404", "refuses-503", "echo-key", "never-answers", "redirects", "no-status")
}
"""Of GET …/models; all others list one model."""


def plain_error(h: Handler, data: bytes) -> None:
    h.head(502, "text/html")
    h.raw(data)
