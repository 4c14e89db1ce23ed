"""What a chat template is given of a conversation with tools.

A template that knows tools gets them in OpenAI's form, and the calls in the messages too. For any other the system
prompt describes the tools and how a call is written, calls are written out so, and what a tool answered is said by the
user.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from core.events import Origin
from core.llamacpp import tool_calls
from core.llamacpp.tool_calls import Format
from core.messages import Called, Message, Tool

_DESCRIPTION = """You can call tools. To call one, answer with nothing but its name and its arguments, in this form:
{example}
To answer without a tool, write plain text.

The tools, each with the JSON schema of its arguments:
{tools}"""

_SHORT_ID = re.compile("[a-zA-Z0-9]{9}")


@dataclass(frozen=True)
class Shown:
    """Messages for a template, where each comes from, the tools it is given, and the text that describes them."""

    messages: tuple[Message, ...]
    origins: tuple[Origin, ...]
    tools: list[dict[str, Any]] | None = None
    described: str = ""


def needed(tools: Sequence[Tool], messages: Sequence[Message]) -> bool:
    """Whether there is anything of tools in a request."""
    return bool(tools) or any(m.tool_calls or m.role == "tool" for m in messages)


def shown(tools: Sequence[Tool], messages: Sequence[Message], form: Format | None, *, system: bool = True) -> Shown:
    """The messages as a template of this format takes them; None: there is nothing of tools in them.

    system: the template takes system prompts; else the first question begins with the description.
    """
    origins = tuple(_origin(messages, i) for i in range(len(messages)))
    if form is None:
        return Shown(tuple(messages), origins)
    if form.native:
        renamed = tuple(map(_short_ids, messages)) if form.short_ids else tuple(messages)
        return Shown(renamed, origins, [openai_tool(tool) for tool in tools] or None)
    return _described(tools, *_spoken(messages, origins, form), form, system=system)


def openai_tool(tool: Tool) -> dict[str, Any]:
    """A tool in OpenAI's form."""
    return {"type": "function", "function": msgspec.to_builtins(tool)}


def _described(
    tools: Sequence[Tool], messages: list[Message], origins: list[Origin], form: Format, *, system: bool
) -> Shown:
    if not tools:
        return Shown(tuple(messages), tuple(origins))
    text = _DESCRIPTION.format(
        example=tool_calls.example(form, name="…", arguments="{…}"),
        tools="\n".join(json.dumps(msgspec.to_builtins(tool), ensure_ascii=False) for tool in tools),
    )
    if messages[0].role == "system":
        first = msgspec.structs.replace(messages[0], content=f"{messages[0].content}\n\n{text}".lstrip())
        return Shown((first, *messages[1:]), tuple(origins), described=text)
    if system:
        return Shown((Message("system", text), *messages), ("tools", *origins), described=text)
    place = next((i for i, m in enumerate(messages) if m.role == "user"), 0)
    asked = msgspec.structs.replace(messages[place], content=f"{text}\n\n{messages[place].content}")
    return Shown((*messages[:place], asked, *messages[place + 1 :]), tuple(origins), described=text)


def _spoken(messages: Sequence[Message], origins: Sequence[Origin], form: Format) -> tuple[list[Message], list[Origin]]:
    """Calls and their results as plain messages; results that follow each other are one, since roles must alternate."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    spoken: list[Message] = []
    found: list[Origin] = []
    result = False
    for message, origin in zip(messages, origins, strict=True):
        follows, result = result, message.role == "tool"
        if result:
            text = f"Result of {names.get(message.tool_call_id or '', 'the tool')}:\n{message.content}"
            if follows:
                spoken[-1] = Message("user", f"{spoken[-1].content}\n\n{text}")
                continue
            message = Message("user", text)
        elif message.tool_calls:
            calls = [tool_calls.example(form, name=c.name, arguments=c.arguments) for c in message.tool_calls]
            message = Message(message.role, "\n".join(filter(None, [message.content, *calls])))
        spoken.append(message)
        found.append(origin)
    return spoken, found


def _short_ids(message: Message) -> Message:
    calls = tuple(Called(_short(call.id), call.name, call.arguments) for call in message.tool_calls)
    answered = message.tool_call_id
    return msgspec.structs.replace(
        message, tool_calls=calls, tool_call_id=None if answered is None else _short(answered)
    )


def _short(name: str) -> str:
    return name if _SHORT_ID.fullmatch(name) else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:9]


def _origin(messages: Sequence[Message], index: int) -> Origin:
    role = messages[index].role
    if role == "system":
        return "system"
    if role == "tool" or messages[index].tool_calls:
        return "tools"
    newest = max((i for i, m in enumerate(messages) if m.role == "user"), default=len(messages) - 1)
    return "question" if index >= newest else "history"
