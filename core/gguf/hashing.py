"""A model file's SHA-256, taken once for as long as the file does not change: what tells measurements of it apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from core.errors import ModelNotFound
from core.gguf.header import GGUF
from core.store.measurements import Measurements

PIECE = 1 << 24
"""Bytes read at once: between two of them the work may be ended."""


def sha256(kept: Measurements, gguf: GGUF, *, check: Callable[[], None] = lambda: None) -> str:
    """Of the file, or of the digests of a split model's files. `check` may raise, which ends it.

    Raises `ModelNotFound` where a file is gone.
    """
    digests = [_one(kept, part, check) for part in (gguf, *gguf.parts)]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _one(kept: Measurements, gguf: GGUF, check: Callable[[], None]) -> str:
    try:
        status = gguf.path.stat()
        path = str(gguf.path.resolve())
        known = kept.hashed(path, status.st_size, status.st_mtime_ns)
        if known is not None:
            return known
        digest = hashlib.sha256()
        with gguf.path.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                check()
    except OSError as error:
        raise ModelNotFound(model=gguf.path.name) from error
    kept.keep_hash(path, status.st_size, status.st_mtime_ns, digest.hexdigest())
    return digest.hexdigest()
