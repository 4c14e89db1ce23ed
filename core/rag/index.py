"""The search index over what the database holds: Chroma in a folder, or a Chroma server.

The database is the truth; the index is brought to it by `sync`, which compares ids and adds and deletes what differs,
never embeds, and is the only thing that writes to the index. So it does not matter who changed a collection, in which
process, and what became of the index: deleted, damaged, half written, of another size. Until an index is as it should
be, and where it cannot be used, the vectors in the database are searched one by one: slower, and exactly as right.

One process owns the folder, by a lock: two that write to it lose vectors in silence. Another one searches the database
and leaves the index to the owner, who finds out by the version of the collection. Thread-safe.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from core.child import ChildDied
from core.errors import EmbeddingFailed, IndexFailed, WorkbenchError
from core.late import filelock, np
from core.rag.attendant import Attendant
from core.rag.searching import wire
from core.rag.values import Collection
from core.store.chunks import OTHER_LENGTH, Chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

Matrix: TypeAlias = "NDArray[np.float32]"
T = TypeVar("T")

SLICE = 2000
"""Vectors that are handed over at once."""

QUERY_LIMIT_S = 10.0
WRITE_LIMIT_S = 300.0
ATTEMPTS = 3
"""Before the last one the folder is made anew."""

RETRY_S = 30.0
"""Seconds before an index that cannot be used is tried again without being asked."""

IN_MEMORY = 256_000_000
"""Bytes of vectors that are kept for searching without the index."""

_log = logging.getLogger(__name__)


class SearchIndex:
    """The index of one workbench. server: `host:port` of a Chroma server; empty: `folder` holds it."""

    def __init__(self, chunks: Chunks, folder: Path, *, server: str = "") -> None:
        self._chunks = chunks
        self._folder = folder
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._synced: dict[str, int] = {}
        self._checked: set[str] = set()
        self._failed_at = -RETRY_S
        self._tidied = False
        self._vectors: OrderedDict[tuple[str, int], tuple[list[str], Matrix]] = OrderedDict()
        self._owner_lock = filelock.FileLock(str(folder) + ".lock", blocking=False, thread_local=False)
        self._server = server
        host, _, port = server.rpartition(":")
        place = wire.Open(host=host, port=int(port)) if server else wire.Open(folder=str(folder))
        self._attendant = Attendant("core.rag.searching.worker", msgspec.json.encode(place))

    @property
    def pid(self) -> int | None:
        """Of Chroma's process, while there is one."""
        return self._attendant.pid

    def ours(self) -> bool:
        """Whether this process may use the index: it owns the folder, or there is a server."""
        if self._server:
            return True
        with self._lock, contextlib.suppress(OSError):
            if self._owner_lock.is_locked:
                return True
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(filelock.Timeout):
                self._owner_lock.acquire()
                return True
        return False

    def synced(self, collection: Collection) -> bool:
        """Whether the index is known to hold exactly what the collection has."""
        return self._synced.get(collection.build.id) == collection.version

    def search(self, owner: str, collection: Collection, vector: Matrix, *, limit: int) -> list[tuple[str, float]]:
        """Ids of the nearest chunks, the nearest first, with their cosines."""
        limit = min(limit, collection.chunks)
        if limit <= 0:
            return []
        if self.synced(collection):
            query = wire.Query(collection.build.id, vector.astype("<f4").tobytes(), limit)
            try:
                near = self._ask(query, wire.Near, limit_s=QUERY_LIMIT_S)
                if len(near.ids) == limit:
                    return list(zip(near.ids, near.scores, strict=True))
            except WorkbenchError as error:
                _log.warning("%s", error)
            self._synced.pop(collection.build.id, None)
            self._checked.discard(collection.build.id)
        self.sync_soon(owner, collection)
        return self._exact(owner, collection, vector, limit)

    def vectors(self, owner: str, collection: Collection) -> tuple[list[str], Matrix]:
        """The vectors of a collection, from memory where they were read before. Not to be written to."""
        key = (collection.build.id, collection.version)
        with self._lock:
            if key in self._vectors:
                self._vectors.move_to_end(key)
                return self._vectors[key]
        found = self._chunks.vectors(owner, collection.id)
        with self._lock:
            for old in [one for one in self._vectors if one[0] == key[0]]:
                del self._vectors[old]
            self._vectors[key] = found
            while len(self._vectors) > 1 and sum(one.nbytes for _, one in self._vectors.values()) > IN_MEMORY:
                self._vectors.popitem(last=False)
        return found

    def sync_soon(self, owner: str, collection: Collection) -> None:
        """Brings the index to what the collection has, in the background."""
        rested = time.monotonic() - self._failed_at > RETRY_S
        if rested and not self._writing.locked() and self.ours():
            threading.Thread(target=self._sync_quietly, args=(owner, collection), name="index", daemon=True).start()

    def sync(self, owner: str, collection: Collection) -> bool:
        """Brings the index to what the collection has; whether it could. Raises `NotThere` or `StoreUnavailable`."""
        if not self.ours():
            return False
        with self._writing:
            if self.synced(collection):
                return True
            self._tidy()
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    self._bring(owner, collection)
                except IndexFailed as error:
                    _log.warning("The search index: %s", error)
                    self._checked.clear()
                    if attempt == ATTEMPTS - 1:
                        self._begin_anew()
                else:
                    self._synced[collection.build.id] = collection.version
                    return True
            self._failed_at = time.monotonic()
        return False

    def forget(self, build_id: str) -> None:
        """Takes away the index of a build that is gone."""
        self._synced.pop(build_id, None)
        self._checked.discard(build_id)
        if self.ours():
            with self._writing, contextlib.suppress(IndexFailed):
                self._ask(wire.Drop(build_id), None, limit_s=WRITE_LIMIT_S)

    def close(self) -> None:
        """Ends Chroma's process, and lets go of the folder."""
        self._attendant.close()
        self._owner_lock.release()

    def _sync_quietly(self, owner: str, collection: Collection) -> None:
        try:
            self.sync(owner, collection)
        except WorkbenchError as error:  # the collection is gone, or the workbench is being closed
            _log.info("The search index: %s", error)

    def _bring(self, owner: str, collection: Collection) -> None:
        build = collection.build.id
        should = set(self._chunks.ids(owner, collection.id))
        held = self._ask(wire.Ids(build, whole=build not in self._checked), wire.Held, limit_s=WRITE_LIMIT_S)
        there = set(held.ids)
        sample = self._chunks.vectors(owner, collection.id, list(should)[:1])[1]
        if len(there) != len(held.ids) or (there and should and held.dimension != sample.shape[1]):
            self._ask(wire.Drop(build), None, limit_s=WRITE_LIMIT_S)
            there = set()
        missing, extra = sorted(should - there), sorted(there - should)
        for at in range(0, len(missing), SLICE):
            ids, rows = self._chunks.vectors(owner, collection.id, missing[at : at + SLICE])
            if ids:
                add = wire.Add(build, ids, rows.shape[1], rows.astype("<f4").tobytes())
                self._ask(add, None, limit_s=WRITE_LIMIT_S)
        if extra:
            self._ask(wire.Delete(build, extra), None, limit_s=WRITE_LIMIT_S)
        self._checked.add(build)

    def _tidy(self) -> None:
        """Takes away, once a life, the indexes of builds that are gone. On a server they may be another workbench's."""
        if self._tidied or self._server:
            return
        self._tidied = True
        with contextlib.suppress(IndexFailed):
            for build in set(self._ask(wire.Builds(), list[str], limit_s=WRITE_LIMIT_S)) - self._chunks.builds():
                self._ask(wire.Drop(build), None, limit_s=WRITE_LIMIT_S)

    def _begin_anew(self) -> None:
        """Throws the folder away, where it is ours."""
        self._synced.clear()
        self._attendant.stop()
        if not self._server:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _exact(self, owner: str, collection: Collection, vector: Matrix, limit: int) -> list[tuple[str, float]]:
        ids, rows = self.vectors(owner, collection)
        if not ids:
            return []
        if rows.shape[1] != len(vector):
            raise EmbeddingFailed(embedding=collection.build.embedding, detail=OTHER_LENGTH)
        scores = rows @ vector.astype(np.float32)
        limit = min(limit, len(ids))
        best = np.argpartition(-scores, limit - 1)[:limit]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [(ids[number], float(scores[number])) for number in best]

    def _ask(self, request: wire.Request, kind: type[T] | None, *, limit_s: float) -> T:
        try:
            said = self._attendant.ask(msgspec.json.encode(request), limit_s=limit_s)
        except ChildDied as died:
            raise IndexFailed(detail=str(died)) from died
        return msgspec.json.decode(said, type=kind) if kind is not None else None  # type: ignore[return-value]
