"""Errors as OpenAI's API says them: {"error": {"message", "type", "param", "code"}} with a status."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from core.errors import (
    AnswerRunning,
    ApiClosed,
    ApiError,
    ApiKeyWrong,
    BodyTooLarge,
    ContextOverflow,
    HostForeign,
    ModelBusy,
    ModelFileInvalid,
    ModelNotFound,
    ModelTooLarge,
    ModelUnstable,
    ModelUnsupported,
    OriginForeign,
    PathUnknown,
    RequestError,
    WorkbenchError,
)

INVALID, FORBIDDEN, OURS = "invalid_request_error", "permission_error", "server_error"

KINDS: dict[type[WorkbenchError], tuple[int, str, str | None]] = {
    WorkbenchError: (500, OURS, None),
    RequestError: (400, INVALID, None),
    AnswerRunning: (409, INVALID, None),
    ContextOverflow: (400, INVALID, "context_length_exceeded"),
    ApiError: (400, INVALID, None),
    BodyTooLarge: (413, INVALID, "body_too_large"),
    PathUnknown: (404, INVALID, "unknown_url"),
    ApiKeyWrong: (401, INVALID, "invalid_api_key"),
    ApiClosed: (403, FORBIDDEN, "api_key_not_set"),
    OriginForeign: (403, FORBIDDEN, "foreign_origin"),
    HostForeign: (403, FORBIDDEN, "foreign_host"),
    ModelNotFound: (404, INVALID, "model_not_found"),
    ModelFileInvalid: (422, INVALID, "model_invalid"),
    ModelUnsupported: (422, INVALID, "model_unsupported"),
    ModelTooLarge: (503, OURS, "out_of_memory"),
    ModelUnstable: (503, OURS, "model_unstable"),
    ModelBusy: (503, OURS, "overloaded"),
}
"""Status, type and code of each kind of error; the nearest one counts."""

HEADERS: dict[type[WorkbenchError], dict[str, str]] = {
    ApiKeyWrong: {"WWW-Authenticate": "Bearer"},
    ModelBusy: {"Retry-After": "1"},
}

_PARAMETERS = ("parameter", "setting")
"""Values of an error that name the parameter at fault."""


def response(error: WorkbenchError) -> Response:
    """The whole answer to a request that failed before anything was sent."""
    kind = _kind(error)
    return Response(msgspec.json.encode(described(error)), KINDS[kind][0], HEADERS.get(kind), "application/json")


def described(error: WorkbenchError) -> dict[str, Any]:
    """The error as JSON has it: what happened and what to do, in English."""
    _, type_, code = KINDS[_kind(error)]
    parameter = next((error.values[name] for name in _PARAMETERS if error.values.get(name)), None)
    message = " ".join(filter(None, (str(error), error.advice())))
    return {"error": {"message": message, "type": type_, "param": parameter, "code": code}}


def _kind(error: WorkbenchError) -> type[WorkbenchError]:
    return next(kind for kind in type(error).__mro__ if kind in KINDS)
