"""Rare settings, folded: pure, types of single tensors, importance matrix, folder."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.gguf import recipes
from core.gguf.header import GGUF
from core.models.local import files
from core.quantizing import Options
from core.workbench import Workbench
from pages.ui.words import _


def show(workbench: Workbench, gguf: GGUF) -> tuple[Options, Path]:
    """Draws them: the options, and the folder that the files go to."""
    mine = workbench.settings.owners == "person"
    folder = workbench.settings.models
    with st.expander(_("Options"), icon=":material/tune:"):
        pure = st.toggle(
            _("Pure"),
            key="quantize-pure",
            help=_("The same type for every tensor, no mixture: smaller, and worse than the usual recipe."),
        )
        with st.container(horizontal=True, gap="small"):
            embedding = _type(
                _("Token embeddings"),
                "quantize-embedding",
                _("The table of the tokens' vectors. In small models it is a large part of the file."),
            )
            output = _type(
                _("Output"),
                "quantize-output",
                _("The tensor that scores the next token. Models without one of its own use the embeddings."),
            )
        matrix = ""
        if mine:
            matrix = st.text_input(
                _("Importance matrix"),
                key="quantize-imatrix",
                placeholder=_("the path of a file that llama-imatrix wrote"),
                help=_(
                    "Says which weights mattered on a text, so that rounding spares those. Types below 3 bits need "
                    "one; others become a little better with one."
                ),
            )
            typed = st.text_input(
                _("Folder"),
                str(folder),
                key="quantize-folder",
                help=_("Files in the model folder are offered on every page."),
            )
            folder = files.located(typed) if typed.strip() else folder
    return (
        Options(
            pure=pure,
            output_type=output,
            embedding_type=embedding,
            imatrix=files.located(matrix) if matrix.strip() else None,
        ),
        folder,
    )


def _type(label: str, key: str, help: str) -> str | None:
    return st.selectbox(
        label,
        recipes.TENSOR_CHOICES,
        index=None,
        key=key,
        placeholder=_("as the recipe has it"),
        help=help,
        width=220,
    )
