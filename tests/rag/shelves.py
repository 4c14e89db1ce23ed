"""A workbench with one collection of a dozen short documents, made once for the tests that only read it."""

from __future__ import annotations

from dataclasses import dataclass

from core.rag.files import Incoming
from core.workbench import Workbench
from tests.rag.corpora import ENGLISH, FRENCH

ANA, BEN = "ana", "ben"
SETTLED_S = 110.0


@dataclass(frozen=True)
class Shelf:
    workbench: Workbench
    id: str


def filled(workbench: Workbench, owner: str = ANA, name: str = "Encyclopaedia") -> Shelf:
    """Adds the collection and waits until it can be searched."""
    made = workbench.collections.create(owner, name, size=64, overlap=0)
    files = [Incoming(f"doc{n}.txt", text.encode()) for n, text in enumerate(ENGLISH + FRENCH)]
    job = workbench.collections.add(owner, made.id, files)
    assert job.wait(SETTLED_S)
    assert (job.state, job.result.ready) == ("done", len(files))
    workbench.collections.index.sync(owner, workbench.collections.get(owner, made.id))  # nothing is left to be done
    return Shelf(workbench, made.id)
