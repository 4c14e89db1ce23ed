"""The models of one provider: searched, sorted, starred, taken to Chat; one that is not listed is added by its name.

Twenty rows a page, drawn as they are: a table of 500 would need pandas (67 MB) to be drawn at all, cannot hold a button
that leads to Chat, and is cut off on a telephone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import WorkbenchError
from core.models.base import ModelInfo
from core.models.remote import native
from core.models.remote.connections import Connection, Connections
from core.models.remote.native import Details
from core.workbench import Workbench
from pages.ui import error_box, icons, model_picker, places, press, prices, privacy
from pages.ui.words import N_, _, count, month, ngettext, parameters, size, tokens

PAGE = 20
"""Rows of a page."""

ORDERS: dict[str, tuple[str, Callable[[ModelInfo], float | str], bool]] = {
    "listed": (N_("as the provider lists them"), lambda info: 0, False),
    "name": (N_("by name"), lambda info: info.name.lower(), False),
    "price": (N_("cheapest first"), lambda info: _sum(info), False),
    "context": (N_("longest context first"), lambda info: info.context_length or 0, True),
    "release": (N_("newest first"), lambda info: info.released or "", True),
}
"""How the rows can be ordered: in words, by what, and whether the greatest comes first. What is unknown comes last."""


@st.fragment
def show(workbench: Workbench, owner: str, base_url: str) -> None:
    """Draws the list. It runs alone: looking for a model does not draw the page again."""
    try:
        _draw(workbench.connections, owner, base_url)
    except WorkbenchError as error:
        error_box.show(error)


def _draw(connections: Connections, owner: str, base_url: str) -> None:
    connection = connections.get(owner, base_url)
    favourites = connections.favourites(owner)
    for info in _page(_ordered(connection), favourites, base_url):
        _row(connections, owner, connection, info, starred=info.id in favourites)
    _by_hand(connections, owner, base_url)


def _ordered(connection: Connection) -> list[ModelInfo]:
    """Those that are looked for, in the order that was picked; small lists offer neither."""
    models, key = connection.models, connection.base_url
    if len(models) <= PAGE // 2:
        return models
    typed, picked = st.columns([3, 2])
    query = typed.text_input(
        _("Search models"),
        type="search",
        live=True,
        key=f"search-{key}",
        placeholder=_("Search models"),
        label_visibility="collapsed",
    )
    order = picked.selectbox(
        _("Order"),
        list(ORDERS),
        format_func=lambda name: _(ORDERS[name][0]),
        key=f"order-{key}",
        label_visibility="collapsed",
    )
    _name, by, greatest_first = ORDERS[order]
    words = (query or "").lower().split()
    found = [info for info in models if all(word in _searched(info) for word in words)]
    return sorted(found, key=by, reverse=greatest_first)


def _searched(info: ModelInfo) -> str:
    return " ".join([info.name, *info.modalities]).lower()


def _page(models: Sequence[ModelInfo], favourites: frozenset[str], key: str) -> Sequence[ModelInfo]:
    """One page of them, the starred ones first."""
    models = sorted(models, key=lambda info: info.id not in favourites)
    pages = max(math.ceil(len(models) / PAGE), 1)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(ngettext("{count} model", "{count} models", len(models)), width="content")
        # Keyed by their number: a search that leaves fewer pages begins at the first again.
        number = st.pagination(pages, key=f"page-{key}-{pages}") if pages > 1 else 1
    return models[(number - 1) * PAGE : number * PAGE]


def _row(connections: Connections, owner: str, connection: Connection, info: ModelInfo, *, starred: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-{info.id}"):
        does = _("No favourite any more") if starred else _("Make it a favourite")
        star = press.button(
            ("★" if starred else "☆") + icons.named(does),
            key=f"star-{info.id}",
            type="tertiary",
            help=_("Favourites come first wherever a model is picked."),
        )
        with st.container(gap=None):
            st.markdown(f"**{error_box.plain(info.name)}**")
            st.caption(" · ".join(facts(info)))
        if connection.preset is not None and connection.preset.native:
            _details(connections, owner, connection, info)
        if press.button(_("Use in Chat"), key=f"use-{info.id}", icon=":material/chat:", type="tertiary"):
            model_picker.pick_next(info.id)
            st.switch_page(places.chat())
    if star:
        connections.set_favourite(owner, info.id, not starred)
        st.rerun()


def facts(info: ModelInfo) -> list[str]:
    """What is known of a model, in words; its price also where it is not, unless nothing is ever paid."""
    known = [tokens(info.context_length)] if info.context_length else []
    known += [", ".join(_(one) for one in info.modalities)] if info.modalities else []
    known += [_("calls tools")] if info.tools else []
    known += [error_box.plain(info.quantization)] if info.quantization else []
    known += [size(info.size_bytes)] if info.size_bytes else []
    if info.price is not None or not privacy.stays(info):
        known.append(prices.per_million(info.price))
    known += [month(info.released)] if info.released else []
    return known or [_("nothing else is known of it")]


MODALITIES = (N_("text"), N_("image"), N_("audio"), N_("video"), N_("file"))
"""The names that providers use for what a model takes."""


def _details(connections: Connections, owner: str, connection: Connection, info: ModelInfo) -> None:
    """What the server says of the model beside the list, asked when somebody looks."""
    more = st.popover(icons.named(_("Details")), icon=":material/info:", key=f"details-{info.id}", on_change="rerun")
    if not more.open:
        return
    with more:
        try:
            endpoint = connections.endpoint(owner, connection.base_url)
            said = native.describe(endpoint, connection.preset, info.name)
        except WorkbenchError as error:
            error_box.show(error)
            return
        known = _said(said)
        st.markdown("\n".join(f"- {name}: {value}" for name, value in known) or _("It says nothing more of it."))


def _said(details: Details) -> list[tuple[str, str]]:
    """Name and value, in words, of each thing that is known."""
    known = [
        (_("Context length"), tokens(details.context_length) if details.context_length else ""),
        (_("Trained for"), tokens(details.trained_context) if details.trained_context else ""),
        (_("Size"), parameters(details.parameters) if details.parameters else ""),
        (_("Quantization"), error_box.plain(details.quantization or "")),
        (_("File"), size(details.size_bytes) if details.size_bytes else ""),
        (_("In memory"), "" if details.loaded is None else _("yes") if details.loaded else _("no")),
        (_("Answers at once"), "" if details.slots is None else count(details.slots)),
    ]
    return [(name, value) for name, value in known if value]


def _by_hand(connections: Connections, owner: str, base_url: str) -> None:
    with st.form(f"by-hand-{base_url}", border=False, clear_on_submit=True):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        name = row.text_input(
            _("A model that is not listed"),
            placeholder=_("its name, as the provider writes it"),
            key=f"hand-{base_url}",
            autocomplete="off",
        )
        with row:
            added = press.submit(_("Add"), icon=":material/add:", key=f"add-model-{base_url}")
    if added and name.strip():
        try:
            connections.add_model(owner, base_url, name.strip())
        except WorkbenchError as error:
            error_box.show(error)
        else:
            st.rerun()


def _sum(info: ModelInfo) -> float:
    return info.price.input + info.price.output if info.price else math.inf
