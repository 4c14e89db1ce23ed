"""Answers on their way to a client: as server-sent events while they come, or whole.

Nothing is sent before the model has taken every request, so that what it refuses has a status of its own; an error
later ends the stream as OpenAI's does, with {"error": …} in place of [DONE]. A client that goes away stops its answers.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterable

import anyio
import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.api import refusal
from core.api.reading import Reading
from core.api.shapes import Gathered, Object, Shape
from core.errors import WorkbenchError
from core.events import Finished

DONE = b"data: [DONE]\n\n"

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Proxies are asked to pass on each piece as it comes."""


class Reply(Response):
    """The answers of `reading` in their shape."""

    media_type = "text/event-stream"

    def __init__(self, reading: Reading, shape: Shape, *, stream: bool) -> None:
        super().__init__(headers=_HEADERS)
        # What Starlette says of an empty body is not so.
        del self.headers["content-length"]
        self._reading = reading
        self._shape = shape
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends them, for as long as somebody listens."""
        try:
            async with anyio.create_task_group() as both:
                both.start_soon(_until_gone, receive, both.cancel_scope)
                await (self._as_it_comes if self._stream else self._whole)(scope, receive, send)
                both.cancel_scope.cancel()
        finally:
            self._reading.stop()

    async def _as_it_comes(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._reading.accepted()
        except WorkbenchError as error:
            await refusal.response(error)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _send(send, self._shape.opening())
        try:
            async for items in self._reading:
                await _send(send, (chunk for item in items if (chunk := self._shape.piece(*item)) is not None))
        except WorkbenchError as error:
            await _send(send, [refusal.described(error)])
        else:
            await _send(send, self._shape.ending(self._finished()))
            await send({"type": "http.response.body", "body": DONE, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        answers: dict[int, Gathered] = {}
        try:
            async for items in self._reading:
                for number, event in items:
                    answers.setdefault(number, Gathered()).add(event)
        except WorkbenchError as error:
            await refusal.response(error)(scope, receive, send)
            return
        whole = self._shape.whole([answers[number] for number in sorted(answers)], self._finished())
        await Response(msgspec.json.encode(whole), media_type="application/json")(scope, receive, send)

    def _finished(self) -> list[Finished]:
        return [self._reading.finished[number] for number in sorted(self._reading.finished)]


async def _until_gone(receive: Receive, answering: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    answering.cancel()


async def _send(send: Send, chunks: Iterable[Object]) -> None:
    if body := b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks):
        await send({"type": "http.response.body", "body": body, "more_body": True})
