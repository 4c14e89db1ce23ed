"""A text in coloured spans, each named: by its colour, by a word at its beginning, and for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages.ui.component_key import component_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the text. `label`: what it is; `light`, `dark`: its colour on either background."""

    text: str
    label: str
    light: str
    dark: str


def show(key: str, spans: Sequence[Span], *, name: str) -> None:
    """Draws it; text nodes only. name: what the whole is, for screen readers."""
    data = {"spans": [asdict(span) for span in spans], "name": name}
    _component(key=component_key(key), data=[data])  # a list: see figure_list


_CSS = """
.whole { max-height: 28rem; overflow: auto; border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius); padding: 0.5rem; }
.whole:focus-visible { outline: 2px solid var(--st-primary-color) }
.span { border-left: 0.35rem solid; padding: 0.15rem 0 0.15rem 0.6rem; margin: 0.35rem 0 }
.label { font-size: 0.8rem; font-weight: 600; opacity: 0.85 }
.text { white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--st-code-font); font-size: 0.8rem;
  line-height: 1.5 }
"""

_JS = """
function onDark(node) {
  const [red, green, blue] = (getComputedStyle(node).backgroundColor.match(/[0-9.]+/g) || [255, 255, 255]);
  return Number(red) + Number(green) + Number(blue) < 384;
}
function made(className, text) {
  const node = document.createElement("div");
  node.className = className;
  node.textContent = text;
  return node;
}
export default function ({ data: [data], parentElement }) {
  const whole = parentElement.querySelector(".whole");
  const dark = onDark(parentElement.querySelector(".ground"));
  whole.setAttribute("aria-label", data.name);
  whole.replaceChildren(...data.spans.map((span) => {
    const node = made("span", "");
    node.style.borderColor = dark ? span.dark : span.light;
    node.append(made("label", span.label), made("text", span.text.trim()));
    return node;
  }));
}
"""

_component = st.components.v2.component(
    "span_text",
    html='<div class="ground" style="background: var(--st-background-color); height: 0"></div>'
    '<div class="whole" role="document" tabindex="0"></div>',
    css=_CSS,
    js=_JS,
)
