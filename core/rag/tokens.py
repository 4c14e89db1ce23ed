"""Where the tokens of a text are, by the tokenizer of an embedding model, or by an estimate where it is not at hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

Spans = Sequence[tuple[int, int]]
"""First character, and the one after the last, of each token; ascending."""

_WORDS = re.compile(r"\w+|[^\w\s]")
PIECE = 5
"""Characters of a word that an estimated token has at most."""


class Tokens(Protocol):
    """Cuts a text into tokens. Thread-safe."""

    def spans(self, text: str) -> Spans: ...


class Tokenizer:
    """The tokens of a `tokenizer.json`."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer as Loaded

        self._tokenizer = Loaded.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def spans(self, text: str) -> Spans:
        found: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return [(start, end) for start, end in found if end > start]


class Estimate:
    """Words cut into pieces: about as many tokens as most vocabularies make of prose, rather more than fewer."""

    def spans(self, text: str) -> Spans:
        return [
            (start, min(start + PIECE, found.end()))
            for found in _WORDS.finditer(text)
            for start in range(found.start(), found.end(), PIECE)
        ]
