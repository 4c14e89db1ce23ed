"""The page for phones: what is asked, the two answers, four buttons. Routes of one poll's listener.

    GET  /               a field for the code
    GET  /CODE           the paper; gives the device its name in a cookie
    POST /CODE           a ballot: choice, reasons_a, reasons_b, as a form; then back to the paper
    GET  /CODE/events    an event stream that says one thing: `closed`, with the lines to show

Plain forms that work without a script. What models wrote reaches a browser as escaped text, and who wrote it only
after closing, when whoever opened the poll wants it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import anyio
import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from core.classroom import codes, drawing
from core.classroom.ballots import REASON_NAMES, Ballot
from core.classroom.door import Door
from core.classroom.guard import Limit, origin_foreign
from core.classroom.hall import Hall
from core.errors import AddressForeign, AskedTooOften, BallotInvalid, DeviceUnknown, PollClosed, WorkbenchError

COOKIE = "classroom_device"
A_DAY_S = 24 * 3600

LONGEST_BALLOT = 4096
"""Bytes of a form; ours has some 300."""

MOST_FIELDS = 2 * len(REASON_NAMES) + 1

BODY_S = 10.0
"""How long a form may take to arrive."""

GUESSES = (60.0, 0.1)
"""Wrong codes of one address: at once, and a second after that. A whole school may be behind one address."""

LOOK_S = 0.2
"""How often an event stream looks whether the poll is over, seconds."""

ALIVE_S = 15.0
"""How often an event stream says that it is still there."""


def app(hall: Hall) -> ASGIApp:
    """The routes, and the door before them."""
    phones = _Phones(hall)
    routes = [
        Route("/", phones.join),
        Route("/phone.css", _file("phone.css", "text/css")),
        Route("/phone.js", _file("phone.js", "text/javascript")),
        Route("/{code}", phones.look, methods=["GET"]),
        Route("/{code}", phones.vote, methods=["POST"]),
        Route("/{code}/events", phones.follow),
    ]
    handlers: dict[Any, Any] = {HTTPException: _nothing_here, WorkbenchError: _refused, Exception: _broken}
    return Door(Starlette(routes=routes, exception_handlers=handlers))


class _Phones:
    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._guesses = Limit(*GUESSES)

    async def join(self, request: Request) -> Response:
        typed = codes.tidied(request.query_params.get("code", ""))[: 2 * codes.LENGTH]
        if not typed:
            return drawing.join(_language(request))
        self._check_code(request, typed)
        return RedirectResponse(f"/{self._hall.poll.code}", 303)

    async def look(self, request: Request) -> Response:
        self._check_code(request, request.path_params["code"])
        if (outcome := self._hall.outcome) is not None:
            return drawing.closed(outcome, _language(request))
        device = self._device(request)
        ballot = await run_in_threadpool(self._hall.cast_by, device) if device is not None else None
        page = drawing.paper(self._hall.poll, ballot, _language(request))
        if device is None:
            # Lax, not Strict: a link followed from another page must not make a second device of a phone.
            page.set_cookie(COOKIE, self._hall.devices.new(), A_DAY_S, httponly=True, samesite="lax")
        return page

    async def vote(self, request: Request) -> Response:
        self._check_code(request, request.path_params["code"])
        if origin_foreign(request.headers.get("origin"), request.headers.get("host", "")):
            raise AddressForeign()
        device = self._device(request)
        if device is None:
            raise DeviceUnknown()
        await run_in_threadpool(self._hall.cast, device, await _ballot(request))
        return RedirectResponse(f"/{self._hall.poll.code}", 303)

    async def follow(self, request: Request) -> Response:
        self._check_code(request, request.path_params["code"])
        return StreamingResponse(self._news(_language(request)), media_type="text/event-stream")

    async def _news(self, language: str) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        waited = 0.0
        while (outcome := self._hall.outcome) is None:
            await anyio.sleep(LOOK_S)
            waited += LOOK_S
            if waited >= ALIVE_S:
                yield ":\n\n"
                waited = 0.0
        lines = msgspec.json.encode({"lines": drawing.result(outcome, language)}).decode()
        yield f"event: closed\ndata: {lines}\n\n"

    def _device(self, request: Request) -> str | None:
        return self._hall.devices.name(request.cookies.get(COOKIE, ""))

    def _check_code(self, request: Request, typed: str) -> None:
        """A device that has been in goes on, whatever others at its address have typed."""
        whose = self._device(request) or (request.client.host if request.client else "")
        if not self._guesses.left(whose):
            raise AskedTooOften()
        if not codes.same(typed, self._hall.poll.code):
            self._guesses.spend(whose)
            raise PollClosed()


async def _ballot(request: Request) -> Ballot:
    """What the form says. Raises `BallotInvalid`."""
    try:
        with anyio.fail_after(BODY_S):
            body = await _body(request)
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=MOST_FIELDS)
        if not fields.keys() <= set(Ballot.__struct_fields__):
            raise ValueError("a field that is none of ours")
        (choice,) = fields.pop("choice")
        reasons = {name: list(dict.fromkeys(given)) for name, given in fields.items()}
        return msgspec.convert({"choice": choice, **reasons}, Ballot)
    except (ValueError, KeyError, TimeoutError, ClientDisconnect) as error:
        raise BallotInvalid() from error


async def _body(request: Request) -> bytes:
    """The body, of which no more is read than a ballot can have."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_BALLOT:
            raise ValueError("no ballot of ours is as long")
    return body


def _file(name: str, kind: str) -> Any:
    content = (drawing.FOLDER / name).read_bytes()

    async def give(_: Request) -> Response:
        return Response(content, media_type=kind)

    return give


def _language(request: Request) -> str:
    return drawing.preferred(request.headers.get("accept-language", ""))


async def _nothing_here(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers: Mapping[str, str] = (error.headers if isinstance(error, HTTPException) else None) or {}
    return drawing.refusal(PollClosed(), _language(request), status=status, headers=headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, WorkbenchError)
    return drawing.refusal(error, _language(request))


async def _broken(request: Request, _: Exception) -> Response:
    return drawing.refusal(WorkbenchError(), _language(request))
