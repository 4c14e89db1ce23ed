"""The one SQLite file that everything is kept in: connections, transactions, and its failures in words.

Safe from any thread: each block has a connection to itself, taken from a small pool. Write-ahead logging lets readers
and one writer work at once, in this process and in others. With `synchronous=NORMAL` a killed process loses nothing
that was committed; a power cut may lose the last commits, never the file.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import N_, StoreUnavailable
from core.store import migrations

# Primary result codes, https://sqlite.org/rescode.html; the extended ones carry more in their upper bits.
_REASONS = {
    sqlite3.SQLITE_PERM: N_("access is not permitted"),
    sqlite3.SQLITE_BUSY: N_("another program is holding it"),
    sqlite3.SQLITE_LOCKED: N_("another program is holding it"),
    sqlite3.SQLITE_READONLY: N_("it cannot be written to"),
    sqlite3.SQLITE_IOERR: N_("the disk refused to read or write it"),
    sqlite3.SQLITE_CORRUPT: N_("the file is damaged"),
    sqlite3.SQLITE_FULL: N_("the disk is full"),
    sqlite3.SQLITE_CANTOPEN: N_("the file cannot be opened"),
    sqlite3.SQLITE_NOTADB: N_("the file is not a database"),
}
_IDLE_CONNECTIONS = 4


class Database:
    """An open database, created and brought up to date where needed.

    patience_s: how long to wait for another writer before giving up.
    Every method raises `StoreUnavailable` when the file cannot be opened, read or written.
    """

    def __init__(self, path: Path, *, patience_s: float = 10.0) -> None:
        self.path = path
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with _failures_in_words(path):
            # Conversations are private: a folder made here is its owner's alone.
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._connection() as connection:
            _write_ahead(connection, patience_s)
            migrations.apply(connection, path)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything done in the block is kept, or, when it raises, none of it. Rows are read within the block."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All reads of the block see the database as it stood at the first of them. Rows are read within the block."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; a block still running keeps its connection until it ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with _failures_in_words(self.path):
            connection = self._take()
            try:
                yield connection
            except BaseException:
                # Rolled back before it is closed: rows still referred to by a traceback would keep its lock otherwise.
                with contextlib.suppress(sqlite3.Error):
                    connection.rollback()
                connection.close()
                raise
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(path=str(self.path), detail=N_("it has been closed"))
            if self._idle:
                return self._idle.pop()
        return _connect(self.path, self._patience_s)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()


def _connect(path: Path, patience_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection, patience_s: float) -> None:
    """Turn write-ahead logging on; the file stays so. Where the file system cannot do it, SQLite leaves it as it is.

    While another process writes a file that is not yet so, SQLite refuses at once, whatever the time-out.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


@contextlib.contextmanager
def _failures_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", None)
        detail = _REASONS.get(code & 0xFF, str(exc)) if code is not None else str(exc)
        raise StoreUnavailable(path=str(path), detail=detail) from exc
    except OSError as exc:
        raise StoreUnavailable(path=str(path), detail=exc.strerror or str(exc)) from exc
