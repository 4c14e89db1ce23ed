"""What the reranking process is told and asked, as frozen values."""

from __future__ import annotations

import msgspec


class Load(msgspec.Struct, frozen=True):
    """Which cross-encoder it serves: a folder of safetensors."""

    folder: str


class Score(msgspec.Struct, frozen=True):
    """Texts to be read with a question. → `Scored`"""

    question: str
    texts: list[str]


class Scored(msgspec.Struct, frozen=True):
    """A score a text, the greater the better."""

    scores: list[float]
