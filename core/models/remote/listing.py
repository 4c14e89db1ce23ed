"""What models an endpoint has: GET {base_url}/models, read with limits on its size, its number and its time.

Source: https://platform.openai.com/docs/api-reference/models/list. What stands beside the names differs by server, and
core/models/remote/entries.py reads it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.errors import N_, AnswerMalformed, ProviderTimedOut
from core.models.base import ModelInfo
from core.models.remote import entries, faults
from core.models.remote.body import EXTENSIONS
from core.models.remote.endpoint import Endpoint, whereabouts
from core.models.remote.reading import open_client
from core.models.remote.sse import StreamInvalid

PATH = "/models"
LIMIT = 16_000_000
"""Bytes of a list; the longest known, of some hundred models, have one million."""

MOST = 10_000
"""Models that are taken from a list."""

LONGEST_NAME = 200

_TAKES: dict[str, frozenset[str]] = {
    "llamacpp": EXTENSIONS,
    "vllm": frozenset({"top_k", "min_p", "ignore_eos"}),
}
"""Parameters beyond OpenAI's that a server takes, by what it says of itself in `owned_by`."""


class Listed(msgspec.Struct, frozen=True):
    """A model of an endpoint, and the parameters that it does not take there (see core/models/remote/body.py).

    `typed`: a person named it, and not the endpoint.
    """

    info: ModelInfo
    unsupported: frozenset[str] = EXTENSIONS
    typed: bool = False


def model_id(base_url: str, name: str) -> str:
    """The id of a remote model everywhere: a checked base URL has no `#`, so what follows the first one is the name."""
    return f"{base_url}#{name}"


def sound(name: object) -> bool:
    """Whether this can be a model's name: one line that can be shown and sent."""
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable() and name.strip() == name


def described(base_url: str, provider: str, name: str, context_length: int | None = None) -> ModelInfo:
    """What is known of a remote model."""
    return ModelInfo(
        id=model_id(base_url, name), name=name, provider=provider, local=False, context_length=context_length
    )


def models(endpoint: Endpoint) -> tuple[Listed, ...]:
    """The models that the endpoint lists, in its order; names that cannot be shown, and repeated ones, are left out.

    Waits at most twice the endpoint's read time-out. Raises a `ProviderError`.
    """
    return asyncio.run(ask(endpoint))


async def ask(endpoint: Endpoint) -> tuple[Listed, ...]:
    """As `models`, for a running event loop."""
    with faults.mapped(endpoint, model=N_("its list of models")):
        try:
            async with asyncio.timeout(endpoint.timeouts.read_s * 2):
                data = await read(endpoint, PATH, limit=LIMIT)
        except TimeoutError:
            raise ProviderTimedOut(provider=endpoint.provider, seconds=endpoint.timeouts.read_s * 2) from None
        found = {entry["id"]: entry for entry in reversed(_entries(endpoint, data))}
    return tuple(_listed(endpoint, entry) for entry in reversed(found.values()))


async def read(endpoint: Endpoint, path: str, *, limit: int, body: Mapping[str, object] | None = None) -> bytes:
    """What a GET of the path under the base URL gives, or with a body a POST of it. Follows no redirection.

    Raises what `faults.mapped` makes errors of; `StreamInvalid` for more bytes than the limit.
    """
    import httpx2

    data = bytearray()
    async with open_client(endpoint) as client:
        if body is None:
            response = await client.get(path, cast_to=httpx2.Response, stream=True)
        else:
            response = await client.post(path, cast_to=httpx2.Response, body=body, stream=True)
        try:
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > limit:
                    raise StreamInvalid(N_("it sent too much"))
        finally:
            await response.aclose()
    return bytes(data)


def _entries(endpoint: Endpoint, data: bytes) -> list[dict[str, Any]]:
    """At most `MOST` objects, each with a sound `id`. Some endpoints answer with the bare list."""
    if data.lstrip().startswith(b"<"):
        raise StreamInvalid(N_("it sent a web page"))
    try:
        said = json.loads(data)
    except ValueError:
        raise StreamInvalid(N_("it sent no JSON")) from None
    if isinstance(said, dict) and said.get("error"):
        raise faults.in_stream(endpoint, said["error"], model=N_("its list of models"))
    listed = said.get("data", said) if isinstance(said, dict) else said
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise AnswerMalformed(provider=endpoint.provider, detail=N_("there is no list of models in what it sent"))
    return list(_sound_ones(listed))[:MOST]


def _sound_ones(listed: list[Any]) -> Iterator[dict[str, Any]]:
    for entry in listed:
        if isinstance(entry, dict) and sound(entry.get("id")):
            yield entry


def _listed(endpoint: Endpoint, entry: dict[str, Any]) -> Listed:
    away = whereabouts(endpoint.base_url) == "away"
    info = msgspec.structs.replace(
        described(endpoint.base_url, endpoint.provider, entry["id"], entries.context_length(entry)),
        price=entries.price(entry),
        modalities=entries.modalities(entry),
        released=entries.released(entry) if away else None,
        tools=entries.tools(entry),
        quantization=entries.word(entry, "meta.ftype", "quantization"),
        parameters=entries.count(entry, "meta.n_params"),
        size_bytes=entries.count(entry, "meta.size"),
    )
    owner = entry.get("owned_by")
    return Listed(info, EXTENSIONS - _TAKES.get(owner if isinstance(owner, str) else "", frozenset()))
