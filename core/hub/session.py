"""The Hub's own client as we use it: which address it asks, how long it waits, where it may be led, what its errors
mean here.

huggingface_hub has one HTTP session a process. Ours is put in its place once: it never waits for ever, says nothing of
this machine's other packages, and follows no redirect that leads nearer than the Hub itself is (a Hub elsewhere must
not make this server ask something on its own network). The Hub's token is huggingface_hub's own matter (HF_TOKEN, or
what `hf auth login` kept): it is never written or shown, and dropped on the way to another host.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import (
    N_,
    HubBusy,
    HubFailed,
    HubGated,
    HubLeadsAstray,
    HubNotFound,
    HubOffline,
    HubTokenRefused,
    HubUnreachable,
)
from core.models.remote.address import whereabouts

if TYPE_CHECKING:
    import httpx2

CONNECT_S = 5.0
SILENCE_S = 20.0
"""The longest silence of the Hub, seconds."""

AGENT = "inference-workbench"
"""What the Hub is told who asks. Other users of huggingface_hub in this process keep its ways."""

TRANSIENT = (408, 429, 500, 502, 503, 504)
"""Statuses after which huggingface_hub would try again."""

BUSY_S = 60
"""Seconds that are named where the Hub does not say when it takes requests again."""

_DISTANCE = {"machine": 0, "network": 1, "away": 2}
_asked: set[str] = set()
"""Addresses of the Hubs of this process, as they are configured."""


def use(endpoint: str) -> None:
    """To be called before the Hub at this address is asked."""
    _asked.add(endpoint)
    _put_in_place()


def leads_astray(url: str, endpoints: set[str] | frozenset[str]) -> bool:
    """Whether an address is nearer to this machine than every configured Hub is."""
    nearest = min((_DISTANCE[whereabouts(one)] for one in endpoints), default=2)
    return _DISTANCE[whereabouts(url)] < nearest


@functools.cache
def _put_in_place() -> None:
    from huggingface_hub import constants, set_client_factory

    constants.HF_HUB_DISABLE_TELEMETRY = True
    set_client_factory(_client)


def _client() -> httpx2.Client:
    import httpx2
    from huggingface_hub.utils._http import hf_request_event_hook

    class Client(httpx2.Client):
        """Says at once what fails: huggingface_hub itself tries again for minutes, while a person waits."""

        def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            if not request.headers.get("user-agent", "").startswith(f"{AGENT}/"):
                return super().send(request, **options)
            address = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
            try:
                response = super().send(request, **options)
            except httpx2.TransportError as error:
                raise HubUnreachable(address=address, detail=said(error)) from error
            if response.status_code in TRANSIENT:
                response.close()
                raise of_response(response, address, name=request.url.path.strip("/"))
            return response

    return Client(
        event_hooks={"request": [_guard, hf_request_event_hook]},
        follow_redirects=True,
        timeout=httpx2.Timeout(SILENCE_S, connect=CONNECT_S),
    )


def _guard(request: httpx2.Request) -> None:
    """Of every request and of every redirect before it is followed."""
    url = str(request.url)
    if leads_astray(url, frozenset(_asked)):
        raise HubLeadsAstray(address=request.url.host)
    waits = request.extensions.get("timeout") or {}
    given = {"connect": CONNECT_S, "read": SILENCE_S, "write": SILENCE_S, "pool": SILENCE_S}
    request.extensions["timeout"] = {name: min(waits.get(name) or limit, limit) for name, limit in given.items()}


@contextmanager
def errors(endpoint: str, *, name: str) -> Iterator[None]:
    """Makes whatever the client raises an error of core.errors. name: the repository or file that is asked for."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled as error:
        raise HubOffline from error
    except HfHubHTTPError as error:
        raise of_response(error.response, endpoint, name=name) from error
    except HFValidationError as error:
        raise HubNotFound(name=name) from error
    except httpx2.TooManyRedirects as error:
        raise HubFailed(detail=N_("it sends its callers round in circles")) from error
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise HubUnreachable(address=endpoint, detail=said(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # an answer that is no JSON, or another one
        raise HubFailed(detail=N_("what it says cannot be read")) from error


def of_response(response: Any, endpoint: str, *, name: str) -> Exception:
    """The error that a response of 300 or more is."""
    status, code = response.status_code, response.headers.get("x-error-code", "")
    told = _line(response.headers.get("x-error-message", ""))
    if code == "GatedRepo":
        repository = _repository(name)
        return HubGated(repository=repository, page=f"{endpoint}/{repository}")
    if status == 401 and "credential" in told.lower():
        return HubTokenRefused(detail=told)
    if status == 404 or code in ("RepoNotFound", "EntryNotFound", "RevisionNotFound") or status == 401:
        return HubNotFound(name=name)
    if status == 403:
        return HubTokenRefused(detail=told or "403")
    if status == 429:
        return HubBusy(seconds=_wait(response.headers))
    return HubFailed(detail=f"{status} {told}".strip())


def said(error: Exception) -> str:
    """What a failed connection says of itself, short."""
    return _line(str(error)) or type(error).__name__


def _repository(name: str) -> str:
    return "/".join(name.split("/")[:2])


def _wait(headers: Any) -> int:
    from huggingface_hub.utils._http import parse_ratelimit_headers

    told = parse_ratelimit_headers(headers)
    if told is not None:
        return told.reset_in_seconds
    after = headers.get("retry-after", "")
    return int(after) if re.fullmatch(r"\d{1,6}", after) else BUSY_S


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]
