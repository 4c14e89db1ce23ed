"""Token bytes in, text out: UTF-8 held back until it is whole, stop strings found across token borders."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """The text of one answer. `stopped` is True once a stop string has come; nothing is given out after that."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self.stopped = False

    @property
    def holding(self) -> bool:
        """Whether anything is held back."""
        return bool(self._held or self._decoder.getstate()[0])

    def push(self, piece: bytes) -> str:
        """Text that is now certain: no half character, and no beginning of a stop string."""
        return self._release(self._decoder.decode(piece))

    def flush(self) -> str:
        """What was still held back, at the end of the answer; half a character becomes U+FFFD."""
        text = self._release(self._decoder.decode(b"", final=True))
        if self.stopped:
            return text
        text, self._held = text + self._held, ""
        return text

    def _release(self, new: str) -> str:
        if self.stopped:
            return ""
        if not self._stop:
            return new
        text = self._held + new
        found = [place for place in (text.find(s) for s in self._stop) if place >= 0]
        if found:
            self.stopped = True
            self._held = ""
            return text[: min(found)]
        keep = max(overlap(text, s) for s in self._stop)
        self._held = text[len(text) - keep :] if keep else ""
        return text[: len(text) - keep]


def overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
