"""How full the context is: one bar, stacked by where the tokens come from, and a legend with words and numbers.

The bar can be read without its colours: the legend names every part in the bar's order, and the pointer or the keyboard
on a name brings out its part. Drawn by the browser alone: no rerun, no script when it is looked at.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.metrics import ContextFill
from core.plots import ORIGIN_COLOURS
from pages.ui.component_key import component_key
from pages.ui.figure_list import EXPLAIN_CSS, EXPLAIN_HTML, EXPLAIN_JS
from pages.ui.words import _, count, percent


def show(key: str, fill: ContextFill) -> None:
    """The bar of one answer. Where the context length is unknown the bar shows the parts of what is used."""
    data = {"summary": summary(fill), "parts": parts(fill)}
    _component(key=component_key(key), data=[data])  # a list: see figure_list


def summary(fill: ContextFill) -> str:
    """The bar in one sentence."""
    used = count(sum(fill.by_origin.values()))
    if fill.share is None or fill.context_length is None:
        return _("{used} tokens are in the context; its length is unknown.", used=used)
    return _(
        "{used} of {length} tokens of the context are used, {share}.",
        used=used,
        length=count(fill.context_length),
        share=percent(fill.share),
    )


def parts(fill: ContextFill) -> list[dict[str, Any]]:
    """The parts that hold tokens, in the bar's order: label, figures in words, tokens, both colours, explanation."""
    tokens = {str(origin): number for origin, number in fill.by_origin.items()} | {"free": fill.free or 0}
    whole = fill.context_length
    return [
        {
            "label": label,
            "text": _amount(tokens[origin], whole),
            "tokens": tokens[origin],
            "light": colour.light,
            "dark": colour.dark,
            "help": explanation,
        }
        for origin, colour in ORIGIN_COLOURS.items()
        for label, explanation in [_words(origin, split=fill.split)]
        if tokens.get(origin)
    ]


def _amount(tokens: int, whole: int | None) -> str:
    number = count(tokens)
    return f"{number} ({percent(tokens / whole)})" if whole else number


def _words(origin: str, *, split: bool) -> tuple[str, str]:
    if origin == "question" and not split:
        return _("prompt"), _("All that was sent to the model. How it splits up is not known.")
    return {
        "system": (_("system"), _("The instructions that stand before the conversation.")),
        "history": (_("history"), _("The earlier questions and answers of this conversation, sent again each time.")),
        "documents": (_("documents"), _("Passages found in your documents and given to the model.")),
        "tools": (_("tools"), _("Descriptions of the tools that the model may call, and what they returned.")),
        "question": (_("question"), _("The latest question, with the marks that the chat template puts around it.")),
        "answer": (_("answer"), _("The tokens that the model has written for this answer.")),
        "free": (_("free"), _("What is left for the next question and its answer.")),
    }[origin]


_CSS = """
.bar {
  display: flex; gap: 1px; height: 0.75rem; margin: 0.25rem 0 0.5rem; border-radius: 0.25rem; overflow: hidden;
}
.bar div { min-width: 3px }
.bar.chosen div:not(.this) { opacity: 0.3 }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1.1rem; font-size: 0.875rem; line-height: 1.6 }
.legend li { display: inline-flex; align-items: baseline; gap: 0.4em; white-space: nowrap }
.swatch { width: 0.65rem; height: 0.65rem; border-radius: 0.15rem; flex: none }
.amount { opacity: 0.78 }
"""

_JS = """
function onDark(element) {
  const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[0-9.]+/g);
  return Number(red) + Number(green) + Number(blue) < 384;
}
function coloured(name, colour) {
  const made = document.createElement("div");
  made.className = name;
  made.style.background = colour;
  return made;
}
function amount(text) {
  const made = document.createElement("span");
  made.className = "amount";
  made.textContent = text;
  return made;
}
export default function ({ data: [data], parentElement }) {
  const bar = parentElement.querySelector(".bar");
  const list = parentElement.querySelector("ul");
  const tip = parentElement.querySelector(".tip");
  const dark = onDark(tip);
  const choose = (shape) => {
    bar.classList.toggle("chosen", Boolean(shape));
    for (const other of bar.children) other.classList.toggle("this", other === shape);
  };
  const items = data.parts.map((part) => {
    const colour = dark ? part.dark : part.light;
    const shape = coloured("", colour);
    shape.style.flex = part.tokens + " 1 0";
    shape.title = part.label + ": " + part.text;
    const item = document.createElement("li");
    item.append(coloured("swatch", colour), part.label, amount(part.text));
    for (const event of ["mouseenter", "focus"]) item.addEventListener(event, () => choose(shape));
    for (const event of ["mouseleave", "blur"]) item.addEventListener(event, () => choose(null));
    return [item, part.help, shape];
  });
  bar.setAttribute("aria-label", data.summary);
  bar.replaceChildren(...items.map(([, , shape]) => shape));
  list.replaceChildren(...items.map(([item]) => item));
  return explain(tip, list, items);
}
"""

_component = st.components.v2.component(
    "context_bar",
    html=f'<div class="bar" role="img"></div><ul class="legend"></ul>{EXPLAIN_HTML}',
    css=EXPLAIN_CSS + _CSS,
    js=EXPLAIN_JS + _JS,
)
