"""`python -m core rag add`: files, folders and web pages into a collection, which is made where there is none.

JSON: {"collection", "id", "ready", "failed", "same", "chunks", "documents": [{"name", "status", "pages", "chunks",
"note", "error": null or {"error", "message", "hint"}}]}; the documents are those that were added now. Beside a running
server it writes to the database alone: the server owns the search index, and brings it up to date by itself.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.cli import terminal
from core.cli.local import OWNER, opened_workbench
from core.errors import NotThere, WorkbenchError
from core.jobs import Job
from core.rag import files
from core.rag.collections import Collections
from core.rag.embed import DEFAULT
from core.rag.files import Incoming
from core.rag.values import Collection, Document

if TYPE_CHECKING:
    from core.workbench import Workbench

LOOK_EVERY_S = 0.2


def run(args: argparse.Namespace) -> int:
    """Adds them. Exit code 1 when a document failed, or Ctrl-C came; what is ready stays."""
    with opened_workbench() as workbench:
        incoming = [one for place in args.paths for one in _incoming(workbench, place, args.password or "")]
        collections = workbench.collections
        collection = _collection(collections, args)
        if not collections.index.ours():
            terminal.say("a running workbench owns the search index: it will take in what is added by itself")
        began = time.time()
        job = collections.add(OWNER, collection.id, incoming)
        whole = _followed(job)
        names = {files.shown_name(one.name) for one in incoming}
        added = [
            one for one in collections.documents(OWNER, collection.id) if one.name in names or one.added_at >= began
        ]
        if whole:
            collections.index.sync(OWNER, collections.get(OWNER, collection.id))
        return _written(collections.get(OWNER, collection.id), job, added, as_json=args.json, whole=whole)


def _incoming(workbench: Workbench, place: str, password: str) -> list[Incoming]:
    if place.lower().startswith(("http://", "https://")):
        from core.rag import fetch

        return [fetch.page(place, local_only=workbench.connections.local_only(OWNER))]
    return files.found(Path(place).expanduser(), password=password)


def _collection(collections: Collections, args: argparse.Namespace) -> Collection:
    try:
        return collections.named(OWNER, args.collection)
    except NotThere:
        given = {"embedding": args.embedding, "chunker": args.chunker, "size": args.size, "overlap": args.overlap}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return collections.create(OWNER, args.collection, **({"embedding": DEFAULT} | chosen))


def _followed(job: Job) -> bool:
    """Until it has ended; False when Ctrl-C ended it. Raises what made all of it fail."""
    progress = terminal.Progress()
    try:
        while not job.wait(LOOK_EVERY_S):
            left = f", about {job.seconds_left:.0f} s left" if job.seconds_left else ""
            progress.show(f"{job.fraction or 0:.0%} {job.note}{left}")
    except KeyboardInterrupt:
        job.cancel()
        job.wait(5.0)
        return False
    finally:
        progress.clear()
    if job.error is not None:
        raise job.error
    return True


def _written(collection: Collection, job: Job, added: list[Document], *, as_json: bool, whole: bool) -> int:
    failed = [one for one in added if one.status == "failed"]
    if as_json:
        terminal.write_json(
            {
                "collection": collection.name,
                "id": collection.id,
                **(msgspec.to_builtins(job.result) if job.result is not None else {}),
                "chunks": collection.chunks,
                "documents": [_described(one) for one in added],
            }
        )
    else:
        rows = [(one.status, str(one.pages or ""), str(one.chunks or ""), one.name) for one in added]
        terminal.write_table(("STATE", "PAGES", "CHUNKS", "DOCUMENT"), rows)
        for one in failed:
            error = WorkbenchError.from_dict(one.error or {})
            terminal.say(f"{one.name}: {error} {error.advice()}".rstrip())
        for one in added:
            if one.note:
                terminal.say(f"{one.name}: {one.note}")
    return 0 if whole and not failed else 1


def _described(document: Document) -> dict[str, object]:
    error = WorkbenchError.from_dict(document.error) if document.error else None
    return {
        "name": document.name,
        "status": document.status,
        "pages": document.pages,
        "chunks": document.chunks,
        "note": document.note,
        "error": terminal.described(error) if error is not None else None,
    }
