"""Draws an answer as it comes, without running the script for each token.

A `st.components.v2` component follows the answer at the addresses of route.py and asks for one rerun when it has ended.
Where it cannot follow (a proxy that lets no WebSocket through) a fragment draws the text twice a second instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import streamlit as st

from core.answers import Answer
from core.events import Loading, Prefill, Queued
from pages.ui import markdown
from pages.ui.words import _, count, language, percent

FOLDER = Path(__file__).parent

REDRAW_S = 0.5
"""Seconds between drawings where the component cannot follow."""


def show(key: str, answer: Answer, *, words: Mapping[str, str] | None = None) -> bool:
    """Draws `answer` while it runs; whether it has ended, which it is then for the page to draw for good.

    key: names the place on the page. Nothing is drawn of an answer that has ended. words: those of the component that
    are others here, by their names in `_words`.
    """
    if answer.ended:
        return True
    if st.session_state.get(_fallback_key(key)) == answer.id:
        _redraw(key, answer)
        return False
    # One key an answer, and the same data as long as it runs: Streamlit then leaves the component alone.
    _component(
        key=f"{key}-{answer.id}",
        # In a list: of a dictionary's values Streamlit asks whether they are data frames, and imports pandas for that.
        data=[{"id": answer.id, "language": language(), "words": {**_words(), **(words or {})}}],
        on_ended_change=_nothing,
        on_fallback_change=partial(_fall_back, key, answer.id),
    )
    return False


def _source() -> str:
    """The component's script: the vendored libraries, each in a scope of its own, and then our parts."""
    libraries = {"markdownit": "markdown-it.min.js", "DOMPurify": "purify.min.js"}
    vendored = [_library(name, (FOLDER / "vendor" / file).read_text("utf-8")) for name, file in libraries.items()]
    files = ("../helpers.js", "blocks.js", "connection.js", "component.js")
    parts = [(FOLDER / file).read_text("utf-8") for file in files]
    return "\n".join(vendored + parts)


def _library(name: str, umd: str) -> str:
    """A UMD library as a constant, kept out of the page's global names."""
    return (
        f"const {name} = ((module, exports, define) => {{\n{umd}\nreturn module.exports;\n}})({{exports: {{}}}}, {{}});"
    )


_component = st.components.v2.component(
    "workbench_live_answer", js=_source(), css=(FOLDER / "component.css").read_text("utf-8")
)


def _words() -> dict[str, str]:
    """The component's words; it fills their {placeholders} itself."""
    return {
        "routed": _("Model: {model}"),
        "waiting": _("Waiting for the model…"),
        "loading": _("Loading the model… {percent}"),
        "queued": _("Place {position} in the queue"),
        "prefill": _("Reading the prompt… {done} of {total} tokens"),
        "figures": _("{tokens} tokens · {rate} tokens/s"),
        "seconds_to_go": _("≈ {seconds} s to go"),
        "minutes_to_go": _("≈ {minutes} min to go"),
        "thinking": _("Thinking… {seconds} s"),
        "thought": _("Thought for {seconds} s"),
        "stop": _("Stop"),
        "stop_help": _("Stops the answer and keeps what has come (Escape)"),
        "lost": _("The connection is lost. Trying again…"),
        "started": _("The answer begins."),
        "ended": _("The answer has ended."),
    }


def _nothing() -> None:
    """A component's value exists only with a callback."""


def _fallback_key(key: str) -> str:
    return f"{key}-cannot-follow"


def _fall_back(key: str, answer_id: str) -> None:
    st.session_state[_fallback_key(key)] = answer_id


@st.fragment(run_every=REDRAW_S)
def _redraw(key: str, answer: Answer) -> None:
    ended = answer.since()[-1]
    if ended:
        st.rerun()
    st.caption(_("This answer cannot be followed live here, so it is drawn twice a second."))
    if answer.state == "answering":
        markdown.show(answer.text)
    else:
        st.text(_waiting(answer))
    st.button(_("Stop"), key=f"{key}-stop", on_click=answer.stop)


def _waiting(answer: Answer) -> str:
    """What the answer waits for, in words."""
    match answer.progress:
        case Loading(fraction):
            return _("Loading the model… {percent}", percent=percent(fraction))
        case Queued(position):
            return _("Place {position} in the queue", position=count(position))
        case Prefill(done, total):
            return _("Reading the prompt… {done} of {total} tokens", done=count(done), total=count(total))
    return _("Waiting for the model…")
