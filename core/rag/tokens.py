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


LONGEST = 32
"""Characters of one token. What a vocabulary does not know is one token to it, however long, and would hide a page of
what was encoded or is no text."""


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
        return [piece for start, end in found for piece in _pieces(start, end, LONGEST)]


class Estimate:
    """Words cut into pieces: about as many tokens as most vocabularies make of prose, rather more than fewer."""

    def spans(self, text: str) -> Spans:
        return [piece for found in _WORDS.finditer(text) for piece in _pieces(found.start(), found.end(), PIECE)]


def _pieces(start: int, end: int, longest: int) -> Spans:
    return [(at, min(at + longest, end)) for at in range(start, end, longest)]
