"""Reranking by a cross-encoder: a model that reads question and passage together, of sentence-transformers.

Better than comparing vectors, and slow: it reads every candidate for every question. None comes with the workbench; one
is used from a folder on this machine. Its weights are read as safetensors only, and code that it brings is never run.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.errors import RerankerUnusable
from core.rag.fusion import Floats

BATCH = 8
"""Pairs at once: on a processor larger batches are slower, being filled up to the longest."""


class Reranker(Protocol):
    """Scores passages for a question, the greater the better; only their order means something."""

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """One for each text."""


class CrossEncoder:
    """The cross-encoder in this folder. Raises `RerankerUnusable`."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            raise RerankerUnusable(folder=str(folder))
        try:
            from sentence_transformers import CrossEncoder as Model

            self._model: Any = Model(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as exc:
            raise RerankerUnusable(folder=str(folder)) from exc

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """One for each text."""
        if not texts:
            return np.empty(0, np.float32)
        found = self._model.predict([(question, text) for text in texts], batch_size=BATCH, show_progress_bar=False)
        return np.asarray(found, np.float32).reshape(len(texts), -1)[:, 0]


@functools.lru_cache(maxsize=1)
def opened(folder: Path) -> CrossEncoder:
    """The cross-encoder in this folder, kept for the next question. Raises `RerankerUnusable`."""
    return CrossEncoder(folder)
