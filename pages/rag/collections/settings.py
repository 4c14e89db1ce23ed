"""A collection's settings, folded: its name, and the model that makes vectors of its passages."""

from __future__ import annotations

from functools import partial

import msgspec
import streamlit as st

from core.errors import WorkbenchError
from core.jobs import Job
from core.models.remote.connections import is_remote
from core.rag.embed import DEFAULT, OFFERS, Offer
from core.rag.values import Collection
from core.workbench import Workbench
from pages.rag.collections import cutting
from pages.ui import error_box
from pages.ui.words import _, size

MB = 1_000_000
DOWNLOAD = "embedding"
"""Of the jobs."""


def show(workbench: Workbench, me: str, found: Collection) -> None:
    """Draws it."""
    with st.expander(_("Settings of this collection"), icon=":material/settings:"):
        st.text_input(
            _("Name"),
            value=found.name,
            key=f"name-{found.id}",
            max_chars=100,
            on_change=partial(_rename, workbench, me, found.id),
        )
        _embedding(workbench, me, found)


def _embedding(workbench: Workbench, me: str, found: Collection) -> None:
    names = _choices(workbench, me)
    current = found.build.embedding
    chosen = st.selectbox(
        _("Embedding"),
        list({current: None, **dict.fromkeys(names)}),
        format_func=lambda id: names.get(id, id),
        key=f"embedding-{found.id}",
        help=_(
            "The model that turns passages and questions into vectors: near ones mean about the same. The default "
            "was trained on English first; for French or mixed documents, a multilingual one finds more."
        ),
    )
    if chosen == current:
        if current == DEFAULT:
            st.caption(_("all-MiniLM-L6-v2 reads English well, and other languages poorly: there, words decide more."))
        return
    offer = next((one for one in OFFERS if one.id == chosen), None)
    if is_remote(chosen):
        st.caption(_("The text of all passages, and each question, is sent to this provider."))
    if offer is not None and workbench.collections.embeddings.folder_of(chosen) is None:
        _offered(workbench, me, offer)
        return
    st.button(
        _("Index the collection anew"),
        key="embed-anew",
        icon=":material/refresh:",
        help=_("In the background; the old index answers until the new one is done."),
        on_click=partial(_change, workbench, me, found, chosen),
    )


def _offered(workbench: Workbench, me: str, offer: Offer) -> None:
    """An embedding that is not here yet: its download, or how that went."""
    job = next((one for one in workbench.jobs.list(me, DOWNLOAD) if one.subject == offer.id), None)
    if job is not None and job.state == "running":
        st.fragment(_downloading, run_every=2.0)(job)
        return
    if job is not None and job.error is not None:
        error_box.show(job.error)
    st.button(
        _("Download ({size})", size=size(offer.size_mb * MB)),
        key="download-embedding",
        icon=":material/download:",
        help=_("From the Hugging Face Hub, once. Only weights and a tokenizer, never a program."),
        on_click=partial(_download, workbench, me, offer.id),
    )


def _downloading(job: Job) -> None:
    if job.state != "running":
        st.rerun()
    st.caption(":material/downloading: " + _("Being downloaded; this goes on when you leave the page."))


def _choices(workbench: Workbench, me: str) -> dict[str, str]:
    """The embeddings that can be chosen, and what they are called."""
    offered = {one.id: one.id + " (" + _(one.languages) + ")" for one in OFFERS}
    local = {info.id: f"{info.name} (GGUF)" for info in workbench.catalog.models()}
    listed = [info for one in workbench.connections.list(me) for info in one.models]
    remote = {info.id: f"{info.name} ({info.provider})" for info in listed if "embed" in info.name.lower()}
    return {**offered, **local, **remote}


def _rename(workbench: Workbench, me: str, id: str) -> None:
    if name := str(st.session_state[f"name-{id}"]).strip():
        workbench.collections.rename(me, id, name)


def _change(workbench: Workbench, me: str, found: Collection, embedding: str) -> None:
    try:
        most = workbench.collections.embeddings.get(me, embedding).max_tokens
    except WorkbenchError as error:
        st.session_state["documents-error"] = error
        return
    length = min(found.build.size, most)
    overlap = min(found.build.overlap, length // 2)
    build = msgspec.structs.replace(found.build, embedding=embedding, size=length, overlap=overlap)
    cutting.apply(workbench, me, found, build)


def _download(workbench: Workbench, me: str, id: str) -> None:
    workbench.jobs.start(me, DOWNLOAD, id, lambda job: workbench.collections.embeddings.download(id))
