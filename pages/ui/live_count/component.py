"""Shows what a question takes of the context while it is typed in `st.chat_input`, without running the script.

A `st.components.v2` component reads the input and has it counted at the addresses of route.py: 150 ms after the last
key, one count at a time, the newest question first. It also reads the files as they are attached. Typing waits for none
of it.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.attachments import LIMIT_MB
from core.messages import Overflow
from core.plots import ORIGIN_COLOURS
from pages.ui.words import _, language, ngettext

FOLDER = Path(__file__).parent


def show(key: str, draft: str, *, run: int, input_key: str, policy: Overflow, local: bool) -> None:
    """The line under the input. draft: the id at which it is counted. run: another number has it counted again.

    input_key: of the `st.chat_input`. local: whether the model can be counted exactly, once it is in memory.
    """
    data = {
        "id": draft,
        "run": run,
        "input": f".st-key-{input_key}",
        "language": language(),
        "limit_mb": LIMIT_MB,
        "words": _words(policy, local=local),
        "parts": _parts(),
    }
    # In a list: of a dictionary's values Streamlit asks whether they are data frames, and imports pandas for that.
    _component(key=key, data=[data], on_expired_change=_nothing)


_component = st.components.v2.component(
    "workbench_live_count",
    js="\n".join((FOLDER / file).read_text("utf-8") for file in ("../helpers.js", "component.js")),
    css=(FOLDER / "component.css").read_text("utf-8"),
)


def _nothing() -> None:
    """A component's value exists only with a callback."""


def _parts() -> list[dict[str, str]]:
    """The origins in the bar's order, each with its name and its two colours."""
    names = {
        "system": _("system"),
        "history": _("history"),
        "documents": _("attached files"),
        "tools": _("tools"),
        "question": _("question"),
        "answer": _("beginning of the answer"),
        "free": _("free"),
    }
    return [
        {"origin": origin, "name": names[origin], "light": colour.light, "dark": colour.dark}
        for origin, colour in ORIGIN_COLOURS.items()
    ]


def _words(policy: Overflow, *, local: bool) -> dict[str, str]:
    """The component's words; it fills their {placeholders} itself."""
    return {
        "of_known": _("{tokens} of {length} tokens"),
        "of_unknown": _("{tokens} tokens"),
        "part": _("{name}: {tokens}"),
        "exact": _("Counted by the model’s own tokenizer: all that is sent, with the marks of the chat template."),
        "estimate": _("Estimated at four characters a token, until the model is in memory.")
        if local
        else _("Estimated at four characters a token: this model’s tokenizer is not here."),
        "too_long": _("Too long: the context holds {length} tokens. Shorten it, or choose another policy in Settings.")
        if local
        else _("Too long: the context holds {length} tokens. Shorten it."),
        "cut": _("Does not fit: {tokens} tokens in the middle of the longest message would be left out."),
        "rag": _("Long files are for the RAG page, which finds the passages that answer."),
        "file_too_large": _("{file} is larger than {limit_mb} MB."),
        "file_failed": _("{file} could not be counted."),
        **_dropping(policy),
    }


def _dropping(policy: Overflow) -> dict[str, str]:
    """What would be left out, for one message and for many; {count} and {tokens} stay to be filled."""
    return {form: _drops(policy, number) for form, number in (("drops_one", 1), ("drops_other", 2))}


def _drops(policy: Overflow, number: int) -> str:
    if policy == "truncate_middle":
        return ngettext(
            "Does not fit: {count} message of the middle would be left out ({tokens} tokens).",
            "Does not fit: {count} messages of the middle would be left out ({tokens} tokens).",
            number,
            count="{count}",
            tokens="{tokens}",
        )
    return ngettext(
        "Does not fit: the oldest message would be left out ({tokens} tokens).",
        "Does not fit: the {count} oldest messages would be left out ({tokens} tokens).",
        number,
        count="{count}",
        tokens="{tokens}",
    )
