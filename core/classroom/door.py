"""What every request to a listener passes: its Host, how often its address asks, and the headers of every answer."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.classroom import drawing
from core.classroom.guard import Limit, host_known
from core.errors import AddressForeign, AskedTooOften, ClassroomError

REQUESTS = (400.0, 40.0)
"""Of one address: at once, and a second after that. Thirty phones behind one load three files each, together."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Door:
    """ASGI middleware before the routes of one poll."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._requests = Limit(*REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request in, or says why not."""
        headers = Headers(scope=scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        error = self._refusal(scope, headers)
        answering: ASGIApp = self._app
        if error is not None:
            answering = drawing.refusal(error, drawing.preferred(headers.get("accept-language", "")))
        await answering(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> ClassroomError | None:
        if not host_known(headers.get("host", "")):
            return AddressForeign()
        client = scope.get("client")
        return None if self._requests.spend(client[0] if client else "") else AskedTooOften()
