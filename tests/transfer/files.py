"""Files as other programs write them, in small."""

from __future__ import annotations

import json
from typing import Any


def data(value: Any) -> bytes:
    return json.dumps(value).encode()


def chatgpt_node(id: str, parent: str | None, role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    """A node of `mapping`; `more` goes into its message."""
    content = {"content_type": "text", "parts": list(parts)}
    message = {
        "id": id, "author": {"role": role, "name": None, "metadata": {}}, "create_time": 1_700_000_000.5,
        "update_time": None, "content": content, "status": "finished_successfully", "end_turn": True, "weight": 1.0,
        "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {}, "recipient": "all",
    }  # fmt: skip
    return {"id": id, "parent": parent, "children": [], "message": message | more}


def chatgpt(*nodes: dict[str, Any], current: str | None = None, **more: Any) -> dict[str, Any]:
    """A conversation of ChatGPT's; the root without a message is added."""
    mapping = {"root": {"id": "root", "parent": None, "children": [], "message": None}}
    mapping |= {node["id"]: node for node in nodes}
    return {
        "title": "From ChatGPT", "create_time": 1_700_000_000.0, "update_time": 1_700_000_100.0, "mapping": mapping,
        "current_node": current or nodes[-1]["id"], "moderation_results": [], "plugin_ids": None,
        "conversation_id": "c", "id": "c", "is_archived": False,
    } | more  # fmt: skip


def webui_message(id: str, parent: str | None, role: str, content: Any, **more: Any) -> dict[str, Any]:
    """A message of Open WebUI's history."""
    plain = {"id": id, "parentId": parent, "childrenIds": [], "role": role, "content": content}
    answer = {"model": "llama3.2:1b", "modelName": "Llama 3.2", "modelIdx": 0, "done": True}
    return plain | {"timestamp": 1_700_000_000} | (answer if role == "assistant" else {"models": ["x"]}) | more


def webui(*messages: dict[str, Any], current: str | None = None, **more: Any) -> dict[str, Any]:
    """A row of Open WebUI's export."""
    history = {"messages": {one["id"]: one for one in messages}, "currentId": current or messages[-1]["id"]}
    chat = {
        "id": "", "title": "From Open WebUI", "models": ["llama3.2:1b"], "params": {"system": "Be brief."},
        "history": history, "messages": list(messages), "tags": [], "timestamp": 1_700_000_000_123, "files": [],
    }  # fmt: skip
    return {
        "id": "w", "user_id": "u", "title": "From Open WebUI", "chat": chat, "updated_at": 1_700_000_200,
        "created_at": 1_700_000_000, "share_id": None, "archived": False, "pinned": True,
        "meta": {"tags": ["physics"]}, "folder_id": None,
    } | more  # fmt: skip
