"""Draws a finished answer as Markdown, its citations as buttons, and a flag after each sentence that lacks support.

Markdown is formatted as the live answer's is: raw HTML off, then sanitised; nothing is fetched. Citations and flags are
marked in the text by characters of Unicode's private use, which are taken out of it first, and become elements only in
text nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.rag import citations
from core.rag.citations import Cited, Sentence
from pages.ui.component_key import component_key
from pages.ui.words import _

FOLDER = Path(__file__).parent
LIVE = FOLDER.parent / "live_answer"

_OURS = dict.fromkeys(map(ord, "\ue010\ue011\ue012\ue013"))
_FORMULAS = ("$", "\\(", "\\[")


def drawable(text: str) -> bool:
    """Whether this component can draw it: formulas are Streamlit's."""
    return not any(mark in text for mark in _FORMULAS)


def show(
    key: str, text: str, judged: Sequence[Sentence], names: Mapping[int, str], *, on_cited: Callable[[int], None]
) -> None:
    """Draws it. names: of the passages, by number. on_cited: called with the number of a citation that was clicked,
    before the script runs for it."""
    place = component_key(key)

    def cited() -> None:
        sent: Any = st.session_state[place].cited
        number = sent.get("number") if isinstance(sent, dict) else None
        if isinstance(number, int) and number in names:
            on_cited(number)

    data = {
        "text": marked(text, judged, len(names)),
        "names": {str(number): name for number, name in names.items()},
        "words": {
            "open": _("Open source {number}: {name}"),
            "weak": _("hardly in what it cites"),
            "uncited": _("no source"),
            "found": _("not cited, but said in"),
        },
    }
    _component(key=place, data=[data], on_cited_change=cited)  # a list: see figure_list


def marked(text: str, judged: Sequence[Sentence], count: int) -> str:
    """The text with its citations and the flags of its sentences in marks that the component reads."""
    found, at = [], 0
    for sentence in judged:
        found.append(_cited(text[at : sentence.end], count))
        if sentence.verdict in ("weak", "uncited"):
            found.append(f"\ue012{'found' if sentence.said_by else sentence.verdict}\ue013")
            found += [f"\ue010{sentence.said_by}\ue011"] if sentence.said_by else []
        at = sentence.end
    return "".join([*found, _cited(text[at:], count)])


def _cited(text: str, count: int) -> str:
    parts = []
    for piece in citations.pieces(text.translate(_OURS), count):
        if isinstance(piece, Cited):
            parts += [f"\ue010{number}\ue011" for number in piece.numbers]
        else:
            parts.append(piece)
    return "".join(parts)


def _library(name: str, umd: str) -> str:
    """A UMD library as a constant, kept out of the page's global names."""
    return (
        f"const {name} = ((module, exports, define) => {{\n{umd}\nreturn module.exports;\n}})({{exports: {{}}}}, {{}});"
    )


def _source() -> str:
    libraries = {"markdownit": "markdown-it.min.js", "DOMPurify": "purify.min.js"}
    vendored = [_library(name, (LIVE / "vendor" / file).read_text("utf-8")) for name, file in libraries.items()]
    parts = [
        path.read_text("utf-8") for path in (FOLDER.parent / "helpers.js", LIVE / "blocks.js", FOLDER / "cited.js")
    ]
    return "\n".join(vendored + parts)


_component = st.components.v2.component(
    "cited_text",
    js=_source(),
    css=(LIVE / "component.css").read_text("utf-8") + (FOLDER / "cited.css").read_text("utf-8"),
)
