"""Reads a GGUF file and checks everything in it before anything is used. Pure Python; loads no model.

A file is trusted in nothing: each count, length, dimension and offset is compared with the file's size first, so that
reading takes bounded time and memory (well under 200 MB) whatever the file claims, and what passes here holds what
llama.cpp relies on when it maps the file (the class of CVE-2024-21802, CVE-2026-7482, CVE-2026-27940). The order and
the limits are those of `gguf_init_from_reader` (ggml/src/gguf.cpp); the format is docs/gguf.md of the ggml project.
Versions 2 and 3, little-endian. Long arrays stay in the file: `array` reads one.

Raises `ModelFileInvalid`, or `ModelNotFound` where there is no such file.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from types import MappingProxyType

from core.errors import ModelFileInvalid, ModelNotFound
from core.gguf import checks
from core.gguf.blocks import TENSOR_TYPES
from core.gguf.cursor import Cursor, Damaged, Readable
from core.gguf.header import GGUF, LongArray, Scalar, Tensor, Value

__all__ = ["GGUF", "array", "check_tokens", "joined", "read", "read_from", "read_one"]

MAX_KEYS = 4096
MAX_TENSORS = 65536
MAX_KEY = 65535
MAX_NAME = 63
"""Bytes of a tensor's name: GGML_MAX_NAME holds a final NUL as well."""
MAX_TEXT = 16 << 20
"""Bytes of text kept from the metadata, all together."""
MAX_KEPT = 512
"""Values of an array that is kept; as many as the most layers llama.cpp takes (LLAMA_MAX_LAYERS)."""
MAX_KEPT_TOGETHER = 1 << 18
MAX_ALIGNMENT = 1 << 20
_INT64_MAX = (1 << 63) - 1

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_NAMES = ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "str", "arr", "u64", "i64", "f64"]


def read(path: Path | str) -> GGUF:
    """The checked header of a file, and of the other parts when it is the first of a split model."""
    gguf = read_one(path)
    count = gguf.metadata.get("split.count", 0)
    if not isinstance(count, int) or count <= 1:
        return gguf
    with _errors(gguf.path):
        paths = checks.other_parts(gguf, count)
    return joined(gguf, [read_one(path) for path in paths])


def read_one(path: Path | str) -> GGUF:
    """The checked header of this one file."""
    path = Path(path)
    with _errors(path):
        _regular(path)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            gguf = _Header(Cursor(file, size=size), size).read(path)
        checks.metadata(gguf)
    return gguf


def read_from(file: Readable, *, size: int, name: Path) -> GGUF:
    """The checked header of a file that is elsewhere: `file` reads and seeks in its `size` bytes. `name`: for errors.

    Long arrays of it cannot be read later. What `file` raises itself passes through, but for an `OSError`.
    """
    with _errors(name):
        gguf = _Header(Cursor(file, size=size), size).read(name)
        checks.metadata(gguf)
    return gguf


def joined(first: GGUF, others: Sequence[GGUF]) -> GGUF:
    """A split model as one, of whose later parts llama.cpp reads no metadata but their numbers; checked against each
    other."""
    numbers = [{key: value for key, value in part.metadata.items() if key.startswith("split.")} for part in others]
    parts = tuple(replace(part, metadata=MappingProxyType(kept)) for part, kept in zip(others, numbers, strict=True))
    with _errors(first.path):
        checks.parts(first, parts)
    return replace(first, parts=parts)


def check_tokens(gguf: GGUF) -> None:
    """Reads the vocabulary and refuses one that has a token twice; for a model that is about to be loaded."""
    with _errors(gguf.path):
        checks.distinct_tokens(gguf)


