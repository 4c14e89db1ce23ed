"""A collection, ready to be searched: kept in memory while it does not change, and calibrated in the background.

The vectors are the database's. In a large collection the index gives the nearest ones; in a smaller one all are
compared, which takes less time than asking another process, and misses none. Thread-safe.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from core.errors import NothingToSearch, NotThere
from core.jobs import Job, Jobs
from core.late import np
from core.rag import calibrate
from core.rag.calibrate import Calibration
from core.rag.collections import Collections
from core.rag.fusion import Floats
from core.rag.retrieve import Searcher
from core.store import records

KIND, PREPARE = "calibrate", "prepare-search"
"""Of the jobs; their subject is the collection's id."""

INDEXED = 20_000
"""Passages from which the index is asked: comparing so many takes some milliseconds."""

KEPT_BYTES = 512_000_000
"""Of vectors that are kept for the next question, all collections together; the newest is always kept."""


class Finding:
    """The searchers of one workbench's collections."""

    def __init__(self, collections: Collections, jobs: Jobs) -> None:
        self._collections = collections
        self._jobs = jobs
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}
        self._kept: OrderedDict[str, tuple[str, Searcher]] = OrderedDict()

    def searcher(self, owner: str, collection_id: str) -> Searcher:
        """Over the collection as it is now, weighted as it was calibrated. Raises `NothingToSearch` or `NotThere`."""
        version = self._collections.version(owner, collection_id)
        with self._lock:
            making = self._making.setdefault(collection_id, threading.Lock())
        with making:  # thirty people who ask at once wait for one index
            with self._lock:
                kept = self._kept.get(collection_id)
            if kept is None or kept[0] != version:
                kept = (version, self._made(owner, collection_id))
                self._keep(collection_id, kept)
        found = self.calibration(owner, collection_id)
        searcher = kept[1]
        searcher.weight = found.weight if found is not None and found.known else None
        return searcher

    def prepare(self, owner: str, collection_id: str) -> Job | None:
        """Makes it ready in the background, so that the first question need not wait; None where it is."""
        version = self._collections.version(owner, collection_id)
        with self._lock:
            kept = self._kept.get(collection_id)
        latest = self._latest(owner, PREPARE, collection_id)
        if (kept is not None and kept[0] == version) or (latest is not None and latest.state in ("running", "failed")):
            return None

        def work(job: Job) -> int:
            searcher = self.searcher(owner, collection_id)
            return len(searcher.bm25.scores(""))

        return self._jobs.start(owner, PREPARE, collection_id, work)

    def calibration(self, owner: str, collection_id: str) -> Calibration | None:
        """What is known of the collection; None where it was never calibrated."""
        kept = self._collections.get(owner, collection_id).calibration
        try:
            return msgspec.convert(kept, Calibration) if kept else None
        except msgspec.ValidationError:
            return None

    def calibrate(self, owner: str, collection_id: str) -> Job:
        """Calibrates it in the background; the job that is at it already, if there is one."""
        running = self.calibrating(owner, collection_id)
        if running is not None:
            return running

        def work(job: Job) -> Calibration:
            searcher = self.searcher(owner, collection_id)
            collection = self._collections.get(owner, collection_id)
            embedding = self._collections.embeddings.get(owner, collection.build.embedding)
            found = calibrate.calibrate(searcher, embedding.embed, step=lambda done, total: job.step(done, total))
            self._collections.set_calibration(owner, collection_id, msgspec.to_builtins(found))
            return found

        return self._jobs.start(owner, KIND, collection_id, work)

    def calibrating(self, owner: str, collection_id: str) -> Job | None:
        """The job that is at it."""
        latest = self._latest(owner, KIND, collection_id)
        return latest if latest is not None and latest.state == "running" else None

    def calibrate_if_changed(self, owner: str, collection_id: str) -> Job | None:
        """Does where the collection has changed much since, and nothing is being added to it now; not again by itself
        where it failed."""
        collection = self._collections.get(owner, collection_id)
        latest = self._latest(owner, KIND, collection_id)
        failed = latest is not None and latest.state == "failed"
        unfit = failed or not collection.chunks or bool(self._collections.jobs(owner, collection_id))
        if unfit or not calibrate.stale(self.calibration(owner, collection_id), collection.chunks):
            return None
        return self.calibrate(owner, collection_id)

    def _latest(self, owner: str, kind: str, collection_id: str) -> Job | None:
        return next((job for job in self._jobs.list(owner, kind) if job.subject == collection_id), None)

    def _made(self, owner: str, collection_id: str) -> Searcher:
        collections = self._collections
        ids, vectors = collections.vectors(owner, collection_id)
        if not ids:
            raise NothingToSearch()
        by_id = {chunk.id: chunk for chunk in collections.chunks(owner, collection_id)}
        places = [place for place, id in enumerate(ids) if id in by_id]  # what went between the two readings is gone
        embedding = collections.embeddings.get(owner, collections.get(owner, collection_id).build.embedding)

        def embed(texts: Sequence[str]) -> Floats:
            # A question from a command line may have bytes in it that are no characters.
            return embedding.embed([records.clean(text) for text in texts], question=True)

        def nearest(vector: Floats, number: int) -> Sequence[tuple[str, float]]:
            try:
                return collections.search_dense(owner, collection_id, vector.astype(np.float32), limit=number)
            except NotThere:  # it was deleted in this moment
                return ()

        return Searcher(
            [by_id[ids[place]] for place in places],
            vectors if len(places) == len(ids) else vectors[places],
            embed,
            nearest=nearest if len(places) >= INDEXED else None,
        )

    def _keep(self, id: str, kept: tuple[str, Searcher]) -> None:
        with self._lock:
            self._kept.pop(id, None)
            self._kept[id] = kept
            while len(self._kept) > 1 and sum(one.vectors.nbytes for _, one in self._kept.values()) > KEPT_BYTES:
                self._kept.popitem(last=False)
