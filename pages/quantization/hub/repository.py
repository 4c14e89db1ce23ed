"""One repository: what it is, the quantization that is recommended here and why, all the others, what is no model."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

import streamlit as st

from core.errors import HubGated, WorkbenchError
from core.hub.advice import Advice
from core.hub.judge import Judged
from core.hub.values import Repository, Variant
from core.workbench import Workbench
from pages.quantization.hub import estimates, look, opened, searching
from pages.ui import error_box, model_picker, places, press
from pages.ui.words import _, ngettext, size

FAILED = "hub-failed"
"""In the session: what a click here was refused with, drawn where it was clicked."""


def show(workbench: Workbench, me: str, id: str) -> None:
    """Draws it."""
    st.button(
        _("Back to the search"),
        key="hub-back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=opened.open,
        args=(None,),
    )
    permit = workbench.accounts.permit(me)
    try:
        with st.spinner(_("Asking the Hub what there is, and reading the header of one file…"), show_time=True):
            found = workbench.hub.repository(id, permit)
            judged = workbench.judge.judged(me, found, permit)
    except WorkbenchError as error:
        error_box.show(error, key="hub-repository", retry=True)
        return
    _about(workbench, found, judged)
    if (failed := st.session_state.pop(FAILED, None)) is not None:
        error_box.show(failed)
    if not found.variants:
        st.info(_("This repository has no GGUF file that can be used."), icon=":material/info:")
        return
    if judged.header is not None and not judged.header.generates:
        st.info(
            _(
                "This model writes no text (it computes embeddings, or is a part of another one): "
                "Chat does not offer it."
            ),
            icon=":material/info:",
        )
    best = next((one for one in judged.advices if one.recommended), None)
    if best is not None:
        _best(workbench, me, found, judged, best)
    elif judged.advices:
        st.warning(
            _("None of them fits into the memory of this machine. Look for a smaller model."), icon=":material/memory:"
        )
    st.subheader(ngettext("{count} quantization", "{count} quantizations", len(judged.advices)), anchor=False)
    for one in judged.advices:
        _row(workbench, me, found, judged, one)
    estimates.show(workbench.judge, judged)
    _others(workbench, me, found)


def _about(workbench: Workbench, found: Repository, judged: Judged) -> None:
    st.subheader(error_box.plain(found.id), anchor=False)
    st.caption(" · ".join(searching.facts(found.found)))
    hub = workbench.hub.endpoint
    links = [_("[its page on the Hub]({address})", address=f"{hub}/{quote(found.id)}")]
    links += [
        _("made from [{name}]({address})", name=error_box.plain(base), address=f"{hub}/{quote(base)}")
        for base in found.found.base[:3]
    ]
    st.markdown(" · ".join(links))
    if found.found.gated:
        if isinstance(judged.header_error, HubGated):
            error_box.show(judged.header_error)
        else:
            st.info(
                _("Gated: its author lets in only who agreed to terms, and this machine's token has."),
                icon=":material/lock_open:",
            )


def _best(workbench: Workbench, me: str, found: Repository, judged: Judged, best: Advice) -> None:
    with st.container(border=True):
        st.markdown(_("**Recommended here: {name}**", name=error_box.plain(best.variant.label)))
        st.markdown(_(best.reason))
        st.markdown(estimates.line(best, judged.pace))
        _get(workbench, me, found, best.variant, "best")


def _row(workbench: Workbench, me: str, found: Repository, judged: Judged, one: Advice) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"variant-{one.variant.name}"):
        with st.container(gap=None):
            star = " :material/star: " + _("recommended") if one.recommended else ""
            st.markdown(f"**{error_box.plain(one.variant.label)}**{star}")
            st.caption(estimates.line(one, judged.pace))
        st.button(
            _("Look inside"),
            key=f"look-{one.variant.name}",
            icon=":material/frame_inspect:",
            type="tertiary",
            help=_("Reads the header of the file, a few megabytes at most, and downloads nothing else."),
            on_click=partial(look.ask, one.variant.name),
        )
        _get(workbench, me, found, one.variant, "row")
    if look.asked(one.variant.name):
        look.show(workbench, me, found, one.variant)


def _get(workbench: Workbench, me: str, found: Repository, variant: Variant, key: str) -> None:
    """The button that fits: download it, or use it where it is here already."""
    here = workbench.downloads.here(found.id, variant)
    if here is not None and variant.kind == "model":
        if press.button(_("Use in Chat"), key=f"use-{key}-{variant.name}", icon=":material/chat:"):
            model_picker.pick_next(str(here))
            st.switch_page(places.chat())
        return
    at_work = any(
        one.name == variant.name and one.repository == found.id and one.state == "running"
        for one in workbench.downloads.list(me)
    )
    st.button(
        _("Download") if not at_work else _("Downloading…"),
        key=f"get-{key}-{variant.name}",
        icon=":material/download:",
        disabled=at_work or here is not None or not variant.complete,
        on_click=partial(_download, workbench, me, found, variant),
    )


def _download(workbench: Workbench, me: str, found: Repository, variant: Variant) -> None:
    try:
        workbench.downloads.start(me, found, variant, workbench.accounts.permit(me))
    except WorkbenchError as error:
        st.session_state[FAILED] = error


def _others(workbench: Workbench, me: str, found: Repository) -> None:
    """Projectors, importance matrices, split models of which a part is missing."""
    rest = [one for one in found.variants if one.kind != "model" or not one.complete]
    if not rest:
        return
    with st.expander(ngettext("{count} other file", "{count} other files", len(rest)), icon=":material/extension:"):
        for one in rest:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                with st.container(gap=None):
                    st.markdown(error_box.plain(one.name))
                    st.caption(f"{size(one.size)} · {_what(one)}")
                _get(workbench, me, found, one, "other")


def _what(one: Variant) -> str:
    if not one.complete:
        return _("parts of it are missing in the repository")
    if one.kind == "projector":
        return _("the part that sees or hears, for programs that take images or sound; Chat here does not use it")
    return _("an importance matrix: what quantizing well needs, and no model")
