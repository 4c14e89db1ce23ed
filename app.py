"""The server: the pages, their routes and the API on one port. Run it with `streamlit run app.py`, or `make run`."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import live_answer, live_count, own_api, race, resources
from pages.ui.owner import OwnerCookie

app = st.App(
    Path(__file__).parent / "pages" / "ui" / "frame.py",
    routes=[
        *live_answer.routes(lambda: resources.workbench().answers),
        *race.routes(lambda: resources.workbench().answers),
        *live_count.routes(resources.drafts),
        *own_api.routes(),
    ],
    middleware=[Middleware(OwnerCookie)],
    lifespan=resources.lifespan,
)
