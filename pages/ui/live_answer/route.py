"""The addresses a live answer is followed and stopped at.

    WebSocket  /workbench/answers/{id}?position=N   frames of JSON from event N on, the last with `ended`
    POST       /workbench/answers/{id}/stop         204; 404 for an unknown id

Both below `server.baseUrlPath`, and both refuse (403) a page of another origin. Who knows an answer's id may read and
stop it: the id cannot be guessed. A frame is

    {"position": 12, "state": "answering", "text": "…", "reasoning": "…", "thinking_s": 2.1, "tokens": 9, "rate": 84.1,
     "progress": {"type": "Prefill", "done": 120, "total": 800, "cached": 0}, "model": null, "ended": false}

`text` and `reasoning`: what is new since the last frame; `thinking_s`: seconds of thinking so far, null for none;
`rate`: tokens a second so far, null while unknown; `model`: the one that a route chose, null for none; `position`:
where to go on after a lost connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio
import msgspec
import streamlit as st
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.answers import Answer, Answers, State
from core.events import Reasoning, Text

PATH = "/workbench/answers/{id}"

FRAME_S = 0.1
"""Seconds between frames: ten a second look like flowing text, and each takes time from the model."""

LOOK_S = 0.02
"""Seconds between looks while there is nothing to show yet, so that the first words are shown at once."""

UNHURRIED: tuple[State, ...] = ("answering", "queued")
"""What is looked at once a frame: one that waits behind another would take time from the model that it waits for."""

UNKNOWN = 4404
"""Close code for an id that no answer has."""


def routes(answers: Callable[[], Answers]) -> list[BaseRoute]:
    """The routes for `st.App(routes=…)`. `answers` is asked at each request."""

    async def follow(websocket: WebSocket) -> None:
        if not same_origin(websocket):
            await websocket.close()  # before it is accepted, this is a 403
            return
        await websocket.accept()
        answer = answers().get(websocket.path_params["id"])
        if answer is None:
            await websocket.close(UNKNOWN)
            return
        await while_there(websocket, partial(_send, websocket, answer, _position(websocket)))

    async def stop(request: Request) -> Response:
        if not same_origin(request):
            return Response(status_code=403)
        answer = answers().get(request.path_params["id"])
        if answer is None:
            return Response(status_code=404)
        answer.stop()
        return Response(status_code=204)

    path = below_base(PATH)
    return [WebSocketRoute(path, follow), Route(path + "/stop", stop, methods=["POST"])]


def below_base(path: str) -> str:
    """The path below `server.baseUrlPath`."""
    return "/".join(["", *filter(None, str(st.get_option("server.baseUrlPath") or "").split("/"))]) + path


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the page that asks was served from the host and port it asks; a program that is no browser names none."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()


def frame(answer: Answer, position: int) -> dict[str, Any]:
    """What a reader who has seen `position` events has to be told now. The first of them brings what is continued."""
    events, after, ended = answer.since(position)
    text = "".join(event.text for event in events if isinstance(event, Text))
    if events and not position:
        text = answer.text_so_far + text
    return {
        "position": after,
        "state": answer.state,
        "text": text,
        "reasoning": "".join(event.text for event in events if isinstance(event, Reasoning)),
        "thinking_s": answer.thinking_s,
        "tokens": answer.tokens,
        "rate": answer.decode_rate,
        "progress": msgspec.to_builtins(answer.progress),
        "model": answer.routed.model_name if answer.routed else None,
        "ended": ended,
    }


async def while_there(websocket: WebSocket, send: Callable[[], Awaitable[None]]) -> None:
    """Runs `send` to its end, or until the browser has gone, whichever is first."""
    async with anyio.create_task_group() as both:

        async def until_gone() -> None:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass
            both.cancel_scope.cancel()

        both.start_soon(until_gone)
        await send()
        both.cancel_scope.cancel()


async def _send(websocket: WebSocket, answer: Answer, position: int) -> None:
    last: dict[str, Any] = {}
    try:
        while not last.get("ended"):
            new = frame(answer, position)
            if new != last:
                await websocket.send_text(msgspec.json.encode(new).decode())
            position, last = new["position"], new | {"text": "", "reasoning": ""}
            await anyio.sleep(FRAME_S if new["state"] in UNHURRIED else LOOK_S)
        await websocket.close()
    except WebSocketDisconnect:
        return


def _position(websocket: WebSocket) -> int:
    asked = websocket.query_params.get("position", "0")
    return int(asked) if asked.isdecimal() and len(asked) < 10 else 0
