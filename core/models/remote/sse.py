"""Bytes of a server-sent event stream in, the data of each event out.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html; lines end with LF or CRLF, as every server's do.
Knows nothing of what the data means.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import N_

LIMIT = 16_000_000
"""The largest line or event that is taken, bytes."""

FIELDS = {b"data", b"event", b"id", b"retry"}


class StreamInvalid(ValueError):
    """The bytes are no event stream that can be taken; says why."""


class Decoder:
    """Takes bytes as they come, cut anywhere. Time and memory grow with the bytes, however they are cut."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._sound = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of every event that is now complete. Raises `StreamInvalid`."""
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._hold(end)
            line = b"".join(self._line).removesuffix(b"\r")
            self._line.clear()
            if line:
                self._take(line)
            elif event := self._end_of_event():
                yield event
        self._hold(rest)

    def end(self) -> Iterator[bytes]:
        """At the end of the bytes: the last event, which may be half of one, if no empty line came after it."""
        yield from self.feed(b"\n\n")

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > LIMIT:
            raise StreamInvalid(N_("one event is larger than 16 MB"))
        if part:
            self._line.append(part)

    def _take(self, line: bytes) -> None:
        name, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
        if not self._sound and name and name not in FIELDS:
            raise StreamInvalid(N_("it is no event stream"))
        self._sound = True
        if name == b"data":
            self._data.append(value.removeprefix(b" "))

    def _end_of_event(self) -> bytes:
        data = b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        return data
