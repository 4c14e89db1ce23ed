"""A button that copies a text to the clipboard, within the browser: no rerun.

Where the browser keeps its clipboard from pages that did not come over HTTPS, it copies as older browsers do.
"""

from __future__ import annotations

import streamlit as st

from pages.ui.component_key import component_key


def show(key: str, text: str, *, name: str, done: str) -> None:
    """Draws the button. name: what it does, on hover and for screen readers. done: said when it has been done."""
    data = {"text": text, "name": name, "done": done}
    _component(key=component_key(key), data=[data], width="content")  # a list: see figure_list


_CSS = """
button {
  display: inline-flex; align-items: center; height: 2.5rem; padding: 0; border: 0; background: none; cursor: pointer;
  color: var(--st-text-color); border-radius: var(--st-button-radius);
}
button:hover { color: var(--st-primary-color) }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px }
svg { width: 1.1rem; height: 1.1rem; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linejoin: round }
button .done, button.done .copy { display: none }
button.done .done { display: inline }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
"""

_HTML = """
<button type="button">
  <svg class="copy" viewBox="0 0 20 20" aria-hidden="true">
    <rect x="7" y="6" width="9" height="11" rx="1.5"/><path d="M4 13V4.5A1.5 1.5 0 0 1 5.500 3H12"/>
  </svg>
  <svg class="done" viewBox="0 0 20 20" aria-hidden="true"><path d="M4 10.500l4 4 8-9"/></svg>
</button>
<span class="said" role="status"></span>
"""

_JS = """
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("not copied");
}
export default function ({ data: [data], parentElement }) {
  const button = parentElement.querySelector("button");
  const said = parentElement.querySelector(".said");
  let timer;
  button.title = data.name;
  button.setAttribute("aria-label", data.name);
  button.onclick = async () => {
    await copy(data.text);
    button.classList.add("done");
    said.textContent = data.done;
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.classList.remove("done");
      said.textContent = "";
    }, 2000);
  };
  return () => clearTimeout(timer);
}
"""

_component = st.components.v2.component("copy_button", html=_HTML, css=_CSS, js=_JS)
