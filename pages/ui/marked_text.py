"""A text with one passage of it marked, which comes into view. Text nodes only: whatever a document says stays text."""

from __future__ import annotations

import streamlit as st

from pages.ui.component_key import component_key


def show(key: str, before: str, passage: str, after: str, *, name: str, within: str = "") -> None:
    """Draws it. name: what the whole is, for screen readers. within: key of a container around it that comes into view
    when the text is drawn for the first time."""
    data = {"before": before, "passage": passage, "after": after, "name": name, "within": within}
    _component(key=component_key(key), data=[data])  # a list: see figure_list


_CSS = """
.page {
  max-height: 26rem; overflow: auto; padding: 0.75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); line-height: 1.55;
  font-family: var(--st-font);
}
.page:focus-visible { outline: 2px solid var(--st-primary-color) }
mark { color: inherit; background: color-mix(in srgb, #b28500 32%, transparent); border-radius: 0.15rem }
mark { text-decoration: underline; text-decoration-color: #b28500; text-underline-offset: 0.2em }
"""

_JS = """
export default function ({ data: [data], parentElement }) {
  const page = parentElement.querySelector(".page");
  const mark = document.createElement("mark");
  mark.textContent = data.passage;
  page.replaceChildren(data.before, mark, data.after);
  page.setAttribute("aria-label", data.name);
  const show = () => { page.scrollTop = Math.max(mark.offsetTop - page.offsetTop - page.clientHeight / 4, 0); };
  show();
  const frame = requestAnimationFrame(show);
  if (data.within && !page.dataset.shown) {
    page.dataset.shown = "yes";
    const here = parentElement.getRootNode().host ?? parentElement;
    const box = here.closest(`.st-key-${data.within}`);
    if (box) {
      box.style.scrollMarginTop = "4.5rem"; // the page's head lies over what scrolls
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      box.scrollIntoView({ block: "start", behavior: calm ? "instant" : "smooth" });
    }
  }
  return () => cancelAnimationFrame(frame);
}
"""

_component = st.components.v2.component(
    "marked_text", html='<div class="page" role="document" tabindex="0"></div>', css=_CSS, js=_JS
)
