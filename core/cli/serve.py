"""`python -m core serve`: the API without the pages, until Ctrl-C.

JSON: {"base_url"}, once it listens. Where it may be asked from is in core/api/guard.py; the key is WORKBENCH_API_KEY.
"""

from __future__ import annotations

import argparse
import socket
from dataclasses import dataclass

from core import settings
from core.api import Access, routes
from core.cli import terminal
from core.cli.local import opened
from core.errors import AddressTaken, ApiClosed
from core.models.catalog import Catalog
from core.models.local.shelf import Shelf
from core.models.remote.identities import OURS

GOODBYE_S = 2
"""Seconds that answers in progress have when the server is ended."""

WAITING = 2048
"""Connections that the system holds until they are taken."""


@dataclass(frozen=True)
class _Served:
    catalog: Catalog
    shelf: Shelf


def run(args: argparse.Namespace) -> int:
    """Serves. Raises `AddressTaken`, or `SettingInvalid` for an environment without sense."""
    import uvicorn
    from starlette.applications import Starlette

    access = Access(args.host, settings.from_environment(address=args.host).api_key)
    with opened() as (catalog, shelf), _listening(args.host, args.port) as listener:
        served = _Served(catalog, shelf)
        app = Starlette(routes=routes(lambda: served, access=lambda: access))
        _announce(listener, access, as_json=args.json)
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GOODBYE_S,
            server_header=False,
            headers=[("server", OURS)],
        )
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=WAITING)
    except (OSError, OverflowError, UnicodeError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise AddressTaken(address=f"{host}:{port}", detail=detail) from error


def _announce(listener: socket.socket, access: Access, *, as_json: bool) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
    if as_json:
        terminal.write_json({"base_url": url})
    terminal.say(f"The API is at {url} (Ctrl-C ends it).")
    if access.closed:
        closed = ApiClosed()
        terminal.say(f"{closed} {closed.advice()}")
