"""What a local server says of a model in its own API, and OpenAI's list has no place for.

Sources: Ollama, docs/api.md (/api/show, /api/tags, /api/ps); LM Studio, docs/api/rest-api (/api/v0/models);
llama.cpp, tools/server/README.md (/props, /slots). What is missing, of another type or absurd is None.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from core.errors import ProviderTimedOut
from core.models.remote import entries, faults, listing
from core.models.remote.endpoint import Endpoint
from core.models.remote.faults import Refused
from core.models.remote.sse import StreamInvalid

if TYPE_CHECKING:
    from core.models.remote.presets import Preset

LIMIT = 4_000_000
"""Bytes of an answer; Ollama's /api/show has the licence and the list of tensors in it."""

LIMIT_S = 10.0
"""For all that is asked of a server together."""

_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model beside its name.

    `context_length`: tokens it takes as it runs, or will by its own settings; `trained_context`: tokens it was made
    for. `parameters`: their number. `loaded`: whether it is in the server's memory. `slots`: requests that the server
    answers at once, `busy` of them now. `chat_template`: whether the server has one for it.
    """

    context_length: int | None = None
    trained_context: int | None = None
    quantization: str | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    loaded: bool | None = None
    slots: int | None = None
    busy: int | None = None
    chat_template: bool | None = None
    tools: bool | None = None
    modalities: tuple[str, ...] = ()


def describe(endpoint: Endpoint, preset: Preset | None, name: str) -> Details:
    """What the server says of its model `name`; nothing is known where the preset has no API of its own.

    Raises a `ProviderError` where the server cannot be reached or does not answer in time, never for what it says;
    and what keeps the endpoint from being asked at all.
    """
    reader = _READERS.get(preset.native or "") if preset is not None else None
    if reader is None:
        return Details()
    root = replace(endpoint, base_url=endpoint.base_url.removesuffix("/v1"))
    with faults.mapped(endpoint, model=name):
        try:
            return asyncio.run(asyncio.wait_for(reader(root, name), LIMIT_S))
        except TimeoutError:
            raise ProviderTimedOut(provider=endpoint.provider, seconds=LIMIT_S) from None


async def _ollama(root: Endpoint, name: str) -> Details:
    shown = await _said(root, "/api/show", body={"model": name})
    listed = _named(await _said(root, "/api/tags"), name)
    running = await _said(root, "/api/ps")
    loaded = _named(running, name)
    set_to = re.search(r"^num_ctx\s+(\d{1,9})\s*$", str(entries.at(shown, "parameters")), re.MULTILINE)
    wanted = {"num_ctx": int(set_to[1])} if set_to else {}
    can = entries.at(shown, "capabilities")
    return Details(
        context_length=entries.context(loaded, "context_length") or entries.context(wanted, "num_ctx"),
        trained_context=_trained(entries.at(shown, "model_info")),
        quantization=entries.word(shown, "details.quantization_level")
        or entries.word(listed, "details.quantization_level"),
        parameters=_parameters(shown, listed),
        size_bytes=entries.count(listed, "size"),
        loaded=loaded is not None if isinstance(entries.at(running, "models"), list) else None,
        tools="tools" in can if isinstance(can, list) else None,
        modalities=(("text", "image") if "vision" in can else ("text",)) if isinstance(can, list) else (),
    )


async def _lmstudio(root: Endpoint, name: str) -> Details:
    found = _identified(await _said(root, "/api/v0/models"), name)
    state, kind = entries.at(found, "state"), entries.at(found, "type")
    return Details(
        context_length=entries.context(found, "loaded_context_length"),
        trained_context=entries.context(found, "max_context_length"),
        quantization=entries.word(found, "quantization"),
        loaded={"loaded": True, "not-loaded": False}.get(state) if isinstance(state, str) else None,
        tools=entries.tools(found) if found else None,
        modalities={"vlm": ("text", "image"), "llm": ("text",)}.get(kind, ()) if isinstance(kind, str) else (),
    )


async def _llamacpp(root: Endpoint, name: str) -> Details:
    props = await _said(root, f"/props?model={quote(name, safe='')}")
    slots = await _said(root, "/slots")
    found = _identified(await _said(root, "/v1/models"), name)
    template, takes = entries.at(props, "chat_template"), entries.at(props, "modalities")
    tools = entries.at(props, "chat_template_caps.supports_tools")
    return Details(
        context_length=entries.context(props, "default_generation_settings.n_ctx"),
        trained_context=entries.context(found, "meta.n_ctx_train"),
        quantization=entries.word(props, "model_ftype") or entries.word(found, "meta.ftype"),
        parameters=entries.count(found, "meta.n_params"),
        size_bytes=entries.count(found, "meta.size"),
        slots=entries.count(props, "total_slots"),
        busy=_busy(slots),
        chat_template=bool(template) if isinstance(template, str) else None,
        tools=tools if isinstance(tools, bool) else None,
        modalities=_taken(takes) if isinstance(takes, dict) else (),
    )


_READERS: dict[str, Callable[[Endpoint, str], Awaitable[Details]]] = {
    "ollama": _ollama,
    "lmstudio": _lmstudio,
    "llamacpp": _llamacpp,
}


async def _said(root: Endpoint, path: str, *, body: dict[str, str] | None = None) -> Any:
    """What the server says there, as JSON; None where it refuses, says too much or says nothing that can be read."""
    with suppress(Refused, StreamInvalid, ValueError, RecursionError):
        return json.loads(await listing.read(root, path, limit=LIMIT, body=body))
    return None


def _named(said: Any, name: str) -> Any:
    """The entry of Ollama's list for a model; `latest` is the tag of a name that has none. None where there is none."""
    listed = entries.at(said, "models")
    names = (name, f"{name}:latest")
    if not isinstance(listed, list):
        return None
    return next((one for one in listed if any(entries.at(one, key) in names for key in ("name", "model"))), None)


def _identified(said: Any, name: str) -> dict[str, Any]:
    """The entry of a list for a model; empty where there is none."""
    listed = entries.at(said, "data")
    found = [one for one in listed if entries.at(one, "id") == name] if isinstance(listed, list) else []
    return found[0] if found else {}


def _trained(facts: Any) -> int | None:
    """The key is GGUF's: the architecture stands before it."""
    keys = [key for key in facts if str(key).endswith(".context_length")] if isinstance(facts, dict) else []
    return next((n for key in keys if (n := entries.context({"n": facts[key]}, "n"))), None)


def _parameters(shown: Any, listed: Any) -> int | None:
    """As counted, else as Ollama writes it: `8.0B`."""
    facts = entries.at(shown, "model_info")
    counted = facts.get("general.parameter_count") if isinstance(facts, dict) else None
    if (number := entries.count({"n": counted}, "n")) is not None:
        return number
    written = entries.word(shown, "details.parameter_size") or entries.word(listed, "details.parameter_size")
    parts = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([KMBT])", written or "")
    return round(float(parts[1]) * _UNITS[parts[2]]) if parts else None


def _busy(slots: Any) -> int | None:
    """How many of llama.cpp's slots are at work; the server can be told not to say."""
    if not isinstance(slots, list):
        return None
    return sum(entries.at(slot, "is_processing") is True for slot in slots)


def _taken(takes: dict[str, Any]) -> tuple[str, ...]:
    names = {"vision": "image", "audio": "audio", "video": "video"}
    return ("text", *(name for said, name in names.items() if takes.get(said) is True))
