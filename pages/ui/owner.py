"""Whose conversations a browser sees (DESIGN, "Whose it is").

With owners by person, everybody on this machine is one person. With owners by browser, each browser is given a random
name in an HttpOnly cookie with its first page, and only what belongs to that name is ever read or written.
"""

from __future__ import annotations

import re
import secrets

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui import resources

COOKIE = "workbench_owner"
PERSON = "person"
A_YEAR_S = 365 * 24 * 3600

_NAME = re.compile(r"[A-Za-z0-9_-]{43}")


def current() -> str:
    """The owner that this session acts for."""
    if resources.workbench().settings.owners == "person":
        return PERSON
    name = st.context.cookies.get(COOKIE, "")
    if _NAME.fullmatch(name):
        return name
    # A browser that refuses cookies keeps what it says for as long as its page is open.
    return str(st.session_state.setdefault("owner", secrets.token_urlsafe(32)))


class OwnerCookie:
    """ASGI middleware: gives a browser its name with the first page it asks for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds the cookie to the answer of an HTTP request that came without one."""
        if scope["type"] != "http" or _named(scope):
            await self._app(scope, receive, send)
            return

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure = "; Secure" if scope.get("scheme") == "https" else ""
                MutableHeaders(scope=message).append(
                    "set-cookie",
                    f"{COOKIE}={secrets.token_urlsafe(32)}; Path=/; Max-Age={A_YEAR_S}; HttpOnly; SameSite=Lax{secure}",
                )
            await send(message)

        # Only a page names its browser: the requests that follow it run at the same time, and each would name it anew.
        asks_for_a_page = any(k == b"accept" and b"text/html" in v for k, v in scope["headers"])
        await self._app(scope, receive, named if asks_for_a_page else send)


def _named(scope: Scope) -> bool:
    # Not http.cookies: it reads nothing at all beside a cookie of another program that it does not understand.
    cookies = [cookie_parser(value.decode("latin-1")) for key, value in scope["headers"] if key == b"cookie"]
    return any(_NAME.fullmatch(found.get(COOKIE, "")) for found in cookies)
