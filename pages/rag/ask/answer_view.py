"""An answer with its citations: numbers that lead to their passages, sentences that nothing supports marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.rag import citations, prompt
from core.rag.citations import CITATION, Sentence, numbers_in
from core.rag.grounding import Grounding
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.rag.ask import sources
from pages.ui import cited_text, markdown, message_text
from pages.ui.words import _, percent
from pages.ui.words import count as count_

UNMARKED = ("```", "~~~", "$$", "\n|")
"""What is in a text whose sentences are not marked: a mark within code or a table would be a part of it."""


def show(workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding, *, newest: bool) -> None:
    """Draws an answer that has ended, and the passages under it."""
    judged = citations.judged(message.content, grounding)
    names = {one.number: sources.where(one.chunk) for one in grounding.passages}

    def draw(text: str) -> None:
        if cited_text.drawable(text):
            key = f"cited-{message.id}"
            cited_text.show(key, text, judged, names, on_cited=partial(sources.open_source, message.id))
        else:
            markdown.show(marked(text, judged, len(names)))

    message_text.answer(message, newest=newest, raw=False, unkept=None, draw=draw)
    cited = citations.cited(message.content, len(grounding.passages))
    if prompt.says_not_there(CITATION.sub("", message.content)):
        st.info(
            _("The model says that the passages do not hold it. Below is what was searched."), icon=":material/info:"
        )
    elif message.content:
        _support(message.id, judged)
    sources.show(workbench, me, message.id, grounding, cited=cited)


def marked(text: str, judged: Sequence[Sentence], count: int) -> str:
    """The text with citations as badges, and a badge after each sentence that is not supported."""
    if any(mark in text for mark in UNMARKED):
        return text
    found, at = [], 0
    for sentence in judged:
        found.append(_badges(text[at : sentence.end], count))
        if sentence.verdict in ("weak", "uncited"):
            word = _("hardly in what it cites") if sentence.verdict == "weak" else _("no source")
            found.append(f" :orange-badge[:material/flag: {word}]")
            if sentence.said_by is not None:
                found.append(f" :gray-badge[{sentence.said_by} ?]")
        at = sentence.end
    return "".join([*found, _badges(text[at:], count)])


def _badges(text: str, count: int) -> str:
    def badge(match: re.Match[str]) -> str:
        numbers = [number for number in numbers_in(match[1]) if 0 < number <= count]
        return "".join(f":green-badge[{number}]" for number in numbers) or match[0]

    return CITATION.sub(badge, text)


def _support(message_id: str, judged: Sequence[Sentence]) -> None:
    telling = [one for one in judged if one.verdict != "unjudged"]
    if not telling:
        return
    supported = count_(sum(one.verdict == "supported" for one in telling))
    total = count_(len(telling))
    title = [_("Sentences that rest on what they cite: {count} of {total}", count=supported, total=total)]
    if there := sum(one.said_by is not None for one in telling):
        title.append(_("said in the documents without citing them: {count}", count=count_(there)))
    box = st.expander(" · ".join(title), icon=":material/fact_check:", key=f"support-{message_id}", on_change="rerun")
    if not box.open:
        return
    words = {
        "supported": _("supported"),
        "weak": _("hardly in what it cites"),
        "uncited": _("no source"),
        "unjudged": _("not judged"),
    }
    with box:
        st.caption(
            _(
                "An estimate: the share of a sentence's own words that are in the passages it cites. A true sentence "
                "in other words may look unsupported, and a wrong one made of the same words supported. Read "
                "the passage."
            )
        )
        st.table(
            [
                {
                    _("sentence"): one.text.replace("|", "∣"),
                    _("cites"): ", ".join(map(str, one.numbers)) or "–",
                    _("closest"): str(one.closest or "–"),
                    _("shared words"): percent(one.share),
                    _("verdict"): words[one.verdict],
                }
                for one in judged
            ]
        )
