"""Embedding with a GGUF file, in llama.cpp's process (core/llamacpp/embedding.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.late import np
from core.models.local.shelf import LocalModel
from core.rag.tokens import Estimate, Tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 512
"""Tokens of a passage: any model takes them, and no passage should be longer."""


class GGUFEmbedding:
    """A local model's vectors. Its tokens are estimated, so that cutting a text does not load it."""

    def __init__(self, id: str, model: LocalModel) -> None:
        self.id = id
        self.max_tokens = min(LONGEST, model.info.context_length or LONGEST)
        self._model = model

    @property
    def tokens(self) -> Tokens:
        return Estimate()

    def embed(self, texts: Sequence[str], *, question: bool = False) -> NDArray[np.float32]:
        """A row a text, of length 1. Raises `ModelError`s."""
        return np.asarray(self._model.embed(texts).vectors, dtype=np.float32)

    def close(self) -> None:
        """The shelf ends it."""
