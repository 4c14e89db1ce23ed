"""Figures that explain themselves: a line or a table of short texts, each with what it is and how it was measured.

The explanation comes on hover, on tap and from the keyboard (one tab stop a list, arrow keys within). One component for
any number of lists, drawn by the browser alone: no rerun, colours and fonts from Streamlit's theme variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import streamlit as st

from pages.ui.component_key import component_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure, already in words: its name, its value with the unit, and the explanation.

    `phrase`: how it reads in a line, which shows no names; the value alone where it is empty.
    """

    label: str
    value: str
    help: str
    phrase: str = ""


def show(key: str, figures: Sequence[Figure], *, layout: Literal["line", "table"] = "line") -> None:
    """The figures one after another on a line, or in a table of as many columns as fit."""
    # In a list: of a dictionary's values Streamlit asks whether they are data frames, and imports pandas for that.
    _component(key=component_key(key), data=[{"layout": layout, "figures": [asdict(figure) for figure in figures]}])


EXPLAIN_HTML = '<div class="tip" role="tooltip" popover="manual"></div>'

EXPLAIN_CSS = """
:host, .root { font-family: var(--st-font); color: var(--st-text-color); font-variant-numeric: tabular-nums }
ul { list-style: none; margin: 0; padding: 0 }
li { cursor: help; border-radius: 0.2rem }
li:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px }
.tip {
  position: fixed; margin: 0; inset: auto; max-width: min(22rem, calc(100vw - 2rem)); box-sizing: border-box;
  padding: 0.5rem 0.75rem; border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  background: var(--st-background-color); color: var(--st-text-color); font: 0.875rem/1.45 var(--st-font);
  box-shadow: 0 4px 14px rgb(0 0 0 / 0.16); pointer-events: none;
}
"""

# The tip is a popover, so that it lies over everything and no container cuts it off.
EXPLAIN_JS = """
function explain(tip, list, items) {
  const hide = () => tip.matches(":popover-open") && tip.hidePopover();
  const showFor = (item, text) => {
    if (!text) return hide();
    tip.textContent = text;
    if (!tip.matches(":popover-open")) tip.showPopover();
    const place = item.getBoundingClientRect();
    const below = place.bottom + 6;
    tip.style.top = (below + tip.offsetHeight > innerHeight ? place.top - tip.offsetHeight - 6 : below) + "px";
    tip.style.left = Math.max(8, Math.min(place.left, innerWidth - tip.offsetWidth - 8)) + "px";
    addEventListener("scroll", hide, { capture: true, once: true });
  };
  items.forEach(([item, text], number) => {
    item.tabIndex = number ? -1 : 0;
    item.setAttribute("aria-description", text);
    item.onmouseenter = item.onfocus = () => showFor(item, text);
    item.onmouseleave = item.onblur = hide;
  });
  list.onkeydown = (event) => {
    if (event.key === "Escape") hide();
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = items.findIndex(([item]) => item === event.target);
    const next = step && items[here + step]?.[0];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
  return hide;
}
"""

_CSS = """
.line {
  display: flex; flex-wrap: wrap; font-size: 0.875rem; line-height: 1.6;
  margin-left: -1.1em; clip-path: inset(-4px -4px -4px 0.8em); /* cuts the dot that would open a row */
}
.line li { opacity: 0.78; white-space: nowrap; margin-left: 1.1em; position: relative }
.line li::before { content: "·"; position: absolute; left: -0.7em }
.line li:hover, .line li:focus-visible { opacity: 1 }
.table { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0 2rem; font-size: 0.875rem }
.table li {
  display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; padding: 0.3rem 0;
  border-bottom: 1px solid var(--st-border-color); border-radius: 0;
}
.table .name { opacity: 0.78 }
.table .value { text-align: right }
"""

_JS = """
function span(name, text) {
  const made = document.createElement("span");
  made.className = name;
  made.textContent = text;
  return made;
}
export default function ({ data: [data], parentElement }) {
  const list = parentElement.querySelector("ul");
  const items = data.figures.map((figure) => {
    const item = document.createElement("li");
    if (data.layout === "line") item.append(figure.phrase || figure.value);
    else item.append(span("name", figure.label), span("value", figure.value));
    return [item, figure.help];
  });
  list.className = data.layout;
  list.replaceChildren(...items.map(([item]) => item));
  return explain(parentElement.querySelector(".tip"), list, items);
}
"""

_component = st.components.v2.component(
    "figure_list", html=f"<ul></ul>{EXPLAIN_HTML}", css=EXPLAIN_CSS + _CSS, js=EXPLAIN_JS + _JS
)