def array(gguf: GGUF, key: str) -> tuple[Scalar, ...]:
    """An array of the metadata, read from the file when it is a long one; empty where there is none."""
    value = gguf.metadata.get(key)
    if not isinstance(value, LongArray):
        return value if isinstance(value, tuple) else ()
    element = _NAMES.index(gguf.types[key][4:-1])
    with _errors(gguf.path), gguf.path.open("rb") as file:
        cursor = Cursor(file, size=gguf.size, position=value.position)
        if element == _STRING:
            return tuple(text.decode("utf-8", errors="replace") for text in cursor.strings(value.count))
        return _numbers(cursor, element, value.count)


def _regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise _not_found(path) from error
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise _not_found(path) from error
        raise
    if not stat.S_ISREG(mode):
        raise Damaged("it is a folder" if stat.S_ISDIR(mode) else "it is no regular file")


def _not_found(path: Path) -> ModelNotFound:
    return ModelNotFound(model=_printable(str(path)))


class _Header:
    """One pass over a header. What has been kept so far bounds what may still be kept."""

    def __init__(self, cursor: Cursor, size: int) -> None:
        self._cursor = cursor
        self._size = size
        self._text_left = MAX_TEXT
        self._kept_left = MAX_KEPT_TOGETHER

    def read(self, path: Path) -> GGUF:
        version = self._version()
        tensor_count = self._count("tensors", smallest=24, most=MAX_TENSORS)
        key_count = self._count("metadata values", smallest=13, most=MAX_KEYS)
        metadata: dict[str, Value] = {}
        types: dict[str, str] = {}
        for _ in range(key_count):
            key = self._name("a metadata key", MAX_KEY)
            if key in metadata:
                raise Damaged(f"its metadata has {_shown(key)} twice")
            metadata[key], types[key] = self._value(key)
        alignment = _alignment(metadata, types)
        tensors = tuple(self._tensor() for _ in range(tensor_count))
        data_offset = _padded(self._cursor.position, alignment)
        _check_layout(tensors, alignment, data_offset, self._size)
        return GGUF(
            path=path,
            version=version,
            metadata=MappingProxyType(metadata),
            types=MappingProxyType(types),
            tensors=tensors,
            alignment=alignment,
            data_offset=data_offset,
            size=self._size,
        )

    def _version(self) -> int:
        if self._size == 0:
            raise Damaged("it is empty")
        if self._cursor.take(min(4, self._size)) != b"GGUF":
            raise Damaged("it does not begin with GGUF")
        version = self._cursor.u32()
        if version & 0xFFFF == 0 and version:
            raise Damaged("its numbers are big-endian, and only little-endian files can be read")
        if version not in (2, 3):
            raise Damaged(f"its GGUF version is {version}, and only 2 and 3 can be read")
        return version

    def _count(self, what: str, *, smallest: int, most: int) -> int:
        count = self._cursor.u64()
        if count > most or count * smallest > self._cursor.left:
            raise Damaged(f"it claims to have {count} {what}")
        return count

    def _name(self, what: str, longest: int) -> str:
        data = self._cursor.string(longest=longest, what=what)
        if not data or b"\0" in data:
            raise Damaged(f"{what} is empty or holds a NUL")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Damaged(f"{what} is not UTF-8") from None

    def _value(self, key: str) -> tuple[Value, str]:
        kind = self._cursor.u32()
        if kind == _ARRAY:
            return self._array(key)
        if kind == _STRING:
            return self._text(), "str"
        if kind not in _NUMBERS:
            raise Damaged(f"{_shown(key)} has the unknown type {kind}")
        return _numbers(self._cursor, kind, 1)[0], _NAMES[kind]

    def _text(self) -> str:
        data = self._cursor.string(longest=self._text_left, what="a text in its metadata")
        self._text_left -= len(data)
        return data.decode("utf-8", errors="replace")

    def _array(self, key: str) -> tuple[Value, str]:
        element, count = self._cursor.u32(), self._cursor.u64()
        if element != _STRING and element not in _NUMBERS:
            nested = "an array of arrays" if element == _ARRAY else f"an array of the unknown type {element}"
            raise Damaged(f"{_shown(key)} is {nested}")
        name = f"arr[{_NAMES[element]}]"
        if count <= min(MAX_KEPT, self._kept_left) and not key.startswith("tokenizer."):
            self._kept_left -= count
            if element == _STRING:
                return tuple(self._text() for _ in range(count)), name
            return _numbers(self._cursor, element, count), name
        kept = LongArray(count, self._cursor.position)
        if element == _STRING:
            self._cursor.skip_strings(count)
        else:
            self._cursor.skip(count * struct.calcsize("<" + _NUMBERS[element]))
        return kept, name

    def _tensor(self) -> Tensor:
        name = self._name("a tensor's name", MAX_NAME)
        dimensions = self._cursor.u32()
        if dimensions > 4:
            raise Damaged(f"tensor {_shown(name)} has {dimensions} dimensions")
        shape = tuple(self._cursor.u64() for _ in range(dimensions)) or (1,)
        if 0 in shape or max(shape) > _INT64_MAX or prod(shape) > _INT64_MAX:
            raise Damaged(f"tensor {_shown(name)} has an impossible shape")
        kind, offset = self._cursor.u32(), self._cursor.u64()
        if kind not in TENSOR_TYPES:
            raise Damaged(f"tensor {_shown(name)} has the unknown type {kind}")
        type = TENSOR_TYPES[kind]
        if shape[0] % type.block_size:
            raise Damaged(f"tensor {_shown(name)} has rows that are not whole {type.name} blocks")
        return Tensor(name, shape, type, offset)


