"""What the process of the search index is told and asked, as frozen values. A build's id names its index."""

from __future__ import annotations

import msgspec


class Open(msgspec.Struct, frozen=True):
    """Where the index is: a folder, or a Chroma server's host and port."""

    folder: str = ""
    host: str = ""
    port: int = 0


class Ids(msgspec.Struct, frozen=True, tag=True):
    """Asks which chunks an index holds. `whole`: only those whose vectors are there too. → `Held`"""

    build: str
    whole: bool = False


class Held(msgspec.Struct, frozen=True):
    """`dimension`: of its vectors; 0 where there are none."""

    ids: list[str]
    dimension: int = 0


class Add(msgspec.Struct, frozen=True, tag=True):
    """Puts chunks in that are not there: float32, little-endian, one vector after the other. → null"""

    build: str
    ids: list[str]
    dimension: int
    vectors: bytes


class Delete(msgspec.Struct, frozen=True, tag=True):
    """Takes chunks out. → null"""

    build: str
    ids: list[str]


class Drop(msgspec.Struct, frozen=True, tag=True):
    """Takes an index away; nothing where there is none. → null"""

    build: str


class Builds(msgspec.Struct, frozen=True, tag=True):
    """Asks of which builds there are indexes. → list of ids"""


class Query(msgspec.Struct, frozen=True, tag=True):
    """Asks for the nearest chunks. → `Near`"""

    build: str
    vector: bytes
    limit: int


class Near(msgspec.Struct, frozen=True):
    """The nearest first, with their cosines."""

    ids: list[str]
    scores: list[float]


Request = Ids | Add | Delete | Drop | Builds | Query
