"""What goes wrong between us and an endpoint, made an error that a person can act on. The one place that does it.

Raised `from None`, and with the endpoint's own words scrubbed: what a client or a server says may quote the key.
"""

from __future__ import annotations

import email.utils
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import responses
from typing import Any
from urllib.parse import urlsplit

import msgspec

from core import errors
from core.errors import N_, WorkbenchError
from core.models.remote.endpoint import Endpoint
from core.models.remote.sse import StreamInvalid

DETAIL_LENGTH = 300

_BY_STATUS: dict[int, type[errors.ProviderError]] = {
    401: errors.KeyRefused,
    402: errors.CreditUsedUp,
    403: errors.AccessForbidden,
    404: errors.EndpointNotFound,
    429: errors.RateLimited,
}
_PASSING = {408, 429, 500, 502, 503, 504, 529}
"""Statuses that another attempt may not meet."""


class Refused(Exception):
    """An HTTP status that is no success, with the beginning of what came with it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body.decode("utf-8", errors="replace")

    @property
    def phrase(self) -> str:
        """The standard's name for its status."""
        return responses.get(self.status, "?")

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the endpoint asks to wait; None when it does not say. RFC 9110, 10.2.3; and milliseconds."""
        value = self.headers.get("retry-after", "")
        date = email.utils.parsedate_tz(value)
        try:
            if "retry-after-ms" in self.headers:
                return max(float(self.headers["retry-after-ms"]) / 1000, 0.0)
            return max(email.utils.mktime_tz(date) - time.time() if date else float(value), 0.0)
        except (ValueError, OverflowError):
            return None

    def says(self, *words: str) -> bool:
        """Whether one of the words is in its body."""
        return any(word in self.body for word in words)

    @property
    def passing(self) -> bool:
        """Whether it is worth asking again."""
        return self.status in _PASSING and not self.says("insufficient_quota")


@contextmanager
def mapped(endpoint: Endpoint, *, model: str) -> Iterator[None]:
    """Whatever the block raises that is not ours becomes an error of core.errors."""
    import anyio
    import httpx2
    import openai

    try:
        yield
    except Refused as refused:
        raise of_status(endpoint, refused, model=model) from None
    except openai.APIConnectionError as exc:  # before there was a response
        raise unconnected(endpoint, exc) from None
    except httpx2.TimeoutException:
        raise _silent(endpoint) from None
    except (httpx2.RequestError, ssl.SSLError, anyio.EndOfStream):
        raise errors.AnswerCut(provider=endpoint.provider, detail=N_("the connection was lost")) from None
    except httpx2.InvalidURL as exc:
        raise errors.AddressInvalid(detail=_short(endpoint, str(exc))) from None
    except (msgspec.DecodeError, StreamInvalid, UnicodeDecodeError, RecursionError) as exc:
        raise errors.AnswerMalformed(provider=endpoint.provider, detail=_short(endpoint, str(exc))) from None


def of_status(endpoint: Endpoint, refused: Refused, *, model: str) -> WorkbenchError:
    """The error for a status."""
    body = _json(refused.body)
    if 300 <= refused.status < 400:
        return errors.ProviderRedirects(provider=endpoint.provider, target=_target(endpoint, refused))
    if overflow := _overflow(body):
        return overflow
    said = _words(endpoint, body)
    if refused.status >= 500:
        return errors.ProviderFailed(provider=endpoint.provider, detail=f"{refused.status}, {said or refused.phrase}")
    detail = said or N_("it gave no reason")
    if refused.status == 429 and refused.says("insufficient_quota"):
        return errors.CreditUsedUp(provider=endpoint.provider, detail=detail)
    if refused.status == 429 and (seconds := refused.retry_after_s) is not None:
        return errors.RateLimitedFor(provider=endpoint.provider, detail=detail, seconds=max(round(seconds), 1))
    if refused.status == 401 and not endpoint.key and not endpoint.headers:
        return errors.KeyMissing(provider=endpoint.provider, detail=detail)
    if kind := _BY_STATUS.get(refused.status):
        return kind(provider=endpoint.provider, detail=detail, model=model)
    return errors.RequestRejected(provider=endpoint.provider, detail=detail)


def in_stream(endpoint: Endpoint, fault: Any, *, model: str) -> WorkbenchError:
    """The error for one that was sent in place of the next piece of an answer; `fault` is its JSON."""
    code = fault.get("code") if isinstance(fault, dict) else None
    if isinstance(code, int) and 400 <= code < 500:
        return of_status(endpoint, Refused(code, {}, json.dumps({"error": fault}).encode()), model=model)
    detail = _words(endpoint, fault) or N_("it gave no reason")
    return errors.ProviderFailed(provider=endpoint.provider, detail=detail)


def unconnected(endpoint: Endpoint, exc: BaseException) -> WorkbenchError:
    """The error for what kept a connection from being made."""
    import httpx2

    causes = list(_causes(exc))

    def one_of(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    where = {"provider": endpoint.provider, "address": endpoint.base_url}
    if isinstance(own := one_of(WorkbenchError), WorkbenchError):
        return own
    if insecure := one_of(ssl.SSLError):
        reason = getattr(insecure, "verify_message", "") or getattr(insecure, "reason", "") or N_("it gave no reason")
        return errors.ProviderUntrusted(**where, detail=_short(endpoint, str(reason)))
    if one_of(httpx2.ConnectTimeout):
        return errors.ProviderUnreachable(**where, detail=N_("nothing there answers"))
    if one_of(httpx2.TimeoutException):
        return _silent(endpoint)
    if one_of(ConnectionRefusedError):
        return errors.ProviderUnreachable(**where, detail=N_("the connection was refused"))
    if one_of(OSError) and not one_of(ConnectionError, httpx2.ReadError, httpx2.WriteError):
        return errors.ProviderUnreachable(**where, detail=N_("there is no way to that host"))
    return errors.ProviderUnreachable(**where, detail=N_("the connection was lost"))


def _silent(endpoint: Endpoint) -> WorkbenchError:
    return errors.ProviderTimedOut(provider=endpoint.provider, seconds=endpoint.timeouts.read_s)


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        if isinstance(exc, BaseExceptionGroup):
            for one in exc.exceptions:
                yield from _causes(one)
        exc = exc.__cause__ or exc.__context__


def _overflow(body: Any) -> WorkbenchError | None:
    """llama.cpp's server says how many tokens there were, and how many fit."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or error.get("type") != "exceed_context_size_error":
        return None
    tokens, length = error.get("n_prompt_tokens"), error.get("n_ctx")
    if not isinstance(tokens, int) or not isinstance(length, int):
        return None
    return errors.ContextOverflow(prompt_tokens=tokens, context_length=length)


def _target(endpoint: Endpoint, refused: Refused) -> str:
    """Where a redirection points, as an address one can type: no user name, no query."""
    try:
        parts = urlsplit(refused.headers.get("location", ""))
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return N_("another address")
    return _short(endpoint, f"{parts.scheme}://{host}{parts.path}") if host else N_("another address")


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _words(endpoint: Endpoint, body: Any) -> str:
    """What an error's body says in words; empty for a web page."""
    while isinstance(body, dict):
        body = next((body[name] for name in ("error", "message", "detail", "msg") if body.get(name)), "")
    if isinstance(body, list):
        body = _words(endpoint, body[0]) if body else ""
    text = str(body)
    return "" if text.lstrip().startswith("<") else _short(endpoint, text)


def _short(endpoint: Endpoint, text: str) -> str:
    """One line without secrets, of at most `DETAIL_LENGTH` characters, to stand before a full stop."""
    line = " ".join(endpoint.scrub(text).split())
    if len(line) > DETAIL_LENGTH:
        line = line[: DETAIL_LENGTH - 1] + "…"
    return line.rstrip(". ")
