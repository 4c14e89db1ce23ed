"""Open WebUI's export of one chat or all of them: a list of

    {id, title, created_at, updated_at, pinned, meta: {tags},
     chat: {title, system | params: {system}, messages: […],
            history: {currentId, messages: {id: {id, parentId, role, content, timestamp, model, modelName, …}}}}}

Read from its source (backend/open_webui/models/chats.py, utils/middleware.py). Reasoning stands in the content as
`<details type="reasoning">`, its lines quoted, or in `output`; other details are tools at work. Old exports hold the
chat itself in place of the row, and only its list of messages.
"""

from __future__ import annotations

import html
import re
import time
from collections import Counter
from typing import Any

import msgspec

from core.store import records
from core.store.records import StoredMessage
from core.store.restoring import WholeConversation
from core.transfer import imported, paths
from core.transfer.imported import Imported, Node

_DETAILS = re.compile(r'<details type="(\w+)"[^>]*>\s*(?:<summary>.*?</summary>)?(.*?)</details>\n?', re.DOTALL)


class _Message(msgspec.Struct, frozen=True):
    role: str
    content: str | list[dict[str, Any]] | None = None
    output: list[dict[str, Any]] | None = None
    timestamp: float | None = None
    model: str | None = None
    modelName: str | None = None  # noqa: N815
    done: bool | None = None
    files: list[Any] | None = None


class _Place(msgspec.Struct, frozen=True):
    parentId: str | None = None  # noqa: N815


class _History(msgspec.Struct, frozen=True):
    messages: dict[str, msgspec.Raw] = {}
    currentId: str | None = None  # noqa: N815


class _Params(msgspec.Struct, frozen=True):
    system: str | None = None


class _Chat(msgspec.Struct, frozen=True):
    title: str | None = None
    system: str | None = None
    params: _Params | None = None
    history: _History | None = None
    messages: list[msgspec.Raw] | None = None
    timestamp: float | None = None


class _Meta(msgspec.Struct, frozen=True):
    tags: list[str] | None = None


class _Row(msgspec.Struct, frozen=True):
    chat: _Chat
    title: str | None = None
    created_at: float | None = None
    updated_at: float | None = None
    pinned: bool | None = None
    meta: _Meta | None = None


def conversation(data: msgspec.Raw) -> Imported:
    """One element of the list."""
    row = imported.decoded(data, _Row)
    if row is None:
        chat = imported.decoded(data, _Chat)
        if chat is None:
            return imported.nothing(imported.UNREADABLE)
        row = _Row(chat)
    chat = row.chat
    created = imported.seconds(row.created_at) or imported.seconds(chat.timestamp) or time.time()
    counted: Counter[str] = Counter()
    tree = imported.grow(_nodes(chat, created, counted))
    counted[imported.LOOSE] = tree.loose
    title = records.title_of(row.title or chat.title or "")
    return imported.finished(
        WholeConversation(
            title=title or paths.first_words(tree.messages),
            title_by="model" if title else "words",
            created_at=created,
            updated_at=imported.seconds(row.updated_at) or created,
            system_prompt=(chat.params.system if chat.params else None) or chat.system or "",
            pinned=bool(row.pinned),
            tags=tuple(row.meta.tags or ()) if row.meta else (),
            leaf_id=imported.leaf(tree, chat.history.currentId if chat.history else None),
            messages=tree.messages,
        ),
        counted,
    )


def _nodes(chat: _Chat, created: float, counted: Counter[str]) -> list[Node]:
    if chat.history and chat.history.messages:
        return [
            Node(id=id, parent_id=_parent(data), message=_message(data, created, counted))
            for id, data in chat.history.messages.items()
        ]
    return [
        Node(id=str(number), parent_id=str(number - 1) if number else None, message=_message(data, created, counted))
        for number, data in enumerate(chat.messages or ())
    ]


def _parent(data: msgspec.Raw) -> str | None:
    place = imported.decoded(data, _Place)
    return place.parentId if place else None


def _message(data: msgspec.Raw, created: float, counted: Counter[str]) -> StoredMessage | None:
    read = imported.decoded(data, _Message)
    if read is None:
        counted[imported.UNREADABLE_MESSAGE] += 1
        return None
    if read.role not in ("user", "assistant"):
        counted[imported.INSTRUCTIONS if read.role == "system" else imported.TOOLS] += 1
        return None
    text, reasoning = _texts(read, counted)
    answer = read.role == "assistant"
    return imported.message(
        read.role,
        text,
        reasoning=reasoning,
        created_at=imported.seconds(read.timestamp) or created,
        model_name=(read.modelName or read.model) if answer else None,
        status="cut" if answer and read.done is False else "complete",
    )


def _texts(read: _Message, counted: Counter[str]) -> tuple[str, str]:
    """What was said, and what was thought."""
    content = read.content
    if isinstance(content, list):
        counted[imported.NOT_TEXT] += sum("text" not in part for part in content)
        content = "\n".join(str(part.get("text") or f"[{part.get('type') or 'attachment'}]") for part in content)
    thoughts: list[str] = []

    def taken(found: re.Match[str]) -> str:
        if found[1] == "reasoning":
            thoughts.append(
                "\n".join(re.sub("^> ?", "", line) for line in html.unescape(found[2]).strip().splitlines())
            )
        else:
            counted[imported.TOOLS] += 1
        return ""

    text = _DETAILS.sub(taken, content or "") if read.role == "assistant" else content or ""
    text = text.strip() or _of_output(read.output, "message")
    named = [f"[{_name(file)}]" for file in read.files or ()]
    counted[imported.NOT_TEXT] += len(named)
    return "\n".join([*named, text]), "\n\n".join(thoughts) or _of_output(read.output, "reasoning")


def _of_output(output: list[dict[str, Any]] | None, kind: str) -> str:
    parts = [
        part
        for item in output or ()
        if item.get("type") == kind
        for part in item.get("content") or item.get("summary") or ()
    ]
    return "\n\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text"))


def _name(file: Any) -> str:
    return str(file.get("name") or file.get("type") or "attachment") if isinstance(file, dict) else "attachment"
