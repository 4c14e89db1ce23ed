"""Draws tokens as the text that they are, tinted by a figure, underlined where marked, each with a note on hover.

Text reaches the page as text nodes alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.ui.component_key import component_key

FAINT, STRONG = 0.01, 3.0
"""KL divergences at which the tint begins and is full; in between it grows with the logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A token. `other`: underlined; `note`: said on hover."""

    text: str
    kl: float
    other: bool
    note: str


def show(key: str, tokens: Sequence[Shown], *, label: str) -> None:
    """label: what the text is, for screen readers."""
    shown = [[one.text, round(tint(one.kl), 3), one.other, one.note] for one in tokens]
    _component(key=component_key(key), data=[{"tokens": shown, "label": label}])  # a list: see figure_list


def tint(kl: float) -> float:
    """How strong the tint is, from 0 to 1."""
    if kl <= FAINT:
        return 0.0
    return min(math.log(kl / FAINT) / math.log(STRONG / FAINT), 1.0)


_CSS = """
p {
  margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 26rem; overflow-y: auto; padding: 0.75rem 1rem;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); line-height: 1.9;
  color: var(--st-text-color); font-family: var(--st-font); font-size: 0.9375rem;
}
span { background: color-mix(in srgb, var(--st-orange-color, #d8641f) calc(var(--tint) * 55%), transparent) }
span.other { text-decoration: underline 2px; text-underline-offset: 3px }
"""

_JS = """
export default function ({ data: [data], parentElement }) {
  const text = parentElement.querySelector("p");
  text.setAttribute("aria-label", data.label);
  text.replaceChildren(
    ...data.tokens.map(([words, tint, other, note]) => {
      const token = document.createElement("span");
      token.append(words);
      token.style.setProperty("--tint", tint);
      token.title = note;
      if (other) token.className = "other";
      return token;
    }),
  );
}
"""

_component = st.components.v2.component("workbench_tokens", html='<p tabindex="0" role="group"></p>', css=_CSS, js=_JS)
