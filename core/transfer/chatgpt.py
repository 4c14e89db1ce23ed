"""ChatGPT's export: the `conversations.json` of its archive, a list of conversations, each with

    title, create_time, update_time, is_starred, current_node,
    mapping: {id: {id, parent, children, message: {author: {role}, create_time, recipient, status,
              content: {content_type, parts | text | thoughts}, metadata: {model_slug, …}}}}

There is no published description; read from public parsers of it. Texts are kept, the thoughts of a model as its
reasoning, and the tree; what is not text is named in brackets. One answer comes in several messages, with tools
between.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

import msgspec

from core.store import records
from core.store.records import StoredMessage
from core.store.restoring import WholeConversation
from core.transfer import imported, paths
from core.transfer.imported import Imported, Node, Tree

# References to sources, between characters for private use: they point to what the file does not hold.
_CITATION = re.compile("\ue200[^\ue201]*\ue201")
_NAMES = {"image_asset_pointer": "image", "audio_asset_pointer": "audio", "video_container_asset_pointer": "video"}


class _Author(msgspec.Struct, frozen=True):
    role: str = ""


class _Thought(msgspec.Struct, frozen=True):
    summary: str | None = None
    content: str | None = None


class _Content(msgspec.Struct, frozen=True):
    content_type: str = "text"
    parts: list[Any] | None = None
    text: str | None = None
    language: str | None = None
    thoughts: list[_Thought] | None = None


class _File(msgspec.Struct, frozen=True):
    name: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    model_slug: str | None = None
    is_visually_hidden_from_conversation: bool | None = None
    attachments: list[_File] | None = None


class _Message(msgspec.Struct, frozen=True):
    author: _Author = _Author()
    content: _Content = _Content()
    create_time: float | None = None
    recipient: str | None = None
    status: str | None = None
    metadata: _Metadata | None = None


class _Node(msgspec.Struct, frozen=True):
    parent: str | None = None
    message: msgspec.Raw = msgspec.Raw(b"null")


class _Conversation(msgspec.Struct, frozen=True):
    mapping: dict[str, _Node]
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    current_node: str | None = None
    is_starred: bool | None = None


def conversation(data: msgspec.Raw) -> Imported:
    """One element of the list."""
    read = imported.decoded(data, _Conversation)
    if read is None:
        return imported.nothing(imported.UNREADABLE)
    created = imported.seconds(read.create_time) or time.time()
    counted: Counter[str] = Counter()
    tree = imported.grow(
        Node(id=id, parent_id=node.parent, message=_message(node.message, created, counted))
        for id, node in read.mapping.items()
    )
    counted[imported.LOOSE] = tree.loose
    tree = _joined(tree)
    return imported.finished(
        WholeConversation(
            title=records.title_of(read.title or "") or paths.first_words(tree.messages),
            title_by="model" if read.title else "words",
            created_at=created,
            updated_at=imported.seconds(read.update_time) or created,
            pinned=bool(read.is_starred),
            leaf_id=imported.leaf(tree, read.current_node),
            messages=tree.messages,
        ),
        counted,
    )


def _message(data: msgspec.Raw, created: float, counted: Counter[str]) -> StoredMessage | None:
    if bytes(data) == b"null":
        return None
    read = imported.decoded(data, _Message)
    if read is None:
        counted[imported.UNREADABLE_MESSAGE] += 1
        return None
    metadata = read.metadata or _Metadata()
    if read.author.role == "tool" or read.recipient not in (None, "all"):
        counted[imported.TOOLS] += 1
        return None
    reasoning = _thoughts(read.content)
    text = _CITATION.sub("", _text(read.content, metadata, counted))
    if not text.strip() and not reasoning:
        return None
    hidden = metadata.is_visually_hidden_from_conversation
    if read.author.role not in ("user", "assistant") or (hidden and not reasoning):
        counted[imported.INSTRUCTIONS] += 1
        return None
    answer = read.author.role == "assistant"
    return imported.message(
        read.author.role,
        text,
        reasoning=reasoning,
        created_at=imported.seconds(read.create_time) or created,
        model_name=metadata.model_slug if answer else None,
        status="cut" if read.status == "in_progress" else "complete",
    )


def _text(content: _Content, metadata: _Metadata, counted: Counter[str]) -> str:
    if content.content_type in ("text", "multimodal_text"):
        named = [f"[{file.name}]" for file in metadata.attachments or () if file.name]
        counted[imported.NOT_TEXT] += len(named)
        return "\n".join([*named, *(_part(part, counted) for part in content.parts or ())])
    if content.content_type == "code":
        return f"```{content.language or ''}\n{content.text or ''}\n```" if content.text else ""
    if content.content_type in ("user_editable_context", "model_editable_context"):
        counted[imported.INSTRUCTIONS] += 1
    return ""


def _part(part: Any, counted: Counter[str]) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("content_type") if isinstance(part, dict) else None
    if kind == "audio_transcription" and isinstance(part.get("text"), str):
        return str(part["text"])
    counted[imported.NOT_TEXT] += 1
    return f"[{_NAMES.get(str(kind), kind or 'attachment')}]"


def _thoughts(content: _Content) -> str:
    said = [[text for text in (one.summary, one.content) if text] for one in content.thoughts or ()]
    return "\n\n".join("\n".join(texts) for texts in said if texts)


def _joined(tree: Tree) -> Tree:
    """An assistant's message that follows its own alone is one answer with it."""
    children = Counter(message.parent_id for message in tree.messages)
    into: dict[str, str] = {}
    messages: dict[str, StoredMessage] = {}
    for message in tree.messages:
        parent_id = into.get(message.parent_id or "", message.parent_id)
        above = messages.get(parent_id or "")
        if above and above.role == message.role == "assistant" and children[message.parent_id] == 1:
            into[message.id] = above.id
            messages[above.id] = _both(above, message)
        else:
            messages[message.id] = msgspec.structs.replace(message, parent_id=parent_id)
    nearest = {id: into.get(near or "", near) for id, near in tree.nearest.items()}
    return Tree(messages=tuple(messages.values()), nearest=nearest, loose=tree.loose)


def _both(first: StoredMessage, then: StoredMessage) -> StoredMessage:
    return msgspec.structs.replace(
        first,
        content="\n\n".join(text for text in (first.content, then.content) if text),
        reasoning="\n\n".join(text for text in (first.reasoning, then.reasoning) if text),
        model_name=then.model_name or first.model_name,
        status=then.status,
    )
