"""The address at which the race of some answers is followed, over core.answers.

    WebSocket  /workbench/races/{ids}   ids: those of the answers, 1 to 6, with a dot between them

Below `server.baseUrlPath`, and refuses (403) a page of another origin. Who knows an answer's id may see how fast it is.
Two frames of JSON a second, each with a lane for each answer in the order of the ids:

    {"lanes": [{"state": "answering", "points": [[0.31, 1], [0.52, 19]], "tokens": 19, "rate": 84.1,
                "estimated": false, "ended": false}], "ended": false}

`points`: [seconds since the model was asked, tokens until then], those that are new since the last frame, thinned out;
`rate`: tokens a second so far, null while unknown; `estimated`: the server tells no tokens; an answer that is no longer
known has the state "gone". The last frame has `ended`, and comes when all have. Opened again, it begins
with all points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import anyio
import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.answers import Answer, Answers
from pages.ui.live_answer.route import UNKNOWN, below_base, same_origin, while_there

PATH = "/workbench/races/{ids}"
MOST = 6
FRAME_S = 0.5
"""Seconds between frames. Each takes time from a model on this machine; a line over ten seconds needs no more."""

POINTS = 240
"""Of one answer in one frame at most: more than a line on a screen can show."""

Point = tuple[float, int]


def routes(answers: Callable[[], Answers]) -> list[BaseRoute]:
    """The route for `st.App(routes=…)`. `answers` is asked when a race is opened."""

    async def follow(websocket: WebSocket) -> None:
        if not same_origin(websocket):
            await websocket.close()  # before it is accepted, this is a 403
            return
        await websocket.accept()
        ids = websocket.path_params["ids"].split(".")
        racing = [answers().get(id) for id in ids[:MOST]]
        if len(ids) > MOST or not any(racing):
            await websocket.close(UNKNOWN)
            return
        await while_there(websocket, partial(_send, websocket, racing))

    return [WebSocketRoute(below_base(PATH), follow)]


def frame(racing: Sequence[Answer | None], seen: Sequence[int]) -> tuple[dict[str, Any], list[int]]:
    """What a reader who has seen so many points of each has to be told now, and how many they have seen then."""
    lanes, after = [], []
    for answer, number in zip(racing, seen, strict=True):
        # Asked before its points are taken: what an answer that has ended has to show is then all there.
        ended = answer is None or answer.ended
        new = answer.growth.points(number) if answer else []
        lanes.append(_lane(answer, thinned(new), ended=ended))
        after.append(number + len(new))
    return {"lanes": lanes, "ended": all(lane["ended"] for lane in lanes)}, after


def thinned(points: Sequence[Point], most: int = POINTS) -> list[Point]:
    """At most so many of them, the first and the last among them, evenly by their number."""
    if len(points) <= most:
        return list(points)
    return [points[round(place * (len(points) - 1) / (most - 1))] for place in range(most)]


def _lane(answer: Answer | None, points: Sequence[Point], *, ended: bool) -> dict[str, Any]:
    if answer is None:
        return {"state": "gone", "points": [], "tokens": 0, "rate": None, "estimated": True, "ended": True}
    written = answer.growth.points(-1)
    return {
        "state": answer.state,
        "points": points,
        "tokens": written[0][1] if written else 0,
        "rate": answer.decode_rate or answer.growth.rate,
        "estimated": answer.growth.estimated,
        "ended": ended,
    }


async def _send(websocket: WebSocket, racing: Sequence[Answer | None]) -> None:
    last: dict[str, Any] = {}
    seen = [0] * len(racing)
    try:
        while not last.get("ended"):
            new, seen = frame(racing, seen)
            if new != last:
                await websocket.send_text(msgspec.json.encode(new).decode())
            last = {**new, "lanes": [{**lane, "points": []} for lane in new["lanes"]]}
            await anyio.sleep(FRAME_S)
        await websocket.close()
    except WebSocketDisconnect:
        return
