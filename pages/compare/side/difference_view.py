"""Draws two texts side by side with what only one says marked: underlined and tinted, and told to a screen reader.

Text reaches the page as text nodes alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.arena.diff import Difference
from pages.ui.component_key import component_key
from pages.ui.words import _


def show(key: str, found: Difference, names: Sequence[str]) -> None:
    """names: of the left and of the right text."""
    sides = [
        {"name": name, "pieces": [[piece.text, piece.same] for piece in pieces]}
        for name, pieces in zip(names, (found.left, found.right), strict=True)
    ]
    # In a list: of a dictionary's values Streamlit asks whether they are data frames, and imports pandas for that.
    _component(key=component_key(key), data=[{"sides": sides, "only": _("only here:")}])


_CSS = """
.sides {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1rem;
  color: var(--st-text-color); font-family: var(--st-font); font-size: 0.9375rem; line-height: 1.6;
}
section { border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); padding: 0.75rem 1rem }
h4 { font-size: 0.875rem; font-weight: 600; margin: 0 0 0.5rem }
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 30rem; overflow-y: auto }
mark {
  background: color-mix(in srgb, var(--st-primary-color) 16%, transparent); color: inherit;
  text-decoration: underline 2px; text-decoration-color: var(--st-primary-color); text-underline-offset: 3px;
}
section:nth-child(2) mark { text-decoration-style: wavy; text-decoration-thickness: 1px }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
"""

_JS = """
function made(name, text = "", className = "") {
  const element = document.createElement(name);
  element.append(text);
  if (className) element.className = className;
  return element;
}
function drawn({ name, pieces }, only) {
  const section = document.createElement("section");
  const text = made("p");
  text.tabIndex = 0;
  text.setAttribute("aria-label", name);
  text.setAttribute("role", "group");
  for (const [words, same] of pieces) {
    if (same) text.append(words);
    else {
      const mark = made("mark");
      mark.append(made("span", only + " ", "hidden"), words);
      text.append(mark);
    }
  }
  section.append(made("h4", name), text);
  return section;
}
export default function ({ data: [data], parentElement }) {
  parentElement.querySelector(".sides").replaceChildren(...data.sides.map((side) => drawn(side, data.only)));
}
"""

_component = st.components.v2.component("workbench_difference", html='<div class="sides"></div>', css=_CSS, js=_JS)
