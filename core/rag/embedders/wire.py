"""What the embedding process is told and asked, as frozen values."""

from __future__ import annotations

import msgspec


class Load(msgspec.Struct, frozen=True):
    """Which model it serves: a folder of safetensors. `prefixes`: put before a passage, and before a question."""

    folder: str
    prefixes: tuple[str, str] = ("", "")


class Embed(msgspec.Struct, frozen=True):
    """Texts to make vectors of. → `Embedded`"""

    texts: list[str]
    question: bool = False


class Embedded(msgspec.Struct, frozen=True):
    """A vector a text, of length 1: float32, little-endian, one after the other."""

    dimension: int
    vectors: bytes
