"""The steps that bring a database to the form this version knows, in order: step n makes `PRAGMA user_version` n."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from core.errors import N_, StoreUnavailable
from core.store import (
    m001_conversations,
    m002_runs,
    m003_library,
    m004_messages,
    m005_providers,
    m006_compare,
    m007_documents,
)

STEPS = (
    m001_conversations.up,
    m002_runs.up,
    m003_library.up,
    m004_messages.up,
    m005_providers.up,
    m006_compare.up,
    m007_documents.up,
)


def apply(connection: sqlite3.Connection, path: Path, *, upto: int = len(STEPS)) -> None:
    """Apply the steps that are missing, all or none. Safe when several processes do it at once: the others wait.

    Raises `StoreUnavailable` when a newer version of the workbench has written the database.
    """
    if _version(connection, path) == upto:
        return
    connection.execute("BEGIN IMMEDIATE")
    for number in range(_version(connection, path), upto):
        STEPS[number](connection)
        connection.execute(f"PRAGMA user_version = {number + 1}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(STEPS):
        raise StoreUnavailable(path=str(path), detail=N_("a newer version of this program has written it"))
    return version
