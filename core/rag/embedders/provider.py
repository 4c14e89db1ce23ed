"""Embedding by an endpoint: POST {base_url}/embeddings.

Source: https://platform.openai.com/docs/api-reference/embeddings/create. The owner's permit is asked before anything is
sent, and told what it costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import N_, AnswerMalformed, ProviderTimedOut
from core.events import Finished, Timings, Usage
from core.late import np
from core.models.remote import faults, listing, prices
from core.models.remote.connections import Connections
from core.models.remote.endpoint import Endpoint, Timeouts
from core.rag.tokens import Estimate, Tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATH = "/embeddings"
TOGETHER = 64
"""Texts of a request."""

LONGEST = 512
"""Tokens of a passage, estimated: their tokenizer is not here."""

LIMIT = 32_000_000
"""Bytes of an answer."""

TIMEOUTS = Timeouts(connect_s=10.0, read_s=60.0)


class _Entry(msgspec.Struct):
    embedding: list[float]
    index: int = -1


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0


class _Said(msgspec.Struct):
    data: list[_Entry]
    usage: _Usage | None = None


class ProviderEmbedding:
    """A remote model's vectors, for one owner."""

    def __init__(self, connections: Connections, owner: str, id: str) -> None:
        self.id = id
        self.max_tokens = LONGEST
        self._connections = connections
        self._owner = owner
        self._model = connections.model(owner, id)

    @property
    def tokens(self) -> Tokens:
        return Estimate()

    def embed(self, texts: Sequence[str], *, question: bool = False) -> NDArray[np.float32]:
        """A row a text, of length 1. Raises a `ProviderError` or `NotPermitted`."""
        endpoint = self._connections.endpoint(self._owner, self.id.partition("#")[0], timeouts=TIMEOUTS)
        parts = [self._ask(endpoint, texts[at : at + TOGETHER]) for at in range(0, len(texts), TOGETHER)]
        matrix = np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        return (matrix / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)

    def close(self) -> None:
        """Nothing is held between requests."""

    def _ask(self, endpoint: Endpoint, texts: Sequence[str]) -> NDArray[np.float32]:
        body: dict[str, Any] = {"model": self._model.model, "input": list(texts), "encoding_format": "float"}
        info = self._model.info
        spending = endpoint.permit.begin(info, asked=sum(map(len, texts)), away=not endpoint.on_this_machine)
        try:
            with faults.mapped(endpoint, model=self._model.model):
                data = asyncio.run(_read(endpoint, body))
            try:
                said = msgspec.json.decode(data, type=_Said)
                rows = sorted(said.data, key=lambda entry: entry.index)
                matrix = np.array([entry.embedding for entry in rows], dtype=np.float32)
            except (msgspec.DecodeError, ValueError):
                raise AnswerMalformed(provider=endpoint.provider, detail=N_("it sent no vectors")) from None
            if matrix.ndim != 2 or len(matrix) != len(texts) or not np.isfinite(matrix).all():
                raise AnswerMalformed(provider=endpoint.provider, detail=N_("it sent no vectors"))
            usage = Usage(prompt_tokens=said.usage.prompt_tokens if said.usage else 0, generated_tokens=0)
            cost = prices.cost(info.price, usage)
            spending.take(Finished(reason="stop", usage=usage, timings=Timings(), cost=cost))
            return matrix
        finally:
            spending.end()


async def _read(endpoint: Endpoint, body: dict[str, Any]) -> bytes:
    endpoint.allowed()
    try:
        async with asyncio.timeout(endpoint.timeouts.read_s * 2):
            return await listing.read(endpoint, PATH, limit=LIMIT, body=body)
    except TimeoutError:
        raise ProviderTimedOut(provider=endpoint.provider, seconds=endpoint.timeouts.read_s * 2) from None
