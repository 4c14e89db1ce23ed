"""The reader's language, and words and figures in it, for pages.

The language is, in this order: what the switch in the sidebar says (it is kept in the address, as `?lang=fr`), what the
address says, the browser's own language, English. Nothing is stored.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import figures, words
from core.errors import N_, WorkbenchError

__all__ = [
    "N_",
    "_",
    "ngettext",
    "language",
    "switch",
    "explain",
    "rate",
    "seconds",
    "count",
    "tokens",
    "percent",
    "size",
    "number",
    "money",
    "energy",
    "country",
    "parameters",
    "month",
    "date_time",
]

KEY = "lang"


def language() -> str:
    """The reader's language: "en" or "fr"."""
    chosen = st.session_state.get(KEY) or st.query_params.get(KEY)
    return chosen if chosen in words.languages() else words.nearest(st.context.locale)


def switch() -> str:
    """Draws the switch and returns the language. Once a run, in the frame: the choice outlives a change of page."""
    chosen = st.segmented_control(
        _("Language"),
        words.languages(),
        default=language(),
        required=True,
        format_func=lambda code: words.LANGUAGES[code],
        key=KEY,
        label_visibility="collapsed",
    )
    if chosen and chosen != st.query_params.get(KEY, words.nearest(st.context.locale)):
        st.query_params[KEY] = chosen
    return chosen or language()


def _(text: str, **values: Any) -> str:
    """`text` in the reader's language, its {placeholders} filled with `values`."""
    translated = words.translator(language())(text)
    return translated.format_map(values) if values else translated


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """The form of the reader's language for `number`, which fills {count}, written as the language writes it."""
    form = words.plural(language())(one, many, number)
    return form.format_map({"count": figures.count(number, language()), **values})


def explain(error: WorkbenchError) -> tuple[str, str]:
    """What happened and what to do, in the reader's language."""
    return words.explain(error, language())


def rate(value: float | None, *, estimated: bool = False) -> str:
    """Tokens a second, as `core.figures.rate`."""
    return figures.rate(value, language(), estimated=estimated)


def seconds(value: float | None, *, estimated: bool = False) -> str:
    """A duration, as `core.figures.seconds`."""
    return figures.seconds(value, language(), estimated=estimated)


def count(value: int | None, *, estimated: bool = False) -> str:
    """A whole number, as `core.figures.count`."""
    return figures.count(value, language(), estimated=estimated)


def tokens(value: int | None, *, estimated: bool = False) -> str:
    """A number of tokens, as `core.figures.tokens`."""
    return figures.tokens(value, language(), estimated=estimated)


def percent(share: float | None, *, estimated: bool = False) -> str:
    """A share, as `core.figures.percent`."""
    return figures.percent(share, language(), estimated=estimated)


def size(value: float | None, *, estimated: bool = False) -> str:
    """A number of bytes, as `core.figures.size`."""
    return figures.size(value, language(), estimated=estimated)


def number(value: float) -> str:
    """A bare number, as `core.words.number`."""
    return words.number(value, language())


def parameters(value: int | None, *, estimated: bool = False) -> str:
    """A model's size, as `core.figures.parameters`."""
    return figures.parameters(value, language(), estimated=estimated)


def money(value: float | None, currency: str = "USD", *, estimated: bool = False) -> str:
    """An amount, as `core.figures.money`."""
    return figures.money(value, currency, language(), estimated=estimated)


def energy(low: float, high: float, *, estimated: bool = False) -> str:
    """Watt-hours, as `core.figures.energy`."""
    return figures.energy(low, high, language(), estimated=estimated)


def country(code: str) -> str:
    """A country's name, as `core.words.country`."""
    return words.country(code, language())


def month(day: str | None) -> str:
    """The month of a day in ISO 8601, as `core.figures.month`."""
    return figures.month(day, language())


def date_time(value: float | None) -> str:
    """A moment, as `core.figures.date_time`."""
    return figures.date_time(value, language())