def _numbers(cursor: Cursor, kind: int, count: int) -> tuple[int | float | bool, ...]:
    letter = _NUMBERS[kind]
    data = cursor.take(count * struct.calcsize("<" + letter))
    return struct.unpack(f"<{count}{letter}", data)


def _alignment(metadata: dict[str, Value], types: dict[str, str]) -> int:
    value = metadata.get("general.alignment", 32)
    if types.get("general.alignment", "u32") != "u32" or not isinstance(value, int):
        raise Damaged("its alignment is no 32-bit number")
    if not 8 <= value <= MAX_ALIGNMENT or value & (value - 1):
        raise Damaged(f"its alignment is {value}")
    return value


def _check_layout(tensors: tuple[Tensor, ...], alignment: int, data_offset: int, size: int) -> None:
    """Tensors lie one behind the other, each padded to the alignment, all inside the file."""
    names: set[str] = set()
    expected = 0
    for tensor in tensors:
        shown = f"tensor {_shown(tensor.name)}"
        if tensor.name in names:
            raise Damaged(f"{shown} is there twice")
        names.add(tensor.name)
        if tensor.offset % alignment:
            raise Damaged(f"{shown} is not aligned")
        if tensor.offset < expected:
            raise Damaged(f"{shown} overlaps another one")
        if data_offset + tensor.offset + tensor.n_bytes > size:
            raise Damaged(f"{shown} reaches beyond the end of the file: the file is incomplete or damaged")
        if tensor.offset != expected:
            raise Damaged(f"{shown} does not begin where the one before it ends")
        expected = _padded(tensor.offset + tensor.n_bytes, alignment)


def _padded(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _shown(name: str) -> str:
    """A name from the file, short and printable whatever it holds."""
    return ascii(name if len(name) <= 60 else name[:59] + "…")


def _printable(name: str) -> str:
    """A file's name without the half characters that a name of undecodable bytes has."""
    return name.encode("utf-8", errors="replace").decode("utf-8")


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Makes whatever can go wrong with a file an error of core.errors."""
    model = _printable(path.name or str(path))
    try:
        yield
    except Damaged as error:
        raise ModelFileInvalid(model=model, detail=str(error)) from error
    except FileNotFoundError as error:
        raise _not_found(path) from error
    except OSError as error:
        raise ModelFileInvalid(model=model, detail=error.strerror or "it cannot be read") from error
    except (MemoryError, OverflowError, RecursionError) as error:
        raise ModelFileInvalid(model=model, detail="reading it needs too much memory") from error
