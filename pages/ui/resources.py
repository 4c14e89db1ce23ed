"""What all sessions share: the one workbench of this server, opened with its first use and closed with the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from core import settings
from core.drafts import Drafts
from core.settings import Settings
from core.workbench import Workbench, open_workbench
from pages.ui import interpreter


def workbench() -> Workbench:
    """The workbench over this server's data folder. Raises `StoreUnavailable` or `SettingInvalid`."""
    return _open(settings.from_environment(address=st.get_option("server.address")))


@st.cache_resource(show_spinner=False)
def _open(kept: Settings) -> Workbench:
    return open_workbench(kept)


@st.cache_resource(show_spinner=False)
def drafts() -> Drafts:
    """The questions that are being typed."""
    return Drafts()


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Opens the workbench with the server, so that the first page need not wait; ends every model's process with it."""
    interpreter.share()
    opened = workbench()
    try:
        yield
    finally:
        opened.close()
        _open.clear()
