"""Reads a file's bytes forwards, never past its end and never much of it at once.

Whatever a file claims of itself (a length, a count) is compared with what is left of the file before it is used.
Knows little-endian integers, strings and nothing else of GGUF. Raises `Damaged`; memory stays within a few MB.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

WINDOW = 1 << 20
"""Bytes read from the file at once."""

MAX_HEADER = 256 << 20
"""Bytes before the tensors' data; the largest vocabularies published take about 30 MB."""

MAX_STRINGS = 4 << 20
"""Strings in all arrays of a file together; the largest files published have under a million."""

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class Readable(Protocol):
    """A file, or whatever reads and seeks like one."""

    def seek(self, position: int, /) -> int: ...

    def read(self, count: int, /) -> bytes: ...


class Damaged(Exception):
    """What is wrong with the file, in a few English words."""


class Cursor:
    """A place in a file of `size` bytes. `position` counts from the file's beginning."""

    def __init__(self, file: Readable, *, size: int, position: int = 0) -> None:
        self.position = position
        self._file = file
        self._end = min(size, MAX_HEADER)
        self._whole = size <= MAX_HEADER
        self._window = b""
        self._start = 0
        self._strings_left = MAX_STRINGS

    @property
    def left(self) -> int:
        """Bytes from here to where reading must end."""
        return self._end - self.position

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        self._require(count)
        at = self.position - self._start
        if at < 0 or at + count > len(self._window):
            self._load(count)
            at = 0
        self.position += count
        return self._window[at : at + count]

    def skip(self, count: int) -> None:
        """Passes over `count` bytes without reading them."""
        self._require(count)
        self.position += count

    def u32(self) -> int:
        value: int = _U32.unpack(self.take(4))[0]
        return value

    def u64(self) -> int:
        value: int = _U64.unpack(self.take(8))[0]
        return value

    def string(self, *, longest: int, what: str) -> bytes:
        """A string's bytes: a 64-bit length, then as many bytes."""
        length = self.u64()
        if length > longest:
            raise Damaged(f"{what} is {length} bytes long")
        return self.take(length)

    def strings(self, count: int) -> Iterator[bytes]:
        """The next `count` strings, one at a time."""
        self._count_strings(count)
        for _ in range(count):
            yield self.take(self.u64())

    def skip_strings(self, count: int) -> None:
        """Passes over `count` strings. Written out for speed: a vocabulary has hundreds of thousands."""
        self._count_strings(count)
        unpack, window = _U64.unpack_from, self._window
        at, last = self.position - self._start, len(window) - 8
        for _ in range(count):
            if not 0 <= at <= last:
                self.position = self._start + at
                self._require(8)
                self._load(8)
                window = self._window
                at, last = 0, len(window) - 8
            at += 8 + unpack(window, at)[0]
        self.skip(self._start + at - self.position)

    def _count_strings(self, count: int) -> None:
        self._require(count * 8)
        self._strings_left -= count
        if self._strings_left < 0:
            raise Damaged("its lists hold more than four million strings")

    def _require(self, count: int) -> None:
        if count <= self.left:
            return
        if self._whole:
            raise Damaged("it ends in the middle of its header")
        raise Damaged(f"its header is larger than {MAX_HEADER >> 20} MB")

    def _load(self, count: int) -> None:
        self._file.seek(self.position)
        self._window = self._file.read(max(count, min(WINDOW, self.left)))
        self._start = self.position
        if len(self._window) < count:
            raise Damaged("it became shorter while it was read")
