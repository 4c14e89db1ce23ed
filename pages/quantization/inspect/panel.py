"""The view from top to bottom: which file, what it is, whether it fits; then one part of it at a time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.gguf.header import GGUF
from core.workbench import Workbench
from pages.quantization import source
from pages.quantization.inspect import facts, memory, metadata, template, tensors, tokenizer
from pages.ui.words import N_, _

PARTS: dict[str, tuple[str, Callable[[Workbench, GGUF], None]]] = {
    "memory": (N_("Memory"), memory.show),
    "tensors": (N_("Tensors"), tensors.show),
    "metadata": (N_("Metadata"), metadata.show),
    "tokenizer": (N_("Tokenizer"), tokenizer.show),
    "template": (N_("Chat template"), template.show),
}


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    gguf = source.show(workbench)
    if gguf is None:
        return
    facts.show(workbench, gguf)
    part = st.segmented_control(
        _("Part"),
        list(PARTS),
        default="memory",
        required=True,
        format_func=lambda name: _(PARTS[name][0]),
        key="inspect-part",
        label_visibility="collapsed",
    )
    PARTS[part or "memory"][1](workbench, gguf)
