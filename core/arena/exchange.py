"""Votes as files, out and in: our own JSONL, which loses nothing, and the layouts of public data sets of votes.

What a file is, is read from it: JSONL, CSV or Parquet by how it begins, the layout by its columns. Importing one twice
adds nothing: our own votes keep their ids, and a foreign row's id is a hash of it, so that merging drops what is there
already. Rows that are alike in everything (three columns, no time) are told apart by their number in the file.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Literal, get_args

import msgspec

from core.arena import spreadsheet
from core.arena.layouts import LAYOUTS, Column, Kind, Layout, Name
from core.arena.votes import Vote
from core.errors import N_, VotesColumnsMissing, VotesTooLarge, VotesTooMany, VotesUnknown, VotesUnreadable
from core.transfer.imported import LeftOut

Form = Literal["csv", "jsonl", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)

LIMIT_MB = 200
LIMIT_ROWS = 1_000_000
SHOWN_COLUMNS = 12
NOT_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\xd0\xcf\x11\xe0", b"SQLite format 3")
LATEST = 4_102_444_800.0
"""The year 2100, in seconds since 1970: what claims to be later is damaged."""
UNREADABLE = N_("votes that cannot be read")

Row = Mapping[str, Any]


class VotesFile(msgspec.Struct, frozen=True):
    """What a file held. `layout`: None for our own."""

    votes: tuple[Vote, ...]
    layout: Name | None = None
    left_out: tuple[LeftOut, ...] = ()


def lossless(votes: Iterable[Vote]) -> bytes:
    """Our own form: a vote a line, whole, so that two files end to end are a file too."""
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(vote) + b"\n" for vote in votes)


def export(votes: Iterable[Vote], layout: Name, form: Form) -> bytes:
    """The votes as a table in a public layout."""
    return _WRITERS[form](LAYOUTS[layout].columns, votes)


def read(data: bytes, *, origin: str = "") -> VotesFile:
    """The votes of a file. `origin`: where it comes from, kept with foreign votes.

    Raises `VotesTooLarge`, `VotesTooMany`, `VotesUnreadable`, `VotesUnknown` or `VotesColumnsMissing`.
    """
    if len(data) > LIMIT_MB * 1_000_000:
        raise VotesTooLarge(size_mb=round(len(data) / 1e6), limit_mb=LIMIT_MB)
    if not data.strip():
        raise VotesUnreadable(detail=N_("it is empty"))
    if data.startswith(NOT_TEXT):
        raise VotesUnreadable(detail=N_("it is an archive or a document, and not a table saved as CSV"))
    if data.startswith(b"PAR1"):
        return _foreign(_parquet(data), origin, head=True)
    text = spreadsheet.decoded(data[:4096]).lstrip()
    if text[:1] not in ("{", "["):
        return _foreign(spreadsheet.rows(data), origin, head=True)
    rows = _objects(spreadsheet.decoded(data))
    first = next(rows, {})
    if not first:
        raise VotesUnreadable(detail=N_("it is not JSON, or not all of it"))
    rows = chain([first], rows)
    return _ours(rows) if _is_ours(first) else _foreign(rows, origin)


def _is_ours(row: Row) -> bool:
    return "choice" in row and all(isinstance(row.get(side), dict) for side in "ab")


def _ours(rows: Iterable[Row]) -> VotesFile:
    votes: dict[str, Vote] = {}
    broken = 0
    for row in _limited(rows):
        try:
            vote = msgspec.convert(row, Vote)
        except msgspec.ValidationError:
            broken += 1
            continue
        if vote.id and 0 <= vote.at <= LATEST:
            votes[vote.id] = vote
        else:
            broken += 1
    return VotesFile(tuple(votes.values()), None, (LeftOut(UNREADABLE, broken),) if broken else ())


def _foreign(rows: Iterable[Row], origin: str, *, head: bool = False) -> VotesFile:
    """`head`: the first of the rows has only the columns' names, and is no vote."""
    all_rows = iter(rows)
    first = next(all_rows, {})
    name = _layout(list(first))
    left_out: Counter[str] = Counter()
    seen: Counter[bytes] = Counter()
    votes: dict[str, Vote] = {}
    for row in _limited(all_rows if head else chain([first], all_rows)):
        vote = LAYOUTS[name].read(row)
        if isinstance(vote, str):
            left_out[vote] += 1
            continue
        vote = _named(vote, seen, origin)
        votes[vote.id] = vote
    return VotesFile(tuple(votes.values()), name, tuple(LeftOut(reason, n) for reason, n in left_out.items()))


