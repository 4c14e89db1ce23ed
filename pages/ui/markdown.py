"""Model text drawn for good: `st.markdown`, made unable to fetch anything.

Streamlit leaves raw HTML as text, and no link runs a script. What it would fetch are images, also those in a Mermaid
diagram: an image becomes a link to it, a diagram the code it is written in. Code, tables and formulas are Streamlit's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import streamlit as st

from pages.ui import formulas

IMAGE = "!["
LINK = "!\u2060["
"""The same to the eye, and no image: a word joiner in between. In a quoted piece of code it shows nothing either."""

FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}(?=[^`]*$)|~{3,})[ \t]*(?P<language>[^\s`]*)")


def show(text: str) -> None:
    """Draws Markdown of unknown origin."""
    text = formulas.for_streamlit(text)
    if not risky(text):
        st.markdown(text)
        return
    for code, language in parts(text):
        if language is None:
            st.markdown(defused(code))
        else:
            st.code(code, language=language or None)


def risky(text: str) -> bool:
    """Whether Streamlit might fetch something for it. A code block's language may be in character references."""
    return IMAGE in text or "mermaid" in html.unescape(text).lower()


def parts(text: str) -> Iterator[tuple[str, str | None]]:
    """The text and code blocks at its outermost level, in order: (text, None) or (code, language).

    Which is which decides how it looks, not whether it is safe: text is defused, and code is never read as Markdown.
    """
    lines: list[str] = []
    fence: re.Match[str] | None = None
    for line in re.split(r"\r\n?|\n", text):
        if fence is None and (opening := FENCE.match(line)):
            yield from _part(lines, None)
            lines, fence = [], opening
        elif fence is not None and _closes(line, fence["marks"]):
            yield "\n".join(lines), fence["language"]
            lines, fence = [], None
        else:
            lines.append(line)
    yield from _part(lines, fence and fence["language"])


def defused(text: str) -> str:
    """Markdown that shows the same without images; what code blocks it has within lists or quotes are plain."""
    return re.sub(r"([`~]{3,})(?=[ \t]*[^\s`~])", r"\1text ", text.replace(IMAGE, LINK))


def _part(lines: list[str], language: str | None) -> Iterator[tuple[str, str | None]]:
    if any(line.strip() for line in lines):
        yield "\n".join(lines), language


def _closes(line: str, marks: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(marks) and set(stripped) == {marks[0]} and not line.startswith("    ")
