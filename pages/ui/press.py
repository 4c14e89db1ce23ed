"""Buttons whose click is not lost.

A run of the script that a click began is broken off when something else asks for one (an answer that has ended, a
second click), and Streamlit then forgets the click if the run had not come to its button. Here a click is noted before
the run begins, and stays noted until a run has come to the button, or to the end of the page without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

_NOTED = "presses"

T = TypeVar("T")


def button(label: str, *, key: str, **options: Any) -> bool:
    """`st.button`, whose options it takes: whether it was pressed, said once."""
    noted = _noted()
    st.button(label, key=key, on_click=noted.__setitem__, args=(key, True), **options)
    return noted.pop(key, None) is not None


def submit(label: str, *, key: str, **options: Any) -> bool:
    """`st.form_submit_button`, likewise."""
    noted = _noted()
    st.form_submit_button(label, key=key, on_click=noted.__setitem__, args=(key, True), **options)
    return noted.pop(key, None) is not None


def menu(label: str, choices: Sequence[T], *, key: str, format_func: Callable[[T], str], **options: Any) -> T | None:
    """`st.menu_button`, likewise: what was picked."""
    noted = _noted()

    def note() -> None:
        noted[key] = st.session_state[key]

    st.menu_button(label, choices, key=key, on_click=note, format_func=format_func, **options)
    picked: T | None = noted.pop(key, None)
    return picked


def forget() -> None:
    """At the end of a page: what was pressed and is no longer there must not act when it is drawn again."""
    _noted().clear()


def _noted() -> dict[str, Any]:
    """The presses that no run has come to, by the keys of their buttons. Not asked for in a callback, where asking for
    it could be what breaks the run off."""
    noted: dict[str, Any] = st.session_state.setdefault(_NOTED, {})
    return noted
