"""Draws tokens over time for answers that are written side by side, while they are written.

A `st.components.v2` component follows them at the address of route.py. Each line has a colour, a pattern and a letter;
the same stands in words under the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from core.plots import Colour
from pages.ui.words import _, language

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One answer of the race: its id, the letter of its pane, what tells it from the others, its colour."""

    id: str
    letter: str
    label: str
    colour: Colour


def show(key: str, lanes: Sequence[Lane]) -> None:
    """The race, from its beginning on, whenever it is opened."""
    ids = ".".join(lane.id for lane in lanes)
    shown = [{"letter": lane.letter, "label": lane.label, **asdict(lane.colour)} for lane in lanes]
    # One key a race, and the same data as long as it runs: Streamlit then leaves the component alone. In a list: of a
    # dictionary's values Streamlit asks whether they are data frames, and imports pandas for that.
    _component(
        key=f"{key}-{'-'.join(lane.id[:6] for lane in lanes)}",
        data=[{"ids": ids, "lanes": shown, "language": language(), "words": _words()}],
    )


_component = st.components.v2.component(
    "workbench_race",
    js="\n".join((FOLDER / file).read_text("utf-8") for file in ("../helpers.js", "chart.js", "component.js")),
    css=(FOLDER / "component.css").read_text("utf-8"),
)


def _words() -> dict[str, str]:
    """The component's words; it fills their {placeholders} itself."""
    return {
        "title": _("Tokens over time"),
        "seconds": _("seconds since each model was asked"),
        "tokens": _("tokens"),
        "waiting": _("waits"),
        "loading": _("is being loaded"),
        "few": _("{tokens} tokens"),
        "figures": _("{tokens} tokens · {rate} tokens/s"),
        "failed": _("failed"),
        "gone": _("ended"),
        "lost": _("The connection is lost. Trying again…"),
    }
