"""Embedding with sentence-transformers, in a process of its own (core/rag/embedders/worker.py)."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.child import ChildDied
from core.errors import EmbeddingFailed
from core.late import np
from core.rag.attendant import Attendant
from core.rag.embedders import wire
from core.rag.tokens import Tokenizer, Tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

_embedded = msgspec.json.Decoder(wire.Embedded)


class SentenceEmbedding:
    """A model in a folder of safetensors. Its process starts with the first text, and ends when it is not needed."""

    def __init__(self, id: str, folder: Path, *, max_tokens: int, prefixes: tuple[str, str] = ("", "")) -> None:
        self.id = id
        self.max_tokens = max_tokens
        self._folder = folder
        self._lock = threading.Lock()
        hello = msgspec.json.encode(wire.Load(str(folder), prefixes))
        self._attendant = Attendant("core.rag.embedders.worker", hello)

    @functools.cached_property
    def tokens(self) -> Tokens:
        return Tokenizer(self._folder / "tokenizer.json")

    @property
    def pid(self) -> int | None:
        """Of its process, while there is one."""
        return self._attendant.pid

    def embed(self, texts: Sequence[str], *, question: bool = False) -> NDArray[np.float32]:
        """A row a text, of length 1. Raises `EmbeddingFailed`."""
        try:
            said = self._attendant.ask(msgspec.json.encode(wire.Embed(list(texts), question)))
        except ChildDied as died:
            raise EmbeddingFailed(embedding=self.id, detail=str(died)) from died
        answer = _embedded.decode(said)
        return np.frombuffer(answer.vectors, dtype="<f4").reshape(len(texts), answer.dimension)

    def close(self) -> None:
        """Ends its process."""
        self._attendant.close()
