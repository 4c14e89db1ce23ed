"""All answers as a file: made when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from core.arena import batch_table
from core.arena.batch import Batch
from core.arena.batch_table import EXPORTS
from core.workbench import Workbench
from pages.ui.words import _


def show(workbench: Workbench, me: str, found: Batch) -> None:
    """A button a form."""
    name = re.sub(r"[^\w-]+", "-", found.name).strip("-")[:40] or "batch"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("Save all answers and figures:"), width="content")
        for ending, (kind, _write) in EXPORTS.items():
            st.download_button(
                ending.upper(),
                partial(_file, workbench, me, found, ending),
                f"{name}.{ending}",
                kind,
                key=f"batch-save-{ending}",
                icon=":material/download:",
                on_click="ignore",
            )


def _file(workbench: Workbench, me: str, found: Batch, ending: str) -> bytes:
    write: Callable[[list[batch_table.Row]], bytes] = EXPORTS[ending][1]
    return write(batch_table.rows(found, workbench.batches.cells(me, found.id)))
