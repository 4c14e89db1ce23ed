"""Which comparison is open, in the address; and the panes of one that has not been asked anything yet.

A comparison is kept from its first question on. Until then its panes are remembered by the session alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import streamlit as st

from core.arena.comparing import Comparison
from core.chat import Asking
from core.messages import Sampling
from core.models.base import ModelInfo
from core.models.routes import is_route
from core.workbench import Workbench
from pages.ui import places

DRAFT, COUNTER = "compare-draft", "compare-draft-counter"

COOL, WARM = 0.0, 1.0
"""Temperatures of the one model that is there, for a start: what is always the most probable, and what is not."""

FIRST_TOKENS = 512
"""A small model may go on for ever, as at temperature 0, and the others would wait as long."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A pane before it is asked: how it is called on the page, and how it is asked.

    `key`: of its widgets, the same for as long as the pane is there. `number`: None where it is not kept yet.
    """

    key: str
    letter: str
    asking: Asking
    number: int | None = None


def id() -> str | None:
    """The comparison in the address; None is a new one."""
    return st.query_params.get(places.COMPARISON)


def open(id: str | None) -> None:
    """Puts a comparison in the address, or a new one."""
    if id is None:
        st.query_params.pop(places.COMPARISON, None)
    else:
        st.query_params[places.COMPARISON] = id


def letter(place: int) -> str:
    """What the pane at this place is called, from 0."""
    return chr(ord("A") + place)


def setups(workbench: Workbench, owner: str, comparison: Comparison | None) -> list[Setup]:
    """The panes in their order."""
    if comparison is not None:
        return [
            Setup(pane.conversation.id, letter(place), pane.asking, pane.number)
            for place, pane in enumerate(comparison.panes)
        ]
    if DRAFT not in st.session_state:
        st.session_state[DRAFT] = [_new(asking) for asking in first_askings(workbench.models(owner))]
    return [replace(one, letter=letter(place)) for place, one in enumerate(st.session_state[DRAFT])]


def add(asking: Asking) -> None:
    """One more pane that is not kept yet."""
    st.session_state[DRAFT].append(_new(asking))


def remove(setup: Setup) -> None:
    st.session_state[DRAFT] = [one for one in st.session_state[DRAFT] if one.key != setup.key]


def remember(setup: Setup, asking: Asking) -> None:
    """How a pane that is not kept yet is set, for when its widgets have gone: another page has been looked at."""
    st.session_state[DRAFT] = [
        replace(one, asking=asking) if one.key == setup.key else one for one in st.session_state[DRAFT]
    ]


def forget() -> None:
    """The panes are kept now, in a comparison."""
    st.session_state.pop(DRAFT, None)


def first_askings(models: list[ModelInfo]) -> tuple[Asking, Asking]:
    """Two to begin with: two models of this machine, or the one that is there at two temperatures."""
    here = [model.id for model in models if model.local and not is_route(model.id)]
    first = Asking(model_id=here[0] if here else None, max_tokens=FIRST_TOKENS)
    if len(here) > 1:
        return first, msgspec.structs.replace(first, model_id=here[1])
    return at_temperature(first, COOL), at_temperature(first, WARM)


def at_temperature(asking: Asking, temperature: float) -> Asking:
    """The same at another temperature."""
    sampling: Sampling = msgspec.structs.replace(asking.sampling, temperature=temperature)
    return msgspec.structs.replace(asking, sampling=sampling)


def _new(asking: Asking) -> Setup:
    st.session_state[COUNTER] = st.session_state.get(COUNTER, 0) + 1
    return Setup(f"new-pane-{st.session_state[COUNTER]}", "", asking)
