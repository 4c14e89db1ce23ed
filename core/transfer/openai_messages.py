"""The messages of the OpenAI API: `[{"role": …, "content": …}, …]`, alone or under "messages" as in a request's body
(https://platform.openai.com/docs/api-reference/chat/create). One path, no variants, no figures.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import msgspec

from core import attachments
from core.events import ToolCall
from core.store import records
from core.store.records import StoredMessage
from core.store.restoring import WholeConversation
from core.transfer import imported, paths
from core.transfer.imported import Imported, Node


class _Function(msgspec.Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct, frozen=True):
    id: str = ""
    function: _Function = _Function()


class _Message(msgspec.Struct, frozen=True):
    role: str
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    tool_calls: list[_Call] | None = None


def export(conversation: WholeConversation) -> bytes:
    """The selected path as a list of messages, UTF-8: attached files within the question, empty answers left out."""
    said = [
        {"role": message.role, "content": attachments.composed(message.content, message.attachments)}
        for message in paths.selected(conversation)
    ]
    system = [{"role": "system", "content": conversation.system_prompt}] if conversation.system_prompt.strip() else []
    messages = [*system, *(message for message in said if message["content"] or message["role"] != "assistant")]
    return json.dumps(messages, ensure_ascii=False, indent=2).encode()


def conversation(messages: list[msgspec.Raw], *, model: str | None = None) -> Imported:
    """The conversation of a list of messages. System prompts at its beginning become the conversation's."""
    counted: Counter[str] = Counter()
    system: list[str] = []
    nodes: list[Node] = []
    now = time.time()
    for number, data in enumerate(messages):
        read = imported.decoded(data, _Message)
        kept = None
        if read is None:
            counted[imported.UNREADABLE_MESSAGE] += 1
        elif read.role in ("system", "developer"):
            if any(node.message for node in nodes):
                counted[imported.INSTRUCTIONS] += 1
            else:
                system.append(_text(read.content, counted))
        elif read.role in ("user", "assistant"):
            kept = _message(read, model, now, counted)
        else:
            counted[imported.TOOLS] += 1
        nodes.append(Node(id=str(number), parent_id=str(number - 1) if number else None, message=kept))
    tree = imported.grow(nodes)
    return imported.finished(
        WholeConversation(
            title=paths.first_words(tree.messages),
            created_at=now,
            updated_at=now,
            system_prompt="\n\n".join(text for text in system if text),
            leaf_id=imported.leaf(tree, None),
            messages=tree.messages,
        ),
        counted,
    )


def _message(read: _Message, model: str | None, now: float, counted: Counter[str]) -> StoredMessage:
    content = _text(read.content, counted)
    if read.role == "user":
        return imported.message("user", content, created_at=now)
    calls = tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in read.tool_calls or ())
    made = imported.message("assistant", content, created_at=now, reasoning=read.reasoning_content or "")
    return msgspec.structs.replace(made, model_name=model, tool_calls=calls)


def _text(content: str | list[dict[str, Any]] | None, counted: Counter[str]) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    pieces = []
    for part in content:
        text = part.get("text", part.get("refusal"))
        counted[imported.NOT_TEXT] += not isinstance(text, str)
        pieces.append(text if isinstance(text, str) else f"[{part.get('type') or 'attachment'}]")
    return records.clean("\n".join(pieces))
