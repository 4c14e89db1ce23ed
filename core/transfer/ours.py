"""Our own JSON, which loses nothing: all branches, figures, requests, titles, tags, pins and times.

    {"format": "inference-workbench.conversations", "version": 1, "conversations": [WholeConversation, …]}

Messages are `StoredMessage` without what means something only here (their conversation's id, a running answer's).
Infinities, which JSON has no numbers for, are written as "Infinity". A change that an older program could not read
raises `VERSION`; a new field that it may leave out does not.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from core.errors import ImportFromFuture
from core.store import records
from core.store.records import StoredMessage
from core.store.restoring import WholeConversation
from core.store.search import one_line
from core.transfer import imported
from core.transfer.imported import Imported, Node

FORMAT = "inference-workbench.conversations"
VERSION = 1
TITLE_LENGTH = 200
"""Characters; longer ones are made by nobody."""

_OF_THIS_PLACE = ("conversation_id", "answer_id")


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    created_at: float
    updated_at: float
    title_by: str = "words"
    model_id: str | None = None
    system_prompt: str = ""
    settings: dict[str, Any] = {}
    pinned: bool = False
    tags: list[str] = []
    leaf_id: str | None = None
    messages: list[dict[str, Any]] = []


def export(conversations: Iterable[WholeConversation]) -> bytes:
    """The file, UTF-8, a line a conversation."""
    head = f'{{"format": "{FORMAT}", "version": {VERSION}, "conversations": [\n'
    written = (json.dumps(_written(one), ensure_ascii=False, allow_nan=False) for one in conversations)
    return head.encode() + b",\n".join(records.clean(text).encode() for text in written) + b"\n]}\n"


def check_version(version: int) -> None:
    """Raises `ImportFromFuture` for a version that this program does not know."""
    if version > VERSION:
        raise ImportFromFuture(version=version, known=VERSION)


def conversation(data: msgspec.Raw) -> Imported:
    """One of the file's conversations."""
    read = imported.decoded(data, _Written)
    if read is None:
        return imported.nothing(imported.UNREADABLE)
    counted: Counter[str] = Counter()
    nodes = []
    created = imported.seconds(read.created_at) or time.time()
    for number, plain in enumerate(read.messages):
        message = _message(plain, created)
        counted[imported.UNREADABLE_MESSAGE] += message is None
        id, parent_id = plain.get("id"), plain.get("parent_id")
        nodes.append(Node(id=str(id or f"#{number}"), parent_id=str(parent_id) if parent_id else None, message=message))
    tree = imported.grow(nodes)
    counted[imported.LOOSE] = tree.loose
    whole = {
        **msgspec.structs.asdict(read),
        "title": one_line(read.title)[:TITLE_LENGTH],
        "created_at": created,
        "updated_at": imported.seconds(read.updated_at) or created,
        "title_by": read.title_by if read.title_by in ("words", "model") else "person",
        "leaf_id": imported.leaf(tree, read.leaf_id),
        "messages": tree.messages,
    }
    result = msgspec.convert(whole, WholeConversation)
    # A conversation of ours may be empty: it has a system prompt and settings.
    return Imported(conversation=result, left_out=imported.left_out(counted))


def _written(conversation: WholeConversation) -> dict[str, Any]:
    plain = msgspec.to_builtins(conversation, str_keys=True, enc_hook=str)
    plain["messages"] = [
        {name: value for name, value in message.items() if name not in _OF_THIS_PLACE and value is not None}
        for message in plain["messages"]
    ]
    return {name: _finite(value) for name, value in plain.items()}


def _message(plain: dict[str, Any], created: float) -> StoredMessage | None:
    plain = {"parent_id": None, **plain, "conversation_id": ""}
    try:
        message = msgspec.convert(plain, StoredMessage, strict=False, str_keys=True)
    except msgspec.ValidationError:
        return None
    return msgspec.structs.replace(message, created_at=imported.seconds(message.created_at) or created)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
