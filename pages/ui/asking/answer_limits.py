"""How long an answer may be, where it ends, and the form it must have."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from core import sampling_text
from core.chat import Asking
from core.errors import SchemaInvalid
from core.messages import Overflow
from pages.ui import error_box
from pages.ui.asking.sampling_widgets import Place
from pages.ui.words import _

POLICIES: tuple[Overflow, ...] = ("rolling", "truncate_middle", "stop")
LONGEST = 2**31 - 1
"""Tokens: llama.cpp counts them in 32 bits."""

Form = Literal["none", "json_schema", "grammar"]
FORMS: tuple[Form, ...] = ("none", "json_schema", "grammar")
_SENT_AS = {"none": None, "json_schema": "response_format", "grammar": "grammar"}
"""What an endpoint calls it."""


def length(place: Place, begun: int | None) -> int | None:
    """Tokens after which an answer is cut; None: as many as fit."""
    id = place.id("max_tokens")
    st.session_state.setdefault(id, begun if begun is not None and 1 <= begun <= LONGEST else None)
    chosen: int | None = st.number_input(
        _("Maximum tokens"),
        min_value=1,
        max_value=LONGEST,
        value=None,
        step=64,
        key=id,
        placeholder=_("as many as fit"),
        help=_(
            "The answer is cut after this many tokens. Empty: it ends when the model ends it or the context is full."
        ),
    )
    return chosen


def stop_strings(place: Place, begun: tuple[str, ...]) -> tuple[str, ...]:
    """The texts at which an answer ends."""
    id = place.id("stop")
    written = sampling_text.strings_text(begun)
    st.session_state.setdefault(id, written)
    refusal = place.refusal("stop")
    text: str = st.text_area(
        _("Stop strings"),
        st.session_state[id],
        height=100,
        key=id,
        disabled=refusal is not None,
        help=_("One on each line; \\n stands for a line break. The answer ends before the first of them."),
    )
    chosen = begun if text == written else sampling_text.strings(text)
    st.caption(refusal or (_("The answer ends before any of these.") if chosen else _("None: the model ends it.")))
    return chosen


def overflow(place: Place, begun: Overflow) -> Overflow:
    """What happens when the context is full; a matter of models on this machine."""
    chosen = st.selectbox(
        _("When the context is full"),
        POLICIES,
        index=POLICIES.index(begun),
        format_func=_policy,
        key=place.id("overflow"),
        disabled=place.provider is not None,
    )
    if place.provider is not None:
        st.caption(_("{provider} decides what happens then.", provider=place.who()))
    return chosen


def form(place: Place, begun: Asking) -> tuple[str | None, dict[str, Any] | None]:
    """The grammar and the JSON schema, at most one of them. Where the schema is none, the last usable one."""
    id = place.id("form")
    st.session_state.setdefault(id, _form_of(begun))
    taken = [kind for kind in FORMS if _SENT_AS[kind] not in place.unsupported or kind == st.session_state[id]]
    chosen = st.segmented_control(
        _("Form of the answer"),
        taken,
        default=st.session_state[id],
        format_func=_form,
        key=id,
        label_visibility="collapsed",
        disabled=taken == ["none"],
    )
    if chosen in (None, "none"):
        refused = len(taken) < len(FORMS)
        st.caption(_refused_forms(place, taken) if refused else _("The model writes as it likes."))
        return None, None
    if chosen == "grammar":
        return _grammar(place, begun.grammar), None
    return None, _schema(place, begun.json_schema)


def wrong_schema(place: Place) -> SchemaInvalid | None:
    """What is wrong with the JSON schema, where one is asked for; None when nothing is."""
    if st.session_state.get(place.id("form")) != "json_schema":
        return None
    try:
        sampling_text.json_schema(st.session_state.get(place.id("json_schema"), sampling_text.SCHEMA_EXAMPLE))
    except SchemaInvalid as error:
        return error
    return None


def _grammar(place: Place, begun: str | None) -> str:
    text = _code(place, "grammar", _("GBNF grammar"), begun or sampling_text.GRAMMAR_EXAMPLE)
    st.caption(place.refusal("grammar") or _("Every token must fit the grammar, from its rule root on."))
    return text


def _schema(place: Place, begun: dict[str, Any] | None) -> dict[str, Any] | None:
    written = sampling_text.SCHEMA_EXAMPLE if begun is None else sampling_text.json_schema_text(begun)
    text = _code(place, "json_schema", _("JSON schema"), written)
    if wrong := wrong_schema(place):
        error_box.show(wrong)
        return begun
    st.caption(place.refusal("response_format") or _("Every token must fit: the answer is JSON of this schema."))
    return begun if begun is not None and text == written else sampling_text.json_schema(text)


def _code(place: Place, name: str, label: str, begun: str) -> str:
    id = place.id(name)
    st.session_state.setdefault(id, begun)
    # Kept while another form is looked at.
    return str(st.text_area(label, st.session_state[id], height=220, key=id, persist_state="page"))


def _refused_forms(place: Place, taken: list[Form]) -> str:
    names = ", ".join(_form(kind) for kind in FORMS if kind not in taken)
    return _("{provider} does not take these: {names}.", provider=place.who(), names=names)


def _form_of(begun: Asking) -> Form:
    if begun.json_schema is not None:
        return "json_schema"
    return "none" if begun.grammar is None else "grammar"


def _form(kind: Form) -> str:
    return {"none": _("Any"), "json_schema": _("JSON schema"), "grammar": _("GBNF grammar")}[kind]


def _policy(policy: Overflow) -> str:
    return {
        "rolling": _("forget the oldest messages"),
        "truncate_middle": _("leave out the middle"),
        "stop": _("stop and say so"),
    }[policy]
