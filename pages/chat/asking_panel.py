"""How the model is asked: which one, its system prompt, temperature, length, and what happens to a full context."""

from __future__ import annotations

import msgspec
import streamlit as st

from core.chat import Asking, asking_of
from core.messages import Overflow
from core.models.catalog import Catalog
from core.store.records import Conversation
from pages.ui import model_picker
from pages.ui.words import _, number

POLICIES: tuple[Overflow, ...] = ("rolling", "truncate_middle", "stop")


def show(catalog: Catalog, conversation: Conversation | None) -> Asking:
    """How the next question will be asked. Begins as the conversation was left."""
    begun = asking_of(conversation) if conversation else Asking()
    key = conversation.id if conversation else "new"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        model_id = model_picker.show(f"model-{key}", catalog, begun.model_id)
        with st.popover(
            _("Settings"), icon=":material/tune:", help=_("What decides the next answer"), key=f"settings-{key}"
        ):
            asking = _settings(key, begun)
    return msgspec.structs.replace(asking, model_id=model_id)


def _settings(key: str, begun: Asking) -> Asking:
    system_prompt = st.text_area(
        _("System prompt"),
        begun.system_prompt,
        key=f"system-{key}",
        placeholder=_("You are a patient teacher."),
        help=_(
            "Stands before the conversation and tells the model who it is. It takes room in the context every time."
        ),
    )
    temperature = st.slider(_("Temperature"), 0.0, 2.0, begun.sampling.temperature, 0.05, key=f"temperature-{key}")
    st.caption(_temperature_means(temperature))
    max_tokens = st.number_input(
        _("Maximum tokens"),
        min_value=1,
        max_value=100_000,
        value=begun.max_tokens,
        step=64,
        key=f"max-tokens-{key}",
        placeholder=_("as many as fit"),
        help=_(
            "The answer is cut after this many tokens. Empty: it ends when the model ends it or the context is full."
        ),
    )
    overflow = st.selectbox(
        _("When the context is full"),
        POLICIES,
        index=POLICIES.index(begun.overflow),
        format_func=_policy,
        key=f"overflow-{key}",
    )
    sampling = msgspec.structs.replace(begun.sampling, temperature=temperature)
    return Asking(system_prompt=system_prompt, sampling=sampling, max_tokens=max_tokens, overflow=overflow)


def _policy(policy: Overflow) -> str:
    return {
        "rolling": _("forget the oldest messages"),
        "truncate_middle": _("leave out the middle"),
        "stop": _("stop and say so"),
    }[policy]


def _temperature_means(value: float) -> str:
    if value == 0:
        return _("0: always the most probable token, so always the same answer.")
    if value < 1:
        return _("{value}: probable tokens are favoured, more than the model would.", value=number(value))
    if value == 1:
        return _("1: tokens are drawn as often as the model finds them probable.")
    return _("{value}: improbable tokens get more chances, and answers become odd.", value=number(value))
