"""The terminal: answers and JSON go to standard output, everything about them to standard error.

Text from a model or a file that goes to a terminal has its control characters taken out: an escape sequence could
rewrite what stands there. Into a pipe or a file it goes as it is.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

from core.errors import WorkbenchError


def printable(text: str) -> str:
    """The text with control characters other than tab and line feed replaced by U+FFFD."""
    return "".join(c if c in "\t\n" or unicodedata.category(c) != "Cc" else "\ufffd" for c in text)


def write(text: str) -> None:
    """Writes to standard output at once, with no line end added."""
    _put(sys.stdout, printable(text) if sys.stdout.isatty() else text)


def say(text: str) -> None:
    """A line on standard error."""
    _put(sys.stderr, printable(text) + "\n")


def write_json(value: Any) -> None:
    """One JSON value on a line of standard output, in UTF-8 whatever the terminal's encoding is."""
    import msgspec

    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns under their heads, on standard output; all but the last as wide as they need."""
    lines = [[printable(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) - 1)]
    for line in lines:
        write("  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]]).rstrip() + "\n")


def write_error(error: WorkbenchError, *, as_json: bool) -> None:
    """What happened and what to do: on standard error, or as a JSON object on standard output."""
    if as_json:
        write_json(described(error))
        return
    say(f"error: {error}")
    if hint := error.advice():
        say(f"hint: {hint}")


def described(error: WorkbenchError) -> dict[str, str]:
    """The error as the command line's JSON has it."""
    return {"error": type(error).__name__, "message": str(error), "hint": error.advice()}


class Progress:
    """One line on standard error that is written over again; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = ""

    def show(self, text: str) -> None:
        """Replaces the line."""
        if self._live and text != self._shown:
            _put(sys.stderr, f"\r\x1b[K{printable(text)}" if text else "\r\x1b[K")
            self._shown = text

    def clear(self) -> None:
        """Takes the line away."""
        self.show("")


def _put(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a terminal that has no such characters
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, errors="replace").decode(encoding))
    stream.flush()
