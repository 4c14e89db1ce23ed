"""What every request to the API passes: is it allowed; and if it fails, OpenAI's shape for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api import guard, refusal
from core.api.guard import Access
from core.api.meter import Meter
from core.errors import WorkbenchError

_log = logging.getLogger(__name__)


class Door:
    """ASGI middleware of one route. `path`: its name in the figures; `keyless`: it answers without the key."""

    def __init__(
        self, app: ASGIApp, access: Callable[[], Access], meter: Callable[[], Meter], path: str, keyless: bool
    ) -> None:
        self._app = app
        self._access = access
        self._meter = meter
        self._path = path
        self._keyless = keyless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request in, or says why not."""
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            guard.check(self._access(), Headers(scope=scope), keyless=self._keyless)
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            pass
        except WorkbenchError as error:
            await refusal.response(error)(scope, receive, noting)
        except Exception:
            _log.exception("A request to %s failed", self._path)
            if status:
                raise
            await refusal.response(WorkbenchError())(scope, receive, noting)
        self._meter().answered(self._path, status)
