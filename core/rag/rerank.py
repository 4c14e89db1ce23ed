"""Reranking by a cross-encoder: a model that reads question and passage together, of sentence-transformers.

Better than comparing vectors, and slow: it reads every candidate for every question. None comes with the workbench; one
is used from a folder on this machine, in a process of its own (core/rag/reranking/worker.py), which ends when nobody
has asked for a while. Its weights are read as safetensors only, and code that it brings is never run.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from core.child import ChildDied
from core.errors import RerankerUnusable
from core.late import np
from core.rag.attendant import Attendant
from core.rag.fusion import Floats
from core.rag.reranking import wire

_scored = msgspec.json.Decoder(wire.Scored)


class Reranker(Protocol):
    """Scores passages for a question, the greater the better; only their order means something."""

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """One for each text."""


class CrossEncoder:
    """The cross-encoder in this folder. Raises `RerankerUnusable`, also with the first question."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            raise RerankerUnusable(folder=str(folder))
        self._folder = folder
        self._attendant = Attendant("core.rag.reranking.worker", msgspec.json.encode(wire.Load(str(folder))))

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """One for each text."""
        if not texts:
            return np.empty(0, np.float32)
        try:
            said = self._attendant.ask(msgspec.json.encode(wire.Score(question, list(texts))))
        except ChildDied as died:
            raise RerankerUnusable(folder=str(self._folder)) from died
        return np.asarray(_scored.decode(said).scores, np.float32)

    def close(self) -> None:
        """Ends its process."""
        self._attendant.close()


@functools.lru_cache(maxsize=1)
def opened(folder: Path) -> CrossEncoder:
    """The cross-encoder in this folder, kept for the next question. Raises `RerankerUnusable`."""
    return CrossEncoder(folder)
