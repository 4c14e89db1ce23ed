"""One widget a row of core/sampling_table.py, with what its value does under it. Knows no parameter by name.

The state of a widget is what its row's value looks like (a number, a switch, lines of text); `seed` fills it, `read`
makes the value of it again, and what is not touched stays as it was to the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import streamlit as st

from core import sampling_text
from core.errors import SettingInvalid
from core.messages import Sampling
from core.models.local.limits import RANGES
from core.models.recommended import FREE
from core.sampling_help import meaning
from core.sampling_table import PARAMETERS, Parameter
from pages.ui import error_box
from pages.ui.words import _, language, number

_DEFAULTS = Sampling()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the widgets of one conversation stand, and who will answer; provider None is this machine."""

    key: str
    unsupported: frozenset[str] = frozenset()
    provider: str | None = None

    def id(self, name: str) -> str:
        """The key of a widget: `top-p-KEY`."""
        return f"{name.replace('_', '-')}-{self.key}"

    def who(self) -> str:
        """The provider's name as Markdown shows it unchanged."""
        return error_box.plain(self.provider or _("This endpoint"))

    def refusal(self, name: str) -> str | None:
        """Why the parameter cannot be set here; None where it can."""
        return _("{provider} does not take this.", provider=self.who()) if name in self.unsupported else None


def seed(place: Place, sampling: Sampling) -> None:
    """Fills the state of widgets that are not there yet."""
    for row in PARAMETERS.values():
        st.session_state.setdefault(place.id(row.name), _shown(row, getattr(sampling, row.name)))


def fill(place: Place, sampling: Sampling) -> None:
    """Sets the widgets to these values, but for the fields that a preset says nothing of."""
    for row in PARAMETERS.values():
        if row.name not in FREE:
            st.session_state[place.id(row.name)] = _shown(row, getattr(sampling, row.name))


def read(place: Place, begun: Sampling) -> Sampling:
    """What the widgets say; where a text says nothing usable, what was there."""
    values = {
        row.name: _value(row, st.session_state[place.id(row.name)], getattr(begun, row.name))
        for row in PARAMETERS.values()
    }
    return msgspec.structs.replace(begun, **values)


def draw(place: Place, row: Parameter, sampling: Sampling) -> None:
    """The row's widget, and what its value does among those of `sampling`."""
    id = place.id(row.name)
    refusal = place.refusal(row.name)
    what = _(row.help)
    common: dict[str, Any] = {"key": id, "help": f"{what} (`{row.name}`)", "disabled": refusal is not None}
    with st.container(gap="xsmall"):
        _WIDGETS[row.kind](row, _(row.label), common)
        if row.kind == "biases" and refusal is None and (wrong := wrong_biases(place)):
            error_box.show(wrong)
        else:
            st.caption(refusal or meaning(row.name, sampling).said(language()))


def wrong_biases(place: Place) -> SettingInvalid | None:
    """What is wrong with the lines of the logit bias; None when nothing is."""
    try:
        sampling_text.logit_bias(st.session_state.get(place.id("logit_bias"), ""))
    except SettingInvalid as error:
        return error
    return None


def _slider(row: Parameter, label: str, common: dict[str, Any]) -> None:
    # A conversation from elsewhere may be warmer than what is offered, and a slider's range must not change under it.
    top = f"{common['key']}-top"
    st.session_state[top] = max(st.session_state.get(top, row.high), st.session_state[common["key"]])
    st.slider(label, row.low, st.session_state[top], st.session_state[common["key"]], row.step, **common)


def _number(row: Parameter, label: str, common: dict[str, Any]) -> None:
    default = getattr(_DEFAULTS, row.name)
    st.number_input(
        label,
        min_value=row.low,
        max_value=row.high,
        value=None,
        step=row.step,
        format=None if row.whole else "%g",
        placeholder=_("a new one for each answer") if default is None else number(default),
        **common,
    )


def _switch(row: Parameter, label: str, common: dict[str, Any]) -> None:
    st.toggle(label, st.session_state[common["key"]], **common)


def _text(row: Parameter, label: str, common: dict[str, Any]) -> None:
    begun = st.session_state[common["key"]]
    st.text_area(label, begun, height=100, placeholder="1234 = -5" if row.kind == "biases" else None, **common)


_WIDGETS: dict[str, Callable[[Parameter, str, dict[str, Any]], None]] = {
    "slider": _slider,
    "number": _number,
    "switch": _switch,
    "lines": _text,
    "biases": _text,
}


def _shown(row: Parameter, value: Any) -> Any:
    """A value as the state of its row's widget; a number that no model takes becomes the default."""
    if row.kind == "switch":
        return value != row.neutral
    if row.kind == "lines":
        return sampling_text.strings_text(value)
    if row.kind == "biases":
        return sampling_text.logit_bias_text(value)
    low, high = RANGES[row.name]
    if value is None or not (math.isfinite(value) and low <= value <= high):
        value = getattr(_DEFAULTS, row.name)
    return value if row.whole or value is None else float(value)


def _value(row: Parameter, state: Any, begun: Any) -> Any:
    """The value that a widget's state stands for."""
    if row.kind == "switch":
        return 2 if state else 0
    if state == _shown(row, begun) and row.kind in ("lines", "biases"):
        return begun
    if row.kind == "lines":
        return sampling_text.strings(state)
    if row.kind == "biases":
        try:
            return sampling_text.logit_bias(state)
        except SettingInvalid:
            return begun
    if state is None:
        return getattr(_DEFAULTS, row.name)
    # What a slider adds up from steps of a twentieth is 0.15000000000000002.
    return state if row.whole or state == begun else round(state, 6)
