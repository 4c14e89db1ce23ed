"""The chat template: a short conversation as the model gets it, and the template's source."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.gguf import look
from core.gguf.header import GGUF
from core.gguf.look_wire import Rendered
from core.workbench import Workbench
from pages.ui import error_box
from pages.ui.words import _


def show(workbench: Workbench, gguf: GGUF) -> None:
    """Draws both, side by side."""
    if not gguf.vocabulary_size:
        st.info(_("This file has no tokenizer, so no chat template is used with it."), icon=":material/info:")
        return
    messages, prompt = st.columns(2)
    with messages:
        st.subheader(_("A conversation"), anchor=False)
        for role, content in look.EXAMPLE:
            st.markdown(f"`{role}`")
            st.text(content)
    with prompt:
        st.subheader(_("What the model gets"), anchor=False)
        _prompt(gguf)
    if gguf.chat_template:
        with st.expander(_("The template itself (Jinja)"), icon=":material/code:"):
            st.code(gguf.chat_template, language="django", wrap_lines=True)


def _prompt(gguf: GGUF) -> None:
    try:
        made = _rendered(gguf.path, gguf.path.stat().st_mtime_ns)
    except (WorkbenchError, OSError) as error:
        error_box.show(error if isinstance(error, WorkbenchError) else WorkbenchError())
        return
    st.code(made.text, language=None, wrap_lines=True)
    if not made.own:
        st.caption(_("The file has no template of its own: this is ChatML, as llama.cpp takes it then."))
    elif "system" not in {role for role, text in look.EXAMPLE if text in made.text}:
        st.caption(_("This template takes no system message: the example is without one."))
    st.caption(_("The answer begins where this ends. What the model writes is always the next token of such a text."))


@st.cache_resource(max_entries=64, show_spinner=False)
def _rendered(path: Path, changed: int) -> Rendered:
    return look.rendered(path)
