"""What the store gives back, as frozen values, and how they lie in its columns. Knows no SQL.

Times are seconds since 1970, UTC. Text comes back as it was given, NUL bytes included, but for lone surrogates, which
are no characters and become U+FFFD. JSON columns hold what `msgspec.to_builtins` makes of a value; infinities are
written as Python's json does.
"""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any, Literal, TypeVar

import msgspec

from core.attachments import Attachment
from core.events import Finished, Routed, ToolCall, Trimmed
from core.messages import ChatRequest, Role

Status = Literal["complete", "streaming", "cut", "failed"]
"""`streaming`: still coming; `cut`: interrupted, can be continued; `failed`: ended by an error. All keep what came."""

T = TypeVar("T")

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_TITLE_GAPS = re.compile(r"[\s\x00-\x1f\x7f]+")
_TITLE_LENGTH = 60


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its messages. `leaf_id`: last message of the selected path; None while there is none.

    `updated_at`: when a message was last added. `settings`: whatever the page keeps with it, JSON-able.
    `comparison_id`, `pane`: of a pane of a comparison, which is in no list of conversations; `pane` counts from 1.
    """

    id: str
    owner: str
    title: str
    created_at: float
    updated_at: float
    model_id: str | None
    system_prompt: str
    settings: dict[str, Any]
    leaf_id: str | None
    comparison_id: str | None = None
    pane: int | None = None


class ConversationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line in the list of conversations."""

    id: str
    title: str
    created_at: float
    updated_at: float
    model_id: str | None


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A question or an answer in a conversation's tree. `parent_id` is None for a first question.

    The fields from `model_id` on are an answer's. `answer_id`: the running answer's, for following it. `request`: what
    was asked, without the conversation's own messages (they are the path up to here) but for what the answer already
    said when it was asked to go on. `error`: a `WorkbenchError.to_dict()`. `routed`: whom a route chose, and why; then
    `model_id` and `model_name` are that model's. A field that this version cannot read is None, as is one not known.
    `edited_at`: when a person last changed the text in place.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    content: str
    reasoning: str
    created_at: float
    status: Status
    model_id: str | None = None
    model_name: str | None = None
    answer_id: str | None = None
    request: ChatRequest | None = None
    finished: Finished | None = None
    error: dict[str, Any] | None = None
    trimmed: Trimmed | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    edited_at: float | None = None
    routed: Routed | None = None


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A message and all below it, taken out of its conversation: rows as they stood, the message's first.

    `leaf_id`: the last message of the path that was selected.
    """

    conversation_id: str
    leaf_id: str | None
    rows: tuple[dict[str, Any], ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One finished answer or measurement. `figures`: a `Finished`, or what was measured, as plain JSON values."""

    id: str
    owner: str
    at: float
    kind: str
    model_id: str
    figures: dict[str, Any]


def conversation(row: sqlite3.Row) -> Conversation:
    """A row of `conversations`."""
    return Conversation(**{**dict(row), "settings": from_json(row["settings"], dict[str, Any]) or {}})


def message(row: sqlite3.Row) -> StoredMessage:
    """A row of `messages`."""
    read: dict[str, Any] = {
        "request": from_json(row["request"], ChatRequest),
        "finished": from_json(row["finished"], Finished),
        "error": from_json(row["error"], dict[str, Any]),
        "trimmed": from_json(row["trimmed"], Trimmed),
        "tool_calls": from_json(row["tool_calls"], tuple[ToolCall, ...]) or (),
        "attachments": from_json(row["attachments"], tuple[Attachment, ...]) or (),
        "routed": from_json(row["routed"], Routed),
    }
    plain: dict[str, Any] = {name: row[name] for name in StoredMessage.__struct_fields__ if name not in read}
    return StoredMessage(**plain, **read)


def run(row: sqlite3.Row) -> Run:
    """A row of `runs`."""
    return Run(**{**dict(row), "figures": from_json(row["figures"], dict[str, Any]) or {}})


def clean(text: str) -> str:
    """The text as UTF-8 can hold it."""
    return _LONE_SURROGATES.sub("\ufffd", text)


def to_json(value: Any) -> str:
    """A column's text. What JSON has no form for becomes its `str`."""
    plain = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
    return clean(json.dumps(plain, ensure_ascii=False))


def from_json(text: str | None, kind: type[T]) -> T | None:
    """The value `to_json` wrote. None where nothing is written, or in a form that this version does not know."""
    if text is None:
        return None
    try:
        return msgspec.convert(json.loads(text), kind, str_keys=True)
    except (ValueError, msgspec.ValidationError):
        # A figure of another version is no reason for a conversation not to open.
        return None


def title_of(text: str) -> str:
    """The first words of a question, at most 60 characters, cut at a word where there is one."""
    line = _TITLE_GAPS.sub(" ", clean(text)).strip()
    if len(line) <= _TITLE_LENGTH:
        return line
    words, _, _ = line[:_TITLE_LENGTH].rpartition(" ")
    return (words or line[: _TITLE_LENGTH - 1]).rstrip() + "…"
