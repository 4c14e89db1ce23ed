"""The workbench's own API on the pages' port."""

from __future__ import annotations

import streamlit as st
from starlette.routing import BaseRoute

from core import api
from pages.ui import resources


def routes() -> list[BaseRoute]:
    """The routes for `st.App`, below `server.baseUrlPath`."""
    base = "/".join(["", *filter(None, str(st.get_option("server.baseUrlPath") or "").split("/"))])
    return api.routes(resources.workbench, access=_access, base=base)


def _access() -> api.Access:
    return api.Access(st.get_option("server.address"), resources.workbench().settings.api_key)