def _named(vote: Vote, seen: Counter[bytes], origin: str) -> Vote:
    """With the id that it has, or the hash of what it is and of how many before it were the same."""
    if vote.id:
        return msgspec.structs.replace(vote, origin=origin)
    # What is hashed is written out here: a vote that gets more fields in another version stays the same one.
    said = [[message.content for message in side.conversation] for side in (vote.a, vote.b)]
    fields = (vote.at, vote.choice, vote.a.label, vote.b.label, vote.voter, vote.duel_id, vote.turn, vote.comment, said)
    what = hashlib.sha256(msgspec.json.encode(fields)).digest()
    seen[what] += 1
    id = hashlib.sha256(what + str(seen[what]).encode()).hexdigest()[:32]
    return msgspec.structs.replace(vote, id=id, origin=origin)


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    found = iter(rows)
    yield from islice(found, LIMIT_ROWS)
    if next(found, None) is not None:
        raise VotesTooMany(limit=LIMIT_ROWS)


def _layout(columns: Sequence[str]) -> Name:
    """The layout of which the most columns are there, with all that it requires."""

    def there(layout: Layout) -> int:
        return len(set(layout.required) & set(columns))

    name, best = max(LAYOUTS.items(), key=lambda item: there(item[1]))
    if not there(best):
        shown = ", ".join(column[:40] for column in columns[:SHOWN_COLUMNS])
        raise VotesUnknown(found=shown + (" …" if len(columns) > SHOWN_COLUMNS else ""))
    if missing := [column for column in best.required if column not in columns]:
        raise VotesColumnsMissing(layout=best.title, columns=", ".join(missing))
    return name


def _objects(text: str) -> Iterator[Row]:
    """The objects of JSON lines, or of one JSON list; what is none is given as an empty one."""
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise VotesUnreadable(detail=N_("it is not JSON, or not all of it")) from exc
        yield from (one if isinstance(one, dict) else {} for one in found)
        return
    for line in text.split("\n"):
        if line.strip():
            try:
                one = json.loads(line)
            except (ValueError, RecursionError):
                one = {}
            yield one if isinstance(one, dict) else {}


def _parquet(data: bytes) -> Iterator[Row]:
    """The first has the columns' names only, as `spreadsheet.rows` gives them."""
    import pyarrow as pa
    from pyarrow import parquet

    wanted = {column.name for layout in LAYOUTS.values() for column in layout.columns} | EXTRA_COLUMNS
    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        columns = file.schema_arrow.names
        if file.metadata.num_rows > LIMIT_ROWS:
            raise VotesTooMany(limit=LIMIT_ROWS)
        yield dict.fromkeys(columns)
        for batch in file.iter_batches(batch_size=1000, columns=[name for name in columns if name in wanted]):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as exc:
        raise VotesUnreadable(detail=N_("it is no Parquet, or not all of it")) from exc


EXTRA_COLUMNS = frozenset({"timestamp", "session_hash", "categories", "evaluation_session_id"})
"""Of data sets, read where they are, and not written."""


def _csv(columns: Sequence[Column], votes: Iterable[Vote]) -> bytes:
    names = [column.name for column in columns]
    return spreadsheet.table(names, ([_cell(_value(c, vote)) for c in columns] for vote in votes))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _jsonl(columns: Sequence[Column], votes: Iterable[Vote]) -> bytes:
    rows = ({column.name: _value(column, vote) for column in columns} for vote in votes)
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _parquet_table(columns: Sequence[Column], votes: Iterable[Vote]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    types: Mapping[Kind, Any] = {
        "text": pa.string(),
        "flag": pa.bool_(),
        "number": pa.int64(),
        "seconds": pa.float64(),
        "moment": pa.string(),
        "list": pa.list_(pa.string()),
        "messages": pa.list_(message),
    }
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    rows = [{column.name: _value(column, vote) for column in columns} for vote in votes]
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), out)
    return out.getvalue()


def _value(column: Column, vote: Vote) -> Any:
    """What the column holds of the vote, as JSON has it."""
    value = column.of(vote)
    if column.kind == "messages":
        return [{"role": message.role, "content": message.content} for message in value]
    if column.kind == "moment":
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value


_WRITERS: Mapping[Form, Callable[[Sequence[Column], Iterable[Vote]], bytes]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet_table,
}
