"""The addresses at which a question being typed is counted.

    POST  /workbench/drafts/{id}/count            {"text": "…", "files": ["key", …]} → 200 a `Counted`; 204 nothing yet
    POST  /workbench/drafts/{id}/files?name=N     the file's bytes → 200 {"key": "…"} or {"message": "…", "hint": "…"}

Both below `server.baseUrlPath`. 403 for a page of another origin, 404 for an id that is not known (any more), 413 for
more than a question may have. Why a file cannot be attached is said in its reader's language. Nothing of a conversation
can be read here, only counted.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import streamlit as st
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core import words
from core.attachments import LIMIT_BYTES
from core.drafts import Draft, Drafts
from core.errors import AttachmentError, NotThere, WorkbenchError
from pages.ui.live_answer.route import same_origin

PATH = "/workbench/drafts/{id}"

TEXT_LIMIT = 4 << 20
"""Bytes of a question: far above any context, far below the memory."""


class _Typed(msgspec.Struct, frozen=True):
    text: str
    files: list[str] = []


def routes(drafts: Callable[[], Drafts]) -> list[BaseRoute]:
    """The routes for `st.App(routes=…)`. `drafts` is asked at each request."""

    async def count(request: Request) -> Response:
        draft, refused = _allowed(drafts(), request)
        body = await _body(request, TEXT_LIMIT) if draft else None
        if draft is None or body is None:
            return Response(status_code=refused)
        return await to_thread.run_sync(_counted, draft, body)

    async def attach(request: Request) -> Response:
        draft, refused = _allowed(drafts(), request)
        # One byte more than is taken, so that the refusal can say why.
        body = await _body(request, LIMIT_BYTES + 1) if draft else None
        if draft is None or body is None:
            return Response(status_code=refused)
        return await to_thread.run_sync(_attached, draft, request.query_params.get("name", ""), body)

    base = "/".join(["", *filter(None, str(st.get_option("server.baseUrlPath") or "").split("/"))])
    return [
        Route(base + PATH + "/count", count, methods=["POST"]),
        Route(base + PATH + "/files", attach, methods=["POST"]),
    ]


def _allowed(drafts: Drafts, request: Request) -> tuple[Draft | None, int]:
    """The draft, and the status of the refusal: where there is none, or else where its body is too large."""
    if not same_origin(request):
        return None, 403
    draft = drafts.get(request.path_params["id"])
    return draft, 413 if draft else 404


async def _body(request: Request, limit: int) -> bytes | None:
    """The request's body; None where it has more than `limit` bytes, of which no more are then kept."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def _counted(draft: Draft, body: bytes) -> Response:
    try:
        typed = msgspec.json.decode(body, type=_Typed)
        counted = draft.count(typed.text, typed.files)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Response(status_code=400)
    except NotThere:  # just deleted, from this page or another: what there is to add to now, its next run says
        return Response(status_code=204)
    except WorkbenchError:  # the store's; the page itself says it where it needs it
        return Response(status_code=503)
    return _json(counted) if counted is not None else Response(status_code=204)


def _attached(draft: Draft, name: str, body: bytes) -> Response:
    try:
        return _json({"key": draft.add(name, body)})
    except AttachmentError as error:
        message, hint = words.explain(error, draft.language)
        return _json({"message": message, "hint": hint})


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
