"""A reference's log-probabilities in a file: what `llama-perplexity --kl-divergence-base` writes and reads, exactly.

    "_logits_", context, vocabulary, chunks (32-bit each), the tokens of all chunks (32-bit each), then for each scored
    position: scale and least log-probability (32-bit floats), and a 16-bit step for each token of the vocabulary, one
    more where their number is odd.

A log-probability is `least + scale · step`; 16 below the greatest logit is the least there is. So a probability is kept
to within 0.012 % of itself, which is what makes the KL divergence of a model from itself some 1e-9 rather than 0, and
what is less probable than e⁻¹⁶ of the most probable token is all one (perplexity.cpp, `log_softmax`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import ReferenceBusy

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

MAGIC = b"_logits_"
STEPS = 65535
RANGE = 16.0
"""Natural logarithm: how far below the most probable token a probability is still told apart."""

HEAD = 4
"""16-bit words of scale and least, before a position's steps."""

Rows = NDArray[np.uint16]


@dataclass
class Kept:
    """The file, its head read. `position` bytes for each scored place, `places` of them a chunk."""

    path: Path
    context: int
    vocabulary: int
    tokens: list[int]
    _map: Rows | None = field(default=None, repr=False)
    _file: BinaryIO | None = field(default=None, repr=False)

    @property
    def places(self) -> int:
        """Scored positions of a chunk."""
        return self.context - 1 - self.context // 2

    @property
    def width(self) -> int:
        """16-bit words of a position."""
        return width(self.vocabulary)

    @property
    def _begin(self) -> int:
        return len(MAGIC) + 12 + 4 * len(self.tokens)

    @classmethod
    def begun(cls, path: str, *, context: int, vocabulary: int, tokens: Sequence[int], skip: int, name: str) -> Kept:
        """A file to write to, what follows the first `skip` chunks cut off. Raises `ReferenceBusy` where another
        process writes to it. `name`: what the model is called."""
        kept = cls(Path(path), context, vocabulary, list(tokens))
        head = MAGIC + np.array([context, vocabulary, len(tokens) // context], np.int32).tobytes()
        head += np.array(tokens, np.int32).tobytes()
        if not kept._held():
            raise ReferenceBusy(model=name)
        wanted = len(head) + skip * kept.places * kept.width * 2
        if skip:
            assert kept.path.stat().st_size >= wanted, "what was kept before is gone"
            os.truncate(kept.path, wanted)
        else:
            kept.path.write_bytes(head)
        return kept

    @classmethod
    def opened(cls, path: str) -> Kept:
        """A whole file, to read from."""
        with Path(path).open("rb") as file:
            assert file.read(len(MAGIC)) == MAGIC
            context, vocabulary, chunks = (int(one) for one in np.frombuffer(file.read(12), np.int32))
            tokens = np.frombuffer(file.read(4 * context * chunks), np.int32).tolist()
        return cls(Path(path), context, vocabulary, tokens)

    def rows(self, chunk: int, place: int, count: int) -> Rows:
        """Positions of a chunk, each `width` words."""
        if self._map is None:
            words = np.memmap(self.path, np.uint8, mode="r")[self._begin :]
            whole = len(words) // (2 * self.width)
            self._map = words[: whole * 2 * self.width].view(np.uint16).reshape(whole, self.width)
        begin = chunk * self.places + place
        return self._map[begin : begin + count]

    def _held(self) -> bool:
        """Opens the file for this process alone, where the system has such a thing; whether it could be."""
        self._file = self.path.open("ab")
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def append(self, rows: Rows) -> None:
        """The next positions."""
        assert self._file is not None
        self._file.write(rows.tobytes())

    def flush(self) -> None:
        """What was appended is on the disk: a chunk that is said to be done is there after a power cut too."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())


def width(vocabulary: int) -> int:
    """16-bit words that a position takes."""
    return 2 * ((vocabulary + 1) // 2) + HEAD
