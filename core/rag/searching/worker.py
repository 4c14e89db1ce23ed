"""The process that Chroma runs in: `python -m core.rag.searching.worker`.

It alone touches the folder; whoever starts it holds the folder's lock (core/rag/index.py). Nothing is ever upserted:
what is added has an id that was never there. Chroma's telemetry is off.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from core.errors import IndexFailed
from core.rag.attending import Desk
from core.rag.searching import wire

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

PREFIX = "build-"
EF = 200
"""How many candidates a search keeps in view: above any limit that is asked, and enough to miss next to nothing."""

AT_ONCE = 5000
"""Ids that are read or deleted at once."""

_requests = msgspec.json.Decoder(wire.Request)


def main() -> None:
    """Serves until the input ends."""
    desk = Desk()
    open = msgspec.json.decode(desk.hello(), type=wire.Open)
    desk.begin()
    client: ClientAPI | None = None
    for asked in desk.requests():
        try:
            client = client or opened(open)
            desk.answer(asked.id, answer(client, _requests.decode(asked.body)))
        except Exception as exc:  # whatever Chroma raises: it has many kinds, and all are put right by building anew
            desk.refuse(asked.id, IndexFailed(detail=f"{type(exc).__name__}: {str(exc)[:200]}"))


def opened(open: wire.Open) -> ClientAPI:
    """The client over the folder, or of the server."""
    os.environ["ANONYMIZED_TELEMETRY"] = "False"
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if open.host:
        return chromadb.HttpClient(host=open.host, port=open.port, settings=settings)
    return chromadb.PersistentClient(path=open.folder, settings=settings)


def answer(client: ClientAPI, request: wire.Request) -> object:
    """What a request asks for, done."""
    match request:
        case wire.Builds():
            return [one.name.removeprefix(PREFIX) for one in client.list_collections() if one.name.startswith(PREFIX)]
        case wire.Drop(build):
            if _there(client, build):
                client.delete_collection(PREFIX + build)
            return None
        case wire.Ids(build, whole):
            return _held(client, build, whole=whole)
        case wire.Add(build, ids, dimension, vectors):
            rows = np.frombuffer(vectors, dtype="<f4").reshape(len(ids), dimension)
            collection, most = _collection(client, build), client.get_max_batch_size()
            for at in range(0, len(ids), most):
                collection.add(ids=ids[at : at + most], embeddings=rows[at : at + most])
            return None
        case wire.Delete(build, ids):
            collection = _collection(client, build)
            for at in range(0, len(ids), AT_ONCE):
                collection.delete(ids=ids[at : at + AT_ONCE])
            return None
        case wire.Query(build, vector, limit):
            collection = _collection(client, build)
            question = np.frombuffer(vector, dtype="<f4")[None, :]
            found = collection.query(query_embeddings=question, n_results=limit, include=["distances"])
            distances: Any = found["distances"]
            return wire.Near(found["ids"][0], [1.0 - float(one) for one in distances[0]])


def _collection(client: ClientAPI, build: str) -> Any:
    return client.get_or_create_collection(
        PREFIX + build, configuration={"hnsw": {"space": "cosine", "ef_search": EF}}, embedding_function=None
    )


def _there(client: ClientAPI, build: str) -> bool:
    return any(one.name == PREFIX + build for one in client.list_collections())


def _held(client: ClientAPI, build: str, *, whole: bool) -> wire.Held:
    if not _there(client, build):
        return wire.Held([])
    collection = _collection(client, build)
    ids: list[str] = []
    dimension = 0
    while True:
        found = collection.get(limit=AT_ONCE, offset=len(ids), include=["embeddings"] if whole or not ids else [])
        vectors = found.get("embeddings")
        if vectors is not None and len(vectors):
            dimension = dimension or len(vectors[0])
        if whole and found["ids"] and (vectors is None or len(vectors) != len(found["ids"])):
            return wire.Held(ids, dimension)  # some have lost their vectors: not what it should hold
        ids += found["ids"]
        if len(found["ids"]) < AT_ONCE:
            return wire.Held(ids, dimension)


if __name__ == "__main__":
    main()
