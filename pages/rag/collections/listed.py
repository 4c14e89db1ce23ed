"""The collections, in the sidebar: opened, deleted; and the way to a new one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import streamlit as st

from core.errors import NotThere
from core.rag.values import Collection
from core.workbench import Workbench
from pages.rag.collections import opened
from pages.ui import error_box, icons
from pages.ui.words import _, count, ngettext


def show(workbench: Workbench, me: str, collections: Sequence[Collection], current: Collection | None) -> None:
    """Draws the list, the newest first; nothing while there is none."""
    if not collections:
        return
    with st.sidebar:
        st.button(
            _("New collection"),
            icon=":material/add:",
            width="stretch",
            key="new-collection",
            on_click=opened.open,
            args=(None,),
            disabled=current is None,
        )
        for one in collections:
            _row(workbench, me, one, current)


def _row(workbench: Workbench, me: str, one: Collection, current: Collection | None) -> None:
    name = error_box.plain(one.name)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        st.button(
            (f"**{name}**" if current is not None and one.id == current.id else name) + f" · {count(one.documents)}",
            key=f"open-collection-{one.id}",
            type="tertiary",
            width="stretch",
            on_click=opened.open,
            args=(one.id,),
            help=ngettext("{count} document", "{count} documents", one.documents),
        )
        with st.popover(icons.named(_("Delete: {title}", title=one.name)), icon=":material/delete:", type="tertiary"):
            st.write(_("The documents, their text and their index are deleted from this machine."))
            st.button(
                _("Delete this collection"),
                key=f"delete-collection-{one.id}",
                icon=":material/delete:",
                on_click=partial(_delete, workbench, me, one.id),
            )


def _delete(workbench: Workbench, me: str, id: str) -> None:
    with suppress(NotThere):  # another window was quicker
        workbench.collections.delete(me, id)
    opened.forget()
