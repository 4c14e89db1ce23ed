"""The models within reach of a command, and their end: no process is left when the command is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core import settings
from core.models.catalog import Catalog
from core.models.local.shelf import Shelf

if TYPE_CHECKING:
    from core.workbench import Workbench

OWNER = "person"
"""Whoever is at this machine, as the pages call them (pages/ui/owner.py)."""


@contextmanager
def opened() -> Iterator[tuple[Catalog, Shelf]]:
    """The catalogue of this machine, and an empty shelf. Raises `SettingInvalid` for an environment without sense."""
    kept = settings.from_environment()
    shelf = Shelf(budget_bytes=kept.memory_bytes)
    try:
        yield Catalog(kept), shelf
    finally:
        shelf.close()


@contextmanager
def opened_workbench() -> Iterator[Workbench]:
    """With what is kept: connections, keys, routes. Raises `StoreUnavailable` too."""
    from core.workbench import beside

    kept = beside(settings.from_environment())
    try:
        yield kept
    finally:
        kept.close()
