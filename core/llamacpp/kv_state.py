"""llama.cpp's copy of a sequence, turned from the layout of one kind of attention into that of the other.

Without flash attention the values lie by dimension, (dimensions, cells); with it by cell, (cells, dimensions), as the
keys always do. llama.cpp refuses a copy of the other layout, though the numbers are the same.

The form is that of `llama_state_seq_get_data` in the llama.cpp that is pinned (src/llama-kv-cache.cpp, `state_write`):
a magic number and a sequence id, then for each cache (one, or two where a model has layers with a sliding window) its
streams, cells, the layout, and of each layer first all keys and then all values. It is written by this very process.
"""

from __future__ import annotations

import ctypes
import struct

import numpy as np

_HEAD, _COUNTS, _CELL, _LAYOUT = struct.Struct("<Ii"), struct.Struct("<II"), struct.Struct("<iIi"), struct.Struct("<II")
_ROWS = struct.Struct("<iQ")
"""A type, and the bytes of a cell."""

_COLUMNS = struct.Struct("<iII")
"""A type, the bytes of a number, and how many numbers a cell has."""

_HALF = 2
"""Bytes of an f16: other types lie in blocks, which have no columns."""

State = ctypes.Array[ctypes.c_ubyte]


class _Unknown(Exception):
    """The copy has another form than this module knows."""


def turned(state: State) -> State | None:
    """The same keys and values in the other layout; None for a copy of another form, which must be computed again."""
    data = memoryview(state).cast("B")
    parts: list[bytes | memoryview] = [data[: _HEAD.size]]
    at = _HEAD.size
    try:
        while at < len(data):
            at = _cache(data, at, parts)
    except (struct.error, ValueError, _Unknown):
        return None
    whole = b"".join(parts)
    return (ctypes.c_ubyte * len(whole)).from_buffer_copy(whole)


def _cache(data: memoryview, at: int, parts: list[bytes | memoryview]) -> int:
    """Adds one cache to the parts; where the next begins."""
    begin = at
    streams, cells = _COUNTS.unpack_from(data, at)
    at += _COUNTS.size
    if streams != 1:
        raise _Unknown
    if not cells:
        parts.append(data[begin:at])
        return at
    for _ in range(cells):
        _, sequences, _ = _CELL.unpack_from(data, at)
        if sequences != 1:
            raise _Unknown
        at += _CELL.size
    by_dimension, layers = _LAYOUT.unpack_from(data, at)
    if by_dimension not in (0, 1):
        raise _Unknown
    parts += [data[begin:at], _LAYOUT.pack(1 - by_dimension, layers)]
    keys = at = at + _LAYOUT.size
    for _ in range(layers):
        at += _ROWS.size + _ROWS.unpack_from(data, at)[1] * cells
    parts.append(data[keys:at])
    for _ in range(layers):
        at = _values(data, at, cells, bool(by_dimension), parts)
    return at


def _values(data: memoryview, at: int, cells: int, by_dimension: bool, parts: list[bytes | memoryview]) -> int:
    """Adds the values of one layer, turned; where the next begins."""
    if by_dimension:
        kind, size, dimensions = _COLUMNS.unpack_from(data, at)
        at += _COLUMNS.size
        shape = dimensions, cells
        head = _ROWS.pack(kind, size * dimensions)
    else:
        kind, row = _ROWS.unpack_from(data, at)
        at += _ROWS.size
        size, dimensions = _HALF, row // _HALF
        shape = cells, dimensions
        head = _COLUMNS.pack(kind, size, dimensions)
    end = int(at + size * dimensions * cells)
    if size != _HALF or end > len(data):
        raise _Unknown
    numbers = np.frombuffer(data[at:end], dtype=np.uint16).reshape(shape)
    parts += [head, numbers.T.tobytes()]
    return end
