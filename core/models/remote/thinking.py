"""Tells a `<think>` block at the head of an answer from the answer itself, wherever the text is cut.

Only at the head: an answer that speaks *about* the tag keeps it. White space around the tags belongs to neither.
"""

from __future__ import annotations

from typing import Literal

OPEN, CLOSE = "<think>", "</think>"

Part = tuple[bool, str]
"""Whether it is thinking, and its text, never empty."""


class Thinking:
    """The text of one answer. `inside`: whether what comes next is thinking."""

    def __init__(self) -> None:
        self._state: Literal["head", "thinking", "answer"] = "head"
        self._held = ""
        self._trim = False

    @property
    def inside(self) -> bool:
        return self._state == "thinking"

    def push(self, text: str) -> list[Part]:
        """What is now certain to be thinking or answer."""
        self._held += text
        parts: list[Part] = []
        if self._state == "head":
            self._leave_head()
        if self._state == "thinking":
            parts += self._think()
        if self._state == "answer":
            parts += self._part(self._held)
            self._held = ""
        return parts

    def flush(self) -> list[Part]:
        """What was still held back, at the end of the answer."""
        held, self._held = self._held, ""
        return self._part(held)

    def _leave_head(self) -> None:
        head = self._held.lstrip()
        if head.startswith(OPEN):
            self._state, self._held, self._trim = "thinking", head.removeprefix(OPEN), True
        elif not OPEN.startswith(head):
            self._state = "answer"

    def _think(self) -> list[Part]:
        thought, tag, rest = self._held.partition(CLOSE)
        if tag:
            parts = self._part(thought)
            self._state, self._held, self._trim = "answer", rest, True
            return parts
        keep = next((n for n in range(len(CLOSE) - 1, 0, -1) if self._held.endswith(CLOSE[:n])), 0)
        certain = self._held[: len(self._held) - keep]
        self._held = self._held[len(certain) :]
        return self._part(certain)

    def _part(self, text: str) -> list[Part]:
        if self._trim:
            text = text.lstrip()
            self._trim = not text
        return [(self.inside, text)] if text else []
