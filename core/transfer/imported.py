"""What a file gives before it is kept: whole conversations, and what of them could not be taken. Knows no file format.

Also what the formats share: decoding that does not raise, times, and trees that are mended.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from core.errors import N_
from core.store.records import StoredMessage
from core.store.restoring import WholeConversation

T = TypeVar("T")

UNREADABLE = N_("conversations that cannot be read")
EMPTY = N_("conversations without a message")
UNREADABLE_MESSAGE = N_("messages that cannot be read")
NOT_TEXT = N_("parts that are not text, such as images and files: their names are kept")
TOOLS = N_("messages to and from tools")
INSTRUCTIONS = N_("hidden or later instructions")
LOOSE = N_("messages whose place in the conversation is not given: they stand at its beginning")

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on data that is damaged, not UTF-8, of another form, or nested too deeply."""


class LeftOut(msgspec.Struct, frozen=True):
    """How many of something were not taken, or not as they were. `reason`: a msgid of the catalogues."""

    reason: str
    count: int


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of a file; `conversation` is None where it holds nothing to keep."""

    conversation: WholeConversation | None
    left_out: tuple[LeftOut, ...] = ()


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a file's tree. `message` is None where only what hangs on it is kept."""

    id: str
    parent_id: str | None
    message: StoredMessage | None


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """Messages with parents before children, and for each id of a node the nearest message at it or above."""

    messages: tuple[StoredMessage, ...]
    nearest: dict[str, str | None]
    loose: int


def message(role: str, content: str, **fields: Any) -> StoredMessage:
    """A message not yet in its place. Every field but these two may be given."""
    fields = {"id": "", "conversation_id": "", "parent_id": None, "reasoning": "", "status": "complete"} | fields
    return msgspec.convert({"role": role, "content": content, **fields}, StoredMessage)


def grow(nodes: Iterable[Node]) -> Tree:
    """The tree of the nodes, otherwise in the order given.

    Loose is what hangs on a node that is not there, or in a circle: it is made a first message.
    """
    by_id = {node.id: node for node in nodes}
    nearest: dict[str, str | None] = {}
    messages: list[StoredMessage] = []
    loose = 0
    for start in by_id:
        branch: dict[str, Node] = {}
        id: str | None = start
        while id is not None and id not in nearest and id in by_id and id not in branch:
            branch[id] = by_id[id]
            id = by_id[id].parent_id
        if id is not None and id not in nearest:
            loose += 1
        above = nearest.get(id) if id is not None else None
        for node in reversed(branch.values()):
            if node.message is not None:
                messages.append(msgspec.structs.replace(node.message, id=node.id, parent_id=above))
                above = node.id
            nearest[node.id] = above
    return Tree(messages=tuple(messages), nearest=nearest, loose=loose)


def leaf(tree: Tree, current: str | None) -> str | None:
    """The end of the selected path: at what the file names as current, else the newest message."""
    if current is not None and tree.nearest.get(current):
        return tree.nearest[current]
    return tree.messages[-1].id if tree.messages else None


def finished(conversation: WholeConversation, counted: Counter[str]) -> Imported:
    """A conversation as it is handed on; one without a message is none."""
    if not conversation.messages:
        return nothing(EMPTY)
    return Imported(conversation=conversation, left_out=left_out(counted))


def nothing(reason: str) -> Imported:
    """In place of a conversation of which nothing is kept."""
    return Imported(conversation=None, left_out=(LeftOut(reason, 1),))


def left_out(counted: Counter[str]) -> tuple[LeftOut, ...]:
    """The counts that are not 0."""
    return tuple(LeftOut(reason, count) for reason, count in counted.items() if count)


def decoded(data: msgspec.Raw | bytes, kind: type[T]) -> T | None:
    """JSON as a value of this kind, a number written as text included; None where it is not one."""
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except BROKEN:
        return None


def seconds(value: float | None) -> float | None:
    """A time of a file as seconds since 1970; one in milli- or nanoseconds is seen by its size. None: not a time."""
    if value is None or not math.isfinite(value) or value <= 0:
        return None
    for scale in (1, 1e3, 1e9):
        if value / scale < 1e11:
            return value / scale
    return None
