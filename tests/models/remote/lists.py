"""What the misbehaving server answers to GET …/models, by the name of the behaviour."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.models.remote.misbehaving import Handler

ACCEPTED_KEY = "sk-canary-0123456789"


def of(*models: object) -> Callable[[Handler], None]:
    """A list of these models."""
    return lambda h: h.answer({"object": "list", "data": models})


def plain(data: bytes, kind: str = "application/json") -> Callable[[Handler], None]:
    def behave(h: Handler) -> None:
        h.head(kind=kind)
        h.raw(data)

    return behave


def one(h: Handler) -> None:
    """Whoever only misbehaves in chat has one model."""
    h.answer({"object": "list", "data": [{"id": "tiny", "object": "model"}]})


def for_ever(h: Handler) -> None:
    h.head(kind="application/json")
    h.raw(b'{"data": [')
    while True:
        h.raw(b'{"id": "x"},' * 5000)


def slowly(h: Handler) -> None:
    """A byte now and then, so that no single wait is long."""
    h.head(kind="application/json")
    while not h.home.dropped.wait(0.05):
        h.raw(b" ")


def for_key(h: Handler) -> None:
    if h.headers["authorization"] == f"Bearer {ACCEPTED_KEY}":
        one(h)
    else:
        h.refuse(401, "Invalid API key")


LISTS: dict[str, Callable[[Handler], None]] = {
    "lists-llamacpp": of({"id": "smol", "owned_by": "llamacpp", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}}),
    "lists-many": of(*({"id": f"model-{n}", "owned_by": "vllm", "max_model_len": 512} for n in range(12_000))),
    "lists-none": of(),
    "lists-null": plain(b'{"object": "list", "data": null}'),
    "lists-bare": plain(b'[{"id": "first"}, {"id": "second"}]'),
    "lists-odd": of(
        *({"id": id} for id in ("good", "two\nlines", "back\u202ewards", "\ud800", "", " padded ", "x" * 201, "good")),
        *({"id": id} for id in (5, None, ["a"])),
        *({}, None, "text", 7),
        {"id": "org/name:free #2", "owned_by": ["me"], "meta": 5, "context_length": "much", "context_window": True},
    ),
    "lists-nothing": plain(json.dumps({"status": "ok"}).encode()),
    "lists-text": plain(b'"hello"'),
    "lists-error": plain(json.dumps({"error": {"message": "database is locked", "code": 500}}).encode()),
    "lists-nested": plain(b"[" * 100_000),
    "lists-html": plain(b"<!doctype html><p>Sign in to the hotel's network", "text/html"),
    "lists-no-json": plain(b'{"data": [{"id": "half'),
    "lists-not-utf8": plain(b'{"data": [{"id": "\xff"}]}'),
    "lists-for-ever": for_ever,
    "lists-slowly": slowly,
    "lists-for-key": for_key,
}
