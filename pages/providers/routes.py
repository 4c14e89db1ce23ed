"""Routes: one name for several models. What each will do, in a sentence, and which endpoints are set aside now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import streamlit as st

from core.errors import WorkbenchError
from core.models.base import ModelInfo
from core.models.remote.connections import is_remote
from core.models.routes import Route, is_route, models_of
from core.workbench import Workbench
from pages.providers import route_form
from pages.ui import error_box, icons, model_picker, places, press
from pages.ui.words import _, seconds


def show(workbench: Workbench, owner: str) -> None:
    """Draws the routes there are, and the form."""
    st.caption(
        _(
            "A route stands in every list of models. Each answer names the model that really spoke, and why. Another "
            "one is asked only as long as nothing has been said."
        )
    )
    favourites = workbench.connections.favourites(owner)
    known = sorted(workbench.models(owner), key=lambda info: info.id not in favourites)
    models = {info.id: info for info in known if not is_route(info.id)}
    for route in workbench.routes.list(owner):
        _route(workbench, owner, route, models)
    if len(models) < 2:
        st.caption(_("A route needs two models to choose from: connect a provider first."))
        return
    route_form.show(workbench, owner, models)


def _route(workbench: Workbench, owner: str, route: Route, models: Mapping[str, ModelInfo]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"route-{route.id}"):
        with st.container(gap=None):
            st.markdown(f"**{error_box.plain(route.name)}**")
            st.caption(route_form.sentence(route.rule, models))
            for line in _set_aside(workbench, route):
                st.caption(line)
        if press.button(_("Use in Chat"), key=f"route-use-{route.id}", icon=":material/chat:", type="tertiary"):
            model_picker.pick_next(route.model_id)
            st.switch_page(places.chat())
        away = press.button(
            icons.named(_("Remove the route {name}", name=route.name)),
            key=f"route-remove-{route.id}",
            icon=":material/delete:",
            type="tertiary",
            help=_("Remove the route"),
        )
    if away:
        try:
            workbench.routes.remove(owner, route.id)
        except WorkbenchError as error:
            error_box.show(error)
        else:
            st.rerun()


def _set_aside(workbench: Workbench, route: Route) -> Sequence[str]:
    """The endpoints of a route that are not asked for now, because they failed several times in a row."""
    addresses = dict.fromkeys(id.partition("#")[0] for id in models_of(route.rule) if is_remote(id))
    states = [(address, workbench.breaker.state(address)) for address in addresses]
    return [
        ":material/pause_circle: "
        + _(
            "{host} failed several times in a row and is left out for {time} more.",
            host=error_box.plain(urlsplit(address).netloc),
            time=seconds(state.retry_in_s),
        )
        for address, state in states
        if state.name != "closed"
    ]
