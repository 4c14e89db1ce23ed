"""The search: words first, what narrows it folded; what was found, each with what a choice depends on."""

from __future__ import annotations

import streamlit as st
from msgspec import structs

from core.errors import WorkbenchError
from core.hub.client import MAX_FOUND
from core.hub.values import Found, Search, Sort
from core.workbench import Workbench
from pages.quantization.hub import opened
from pages.ui import error_box, press
from pages.ui.words import N_, _, count, month, ngettext, parameters, tokens

WANTED = "hub-wanted"
"""In the session: what was searched for last."""

IDEAS = ("SmolLM2", "Qwen3", "gemma-3", "Ministral")
"""Families that have small models; each is a first step."""

ORDERS: dict[Sort, str] = {
    "downloads": N_("most downloaded first"),
    "trending_score": N_("most talked about now first"),
    "likes": N_("most liked first"),
    "last_modified": N_("newest first"),
}
SIZES: dict[str, tuple[str, int | None, int | None]] = {
    "any": (N_("any size"), None, None),
    "tiny": (N_("up to 2 billion parameters"), None, 2_000_000_000),
    "small": (N_("2 to 5 billion parameters"), 2_000_000_000, 5_000_000_000),
    "middle": (N_("5 to 15 billion parameters"), 5_000_000_000, 15_000_000_000),
    "large": (N_("more than 15 billion parameters"), 15_000_000_000, None),
}
LICENCES = ("apache-2.0", "mit", "gemma", "llama3.2", "cc-by-4.0", "cc-by-nc-4.0")
LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl", "ar", "zh", "ja")


def show(workbench: Workbench, me: str) -> None:
    """Draws it. Nothing is asked before somebody searches."""
    _restore(st.session_state.get(WANTED))
    with st.form("hub-search", border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        text = row.text_input(
            _("Part of a model's name, or OWNER/NAME"),
            key="hub-text",
            placeholder=_("for example: Qwen3 4B"),
        )
        with row:
            pressed = press.submit(_("Search"), icon=":material/search:", key="hub-go")
        with st.expander(_("Narrow the search"), icon=":material/tune:"):
            narrowed = _narrowed()
    if pressed:
        if (named := workbench.hub.named(text)) is not None:
            opened.open(named)
            st.rerun()
        st.session_state[WANTED] = structs.replace(narrowed, text=text)
    wanted = st.session_state.get(WANTED)
    if wanted is None:
        _ideas()
    else:
        _results(workbench, me, wanted)


def _narrowed() -> Search:
    """The filters."""
    first, second = st.columns(2)
    sized = first.selectbox(_("Size"), list(SIZES), format_func=lambda key: _(SIZES[key][0]), key="hub-size")
    sort = second.selectbox(_("Order"), list(ORDERS), format_func=lambda key: _(ORDERS[key]), key="hub-sort")
    author = first.text_input(_("Author"), key="hub-author", placeholder="bartowski")
    language = second.selectbox(
        _("Language"),
        LANGUAGES,
        index=None,
        placeholder=_("any language"),
        key="hub-language",
        accept_new_options=True,
        help=_("As its author says. Most repositories of quantizations say nothing, and are then left out."),
    )
    licence = first.selectbox(
        _("Licence"),
        LICENCES,
        index=None,
        placeholder=_("any licence"),
        key="hub-licence",
        accept_new_options=True,
    )
    _name, least, most = SIZES[sized]
    return Search(author=author, language=language or "", licence=licence or "", sort=sort, least=least, most=most)


def _restore(wanted: Search | None) -> None:
    """What was searched for stands in the form again after a repository was open: Streamlit lets go of a form that is
    not drawn."""
    if wanted is None or "hub-text" in st.session_state:
        return
    size = next(key for key, (_name, *ends) in SIZES.items() if ends == [wanted.least, wanted.most])
    kept = {"text": wanted.text, "size": size, "sort": wanted.sort, "author": wanted.author}
    for name, value in {**kept, "language": wanted.language or None, "licence": wanted.licence or None}.items():
        st.session_state[f"hub-{name}"] = value


def _ideas() -> None:
    st.caption(_("Families with small models, to begin with:"))
    row = st.container(horizontal=True)
    for idea in IDEAS:
        row.button(idea, key=f"hub-idea-{idea}", icon=":material/search:", on_click=_want, args=(Search(text=idea),))


def _want(wanted: Search) -> None:
    st.session_state[WANTED] = wanted
    st.session_state.pop("hub-text", None)


def _results(workbench: Workbench, me: str, wanted: Search) -> None:
    try:
        with st.spinner(_("Asking the Hub…"), show_time=True):
            found = workbench.hub.search(wanted, workbench.accounts.permit(me))
    except WorkbenchError as error:
        error_box.show(error, key="hub-results", retry=True)
        return
    if not found:
        st.info(_("Nothing by that name has GGUF files. Try fewer letters, or fewer filters."), icon=":material/info:")
        return
    st.caption(ngettext("{count} repository", "{count} repositories", len(found)))
    for one in found:
        _row(one)
    if len(found) == wanted.limit < MAX_FOUND:
        more = structs.replace(wanted, limit=min(wanted.limit * 2, MAX_FOUND))
        st.button(_("Show more"), key="hub-more", icon=":material/expand_more:", on_click=_want, args=(more,))


def _row(one: Found) -> None:
    with st.container(gap=None, key=f"found-{one.id}"):
        st.button(
            f"**{error_box.plain(one.id)}**",
            key=f"open-{one.id}",
            type="tertiary",
            icon=":material/deployed_code:",
            on_click=opened.open,
            args=(one.id,),
        )
        st.caption(" · ".join(facts(one)))


def facts(one: Found) -> list[str]:
    """What a choice depends on, in words."""
    known = [parameters(one.parameters)] if one.parameters else []
    known += [tokens(one.context_length)] if one.context_length else []
    known += [_("licence {name}", name=error_box.plain(one.licence))] if one.licence else [_("licence unknown")]
    known += [_("{count} downloads a month", count=count(one.downloads))] if one.downloads else []
    known += [month(_day(one.updated))] if one.updated else []
    known += [", ".join(error_box.plain(code) for code in one.languages[:4])] if one.languages else []
    known += [":material/lock: " + _("gated")] if one.gated else []
    return known


def _day(moment: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).date().isoformat()
