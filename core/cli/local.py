"""The models within reach of a command, and their end: no process is left when the command is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core import settings
from core.models.catalog import Catalog
from core.models.local.shelf import Shelf


@contextmanager
def opened() -> Iterator[tuple[Catalog, Shelf]]:
    """The catalogue of this machine, and an empty shelf. Raises `SettingInvalid` for an environment without sense."""
    kept = settings.from_environment()
    shelf = Shelf(budget_bytes=kept.memory_bytes)
    try:
        yield Catalog(kept), shelf
    finally:
        shelf.close()
