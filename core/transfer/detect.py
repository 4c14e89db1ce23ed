"""A file of bytes in, its conversations out, whichever of the known formats it is in.

The file is split into its conversations without being read further; each is read when it is asked for. So memory holds
the file and one conversation, whatever the file's size up to `LIMIT_MB`, which is also what a browser may send here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from typing import overload

import msgspec

from core.errors import N_, ImportInvalid, ImportTooLarge, ImportUnknown
from core.transfer import chatgpt, imported, open_webui, openai_messages, ours
from core.transfer.imported import BROKEN, Imported

LIMIT_MB = 200
LIMIT_BYTES = LIMIT_MB * 1_000_000
LIMIT_VALUES = 10_000_000
"""Commas in a file: each may part two values of some 80 bytes. A file of text has one in a hundred bytes."""

Reader = Callable[[msgspec.Raw], Imported]

_ABSENT = msgspec.Raw(b"")
_CHUNK = 1 << 20

# What JavaScript writes for half a character, which is none: msgspec refuses it. Pairs and other escapes stay.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class _Shape(msgspec.Struct, frozen=True):
    """The fields that tell the formats apart."""

    format: msgspec.Raw = _ABSENT
    version: msgspec.Raw = _ABSENT
    conversations: msgspec.Raw = _ABSENT
    mapping: msgspec.Raw = _ABSENT
    chat: msgspec.Raw = _ABSENT
    history: msgspec.Raw = _ABSENT
    messages: msgspec.Raw = _ABSENT
    role: msgspec.Raw = _ABSENT


class _Body(msgspec.Struct, frozen=True):
    messages: list[msgspec.Raw]
    model: str | None = None


class Conversations(Sequence[Imported]):
    """The conversations of a file, each read when it is asked for."""

    def __init__(self, elements: Sequence[msgspec.Raw], reader: Reader) -> None:
        self._elements = elements
        self._reader = reader

    def __len__(self) -> int:
        return len(self._elements)

    @overload
    def __getitem__(self, index: int) -> Imported: ...

    @overload
    def __getitem__(self, index: slice) -> Conversations: ...

    def __getitem__(self, index: int | slice) -> Imported | Conversations:
        if isinstance(index, slice):
            return Conversations(self._elements[index], self._reader)
        return self._reader(self._elements[index])


def read(data: bytes) -> Sequence[Imported]:
    """The file's conversations, at least one.

    Raises `ImportTooLarge`, `ImportInvalid`, `ImportUnknown` or `ImportFromFuture`.
    """
    if len(data) > LIMIT_BYTES:
        raise ImportTooLarge(size_mb=round(len(data) / 1e6), limit_mb=LIMIT_MB)
    data = data.removeprefix(codecs.BOM_UTF8).strip()
    if not data:
        raise ImportInvalid(detail=N_("it is empty"))
    if data.count(b",") > LIMIT_VALUES:
        raise ImportInvalid(detail=N_("it holds too many values"))
    try:
        _check_encoding(data)
        found = _conversations(data)
    except BROKEN as exc:
        found = _conversations_mended(data, exc)
    if not found:
        raise ImportInvalid(detail=N_("there is no conversation in it"))
    return found


def _conversations_mended(data: bytes, fault: Exception) -> Sequence[Imported]:
    if isinstance(fault, RecursionError):
        raise ImportInvalid(detail=N_("it is nested too deeply")) from fault
    if isinstance(fault, UnicodeDecodeError):
        raise ImportInvalid(detail=N_("it is not written in UTF-8")) from fault
    try:
        return _conversations(_ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], data))
    except BROKEN as exc:
        raise ImportInvalid(detail=N_("it is not JSON, or not all of it")) from exc


def _conversations(data: bytes) -> Sequence[Imported]:
    whole = msgspec.Raw(data)
    if data[:1] == b"{":
        return _of_object(whole)
    if data[:1] != b"[":
        msgspec.json.decode(data)
        raise ImportUnknown()
    elements = msgspec.json.decode(data, type=list[msgspec.Raw])
    if not elements:
        return ()
    if _is(_shape(elements[0]).role):
        return Conversations([whole], _messages)
    return Conversations(elements, _reader(_shape(elements[0])))


def _of_object(whole: msgspec.Raw) -> Sequence[Imported]:
    shape = _shape(whole)
    if imported.decoded(shape.format, str) != ours.FORMAT:
        return Conversations([whole], _reader(shape))
    version = imported.decoded(shape.version, int)
    if version is None or not _is(shape.conversations):
        raise ImportUnknown()
    ours.check_version(version)
    return Conversations(imported.decoded(shape.conversations, list[msgspec.Raw]) or [], ours.conversation)


def _shape(data: msgspec.Raw) -> _Shape:
    """Raises `ImportUnknown` for what is no object."""
    if not _start(data).startswith(b"{"):
        raise ImportUnknown()
    return msgspec.json.decode(data, type=_Shape)


def _reader(shape: _Shape) -> Reader:
    if _is(shape.mapping):
        return chatgpt.conversation
    if _is(shape.chat) or _is(shape.history):
        return open_webui.conversation
    if _is(shape.messages):
        return _body
    raise ImportUnknown()


def _messages(data: msgspec.Raw) -> Imported:
    return openai_messages.conversation(imported.decoded(data, list[msgspec.Raw]) or [])


def _body(data: msgspec.Raw) -> Imported:
    body = imported.decoded(data, _Body)
    if body is None:
        return imported.nothing(imported.UNREADABLE)
    return openai_messages.conversation(body.messages, model=body.model)


def _is(field: msgspec.Raw) -> bool:
    return _start(field) not in (b"", b"null")


def _start(data: msgspec.Raw) -> bytes:
    return bytes(memoryview(data)[:4])


def _check_encoding(data: bytes) -> None:
    """Raises `UnicodeDecodeError`. In pieces: the whole text would take up to four times the file's memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _CHUNK):
        decoder.decode(data[start : start + _CHUNK])
    decoder.decode(b"", final=True)
