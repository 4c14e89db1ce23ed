"""The Providers page: every place a model can be reached, what each costs, and where what is asked goes."""

from __future__ import annotations

import streamlit as st

from core.errors import WorkbenchError
from pages.providers import adding, advice, connected, here, local_only, own_api, routes, spending
from pages.ui import error_box, owner, resources
from pages.ui.words import _

workbench = resources.workbench()
me = owner.current()

st.header(_("Providers"), anchor=False)
try:
    local_only.show(workbench.connections, me)
    here.show(workbench, me)
    connected.show(workbench, me)
    adding.show(workbench, me)
    st.space("small")
    with st.expander(_("Which model for what?"), icon=":material/balance:", key="more-advice"):
        advice.show(workbench, me)
    with st.expander(_("Costs and budgets"), icon=":material/payments:", key="more-spending"):
        spending.show(workbench, me)
    with st.expander(_("Routes: one name for several models"), icon=":material/alt_route:", key="more-routes"):
        routes.show(workbench, me)
    with st.expander(_("The local models for other programs"), icon=":material/api:", key="more-api"):
        own_api.show(workbench)
    with st.expander(_("When one machine is not enough"), icon=":material/dns:", key="more-outgrowing"):
        own_api.outgrowing()
except WorkbenchError as error:
    error_box.show(error)
