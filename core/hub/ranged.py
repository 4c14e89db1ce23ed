"""A file on the Hub, read by ranges: as much of it as a GGUF header takes, and never more than a few MB.

Each range fetched is twice the one before, so that a small header costs one small request and a large vocabulary few.
What the server sends is bounded by what was asked for, whatever it claims.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from core.errors import N_, HubFailed, HubUnreachable
from core.gguf.cursor import Damaged
from core.hub import session

FIRST = 1 << 20
LARGEST = 8 << 20
"""Bytes of the first range and of the largest."""

MOST = 48 << 20
"""Bytes fetched of one file, all together; the largest vocabularies published take about 30 MB."""

Fetch = Callable[[int, int], AbstractContextManager[Any]]


class Ranged:
    """Reads and seeks like a file of `size` bytes. `fetch(start, end)` opens a response with those bytes; `address` is
    the Hub's, for errors."""

    def __init__(self, fetch: Fetch, *, size: int, address: str) -> None:
        self.fetched = 0
        self._fetch = fetch
        self._size = size
        self._address = address
        self._position = 0
        self._window = b""
        self._start = 0
        self._next = FIRST

    def seek(self, position: int) -> int:
        """From the file's beginning."""
        self._position = position
        return position

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the file's end. Raises `Damaged` where that is too much of a file."""
        count = min(count, self._size - self._position)
        at = self._position - self._start
        if not 0 <= at <= at + count <= len(self._window):
            kept = self._window[at:] if 0 <= at < len(self._window) else b""
            self._load(kept, max(count - len(kept), self._next))
            at = 0
        data = self._window[at : at + count]
        self._position += len(data)
        return data

    def _load(self, kept: bytes, count: int) -> None:
        start = self._position + len(kept)
        count = min(count, self._size - start)
        if self.fetched + count > MOST:
            raise Damaged(f"its header is larger than {MOST >> 20} MB")
        new = self._get(start, count)
        self.fetched += len(new)
        self._window, self._start = kept + new, self._position
        self._next = min(self._next * 2, LARGEST)

    def _get(self, start: int, count: int) -> bytes:
        import httpx2

        data = bytearray()
        try:
            with self._fetch(start, start + count) as response:
                if response.status_code != 206 and start:
                    raise HubFailed(detail=N_("it does not send parts of a file"))
                total = response.headers.get("content-range", "").rpartition("/")[2]
                if total.isdecimal() and int(total) != self._size:
                    raise Damaged("its size is not the one that the Hub lists")
                for chunk in response.iter_raw():
                    data += chunk
                    if len(data) >= count:
                        break
        except httpx2.TransportError as error:
            raise HubUnreachable(address=self._address, detail=session.said(error)) from error
        return bytes(data[:count])
