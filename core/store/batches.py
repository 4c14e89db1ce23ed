"""Batches, their cells and what judges said of them. Whoever acts for a person names the owner.

A batch that runs has none: it is told its own id. What it writes to a batch that has been deleted raises `NotThere`, as
does another owner's batch. Every method raises `StoreUnavailable` when the database fails, and has then changed
nothing.
"""

from __future__ import annotations

import builtins
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

from core.arena.batch import Batch, Cell, Count, Entrant, Place, Spec, State, Summary, places
from core.arena.checks import Checked
from core.arena.judge import ORDERS, Order, Pair, Said, Verdict
from core.errors import N_, NotThere, WorkbenchError
from core.events import Finished, Routed
from core.store import records, rows
from core.store.database import Database

LAST = 20
"""Batches by which it is reckoned how long a model takes."""


class KeptBatches:
    """The batches of all owners in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, owner: str, name: str, spec: Spec) -> Batch:
        """Keeps a batch, paused, all its cells waiting."""
        id = rows.new_id()
        fields = {
            "id": id,
            "owner": owner,
            "name": records.clean(name),
            "created_at": time.time(),
            "state": "paused",
            "spec": records.to_json(spec),
        }
        cells = ((id, place.model, place.prompt, place.repeat) for place in places(spec))
        with self._db.transaction() as connection:
            rows.insert(connection, "batches", fields)
            connection.executemany(_INSERT_CELL, cells)
            return _batch(connection, owner, id)

    def get(self, owner: str, id: str) -> Batch:
        """The batch by this id."""
        with self._db.reading() as connection:
            return _batch(connection, owner, id)

    def list(self, owner: str, *, limit: int = 100) -> Sequence[Summary]:
        """Newest first."""
        with self._db.reading() as connection:
            return [Summary(**dict(row)) for row in connection.execute(_LIST, {"owner": owner, "limit": limit})]

    def rename(self, owner: str, id: str, name: str) -> None:
        """Gives a batch another name."""
        self._change(owner, id, {"name": records.clean(name)})

    def set_spec(self, owner: str, id: str, spec: Spec) -> None:
        """Keeps another judge with the batch; its models, prompts and repeats stay, as its cells do."""
        self._change(owner, id, {"spec": records.to_json(spec)})

    def delete(self, owner: str, id: str) -> None:
        """With all its cells and verdicts."""
        with self._db.transaction() as connection:
            _batch(connection, owner, id)
            connection.execute("DELETE FROM batches WHERE id = ?", (id,))

    def cells(self, owner: str, id: str) -> builtins.list[Cell]:
        """In the order in which they are asked."""
        with self._db.reading() as connection:
            _owned(connection, owner, id)
            sql = f"SELECT * FROM cells WHERE batch_id = ? {_IN_ORDER}"
            return [_cell(row) for row in connection.execute(sql, (id,))]

    def cell(self, owner: str, id: str, place: Place) -> Cell:
        """One of them."""
        with self._db.reading() as connection:
            _owned(connection, owner, id)
            row = connection.execute(f"SELECT * FROM cells WHERE {_AT}", _key(id, place)).fetchone()
            if row is None:
                raise NotThere(what=N_("answer"))
            return _cell(row)

    def counts(self, owner: str, id: str) -> builtins.list[Count]:
        """The cells of each model by what has become of them."""
        with self._db.reading() as connection:
            _owned(connection, owner, id)
            return [Count(**dict(row)) for row in connection.execute(_COUNTS, (id,))]

    def seconds(self, owner: str) -> dict[str, float]:
        """How long an answer took, by the id of its model: the mean over the owner's newest batches."""
        with self._db.reading() as connection:
            found = connection.execute(_SECONDS, {"owner": owner, "batches": LAST}).fetchall()
        models = {row["id"]: records.from_json(row["models"], tuple[Entrant, ...]) or () for row in found}
        took: dict[str, builtins.list[float]] = {}
        for row in found:
            if row["model"] < len(models[row["id"]]):
                took.setdefault(models[row["id"]][row["model"]].info.id, []).append(row["seconds"])
        return {id: sum(means) / len(means) for id, means in took.items()}

    def retry(self, owner: str, id: str, place: Place | None = None) -> int:
        """Lets a cell, or None: all that failed, wait to be asked again; how many. A cell that runs goes on."""
        with self._db.transaction() as connection:
            _owned(connection, owner, id)
            if place is None:
                sql = "UPDATE cells SET status = 'waiting', error = NULL WHERE batch_id = ? AND status = 'failed'"
                return connection.execute(sql, (id,)).rowcount
            _forget_verdicts(connection, id, place)
            sql = f"UPDATE cells SET status = 'waiting', error = NULL WHERE {_AT} AND status <> 'running'"
            return connection.execute(sql, _key(id, place)).rowcount

    def verdicts(self, owner: str, id: str) -> dict[Pair, Verdict]:
        """What has been said of which pairs."""
        with self._db.reading() as connection:
            _owned(connection, owner, id)
            found = connection.execute("SELECT * FROM verdicts WHERE batch_id = ?", (id,)).fetchall()
        read = {_pair(row): records.from_json(row["verdict"], Verdict) for row in found}
        return {pair: verdict for pair, verdict in read.items() if verdict is not None}

    def forget_verdicts(self, owner: str, id: str) -> None:
        """All of them: another judge is to say."""
        with self._db.transaction() as connection:
            _owned(connection, owner, id)
            connection.execute("DELETE FROM verdicts WHERE batch_id = ?", (id,))

    def set_state(self, id: str, state: State) -> None:
        """Of a batch that runs, or ends."""
        with self._db.transaction() as connection:
            _found(rows.update(connection, "batches", id, {"state": state}))

    def waiting(self, id: str) -> builtins.list[Place]:
        """The cells still to be asked, in order."""
        sql = f"SELECT model, prompt, repeat FROM cells WHERE batch_id = ? AND status = 'waiting' {_IN_ORDER}"
        with self._db.reading() as connection:
            return [Place(**dict(row)) for row in connection.execute(sql, (id,))]

    def answered(self, id: str) -> builtins.list[Place]:
        """The cells that have an answer with words."""
        sql = "SELECT model, prompt, repeat FROM cells WHERE batch_id = ? AND status = 'done' AND trim(answer) <> ''"
        with self._db.reading() as connection:
            return [Place(**dict(row)) for row in connection.execute(sql, (id,))]

    def begin(self, id: str, place: Place) -> bool:
        """Takes a waiting cell: what it had is gone, and it runs. False where it does not wait any more."""
        with self._db.transaction() as connection:
            return connection.execute(_BEGIN, {**_key(id, place), "at": time.time()}).rowcount > 0

    def append(self, id: str, place: Place, text: str, *, reasoning: bool = False) -> None:
        """More of a running cell's answer."""
        column = "reasoning" if reasoning else "answer"
        sql = f"UPDATE cells SET {column} = {column} || :text WHERE {_AT} AND status = 'running'"
        with self._db.transaction() as connection:
            _found(connection.execute(sql, {**_key(id, place), "text": records.clean(text)}).rowcount)

    def finish(self, id: str, cell: Cell) -> None:
        """How a running cell ended: done or failed, or waiting again; its text, figures, error, checks and model."""
        values: dict[str, Any] = {
            **_key(id, cell.place),
            "status": cell.status,
            "answer": records.clean(cell.answer),
            "reasoning": records.clean(cell.reasoning),
            "finished": _json(cell.finished),
            "error": _json(cell.error),
            "checks": _json(cell.checks),
            "routed": _json(cell.routed),
        }
        with self._db.transaction() as connection:
            _found(connection.execute(_FINISH, values).rowcount)

    def fail_waiting(self, id: str, model: int, error: WorkbenchError) -> None:
        """All cells of a model that still wait fail with this."""
        sql = "UPDATE cells SET status = 'failed', error = ? WHERE batch_id = ? AND model = ? AND status = 'waiting'"
        with self._db.transaction() as connection:
            connection.execute(sql, (_json(error.to_dict()), id, model))

    def say(self, id: str, pair: Pair, order: Order, said: Said) -> None:
        """Keeps what a judge said of a pair in one order."""
        key = {"batch": id, "prompt": pair.prompt, "repeat": pair.repeat, "a": pair.a, "b": pair.b}
        with self._db.transaction() as connection:
            row = connection.execute(f"SELECT verdict FROM verdicts WHERE {_PAIR}", key).fetchone()
            kept = (records.from_json(row["verdict"], Verdict) if row is not None else None) or Verdict()
            both = {name: said if name == order else getattr(kept, name) for name in ORDERS}
            try:
                connection.execute(_SAY, {**key, "verdict": records.to_json(Verdict(**both))})
            except sqlite3.IntegrityError as exc:
                raise NotThere(what=N_("batch")) from exc

    def recover(self) -> None:
        """After a start: what was running waits, and no batch runs until it is asked to."""
        with self._db.transaction() as connection:
            connection.execute("UPDATE cells SET status = 'waiting' WHERE status = 'running'")
            connection.execute("UPDATE batches SET state = 'paused' WHERE state = 'running'")

    def free(self, id: str) -> None:
        """What was running in another process waits: it has ended, or this one takes its place."""
        with self._db.transaction() as connection:
            connection.execute("UPDATE cells SET status = 'waiting' WHERE batch_id = ? AND status = 'running'", (id,))

    def _change(self, owner: str, id: str, changes: dict[str, Any]) -> None:
        with self._db.transaction() as connection:
            _owned(connection, owner, id)
            rows.update(connection, "batches", id, changes)


_AT = "batch_id = :batch AND model = :model AND prompt = :prompt AND repeat = :repeat"
_PAIR = "batch_id = :batch AND prompt = :prompt AND repeat = :repeat AND model_a = :a AND model_b = :b"
_IN_ORDER = "ORDER BY model, repeat, prompt"
_INSERT_CELL = "INSERT INTO cells (batch_id, model, prompt, repeat, status) VALUES (?, ?, ?, ?, 'waiting')"
_LIST = """
    SELECT id, name, created_at, state, count(cells.status) AS total,
        count(*) FILTER (WHERE cells.status = 'done') AS done,
        count(*) FILTER (WHERE cells.status = 'failed') AS failed
    FROM batches LEFT JOIN cells ON batch_id = id
    WHERE owner = :owner GROUP BY batches.number ORDER BY created_at DESC, batches.number DESC LIMIT :limit
"""
_COUNTS = """
    SELECT model, status, count(*) AS cells, avg(finished ->> '$.timings.end_to_end_s') AS seconds
    FROM cells WHERE batch_id = ? GROUP BY model, status
"""
# The models are taken out of each spec once: it holds all the prompts too.
_SECONDS = """
    WITH newest AS (SELECT id, json_extract(spec, '$.models') AS models
        FROM batches WHERE owner = :owner ORDER BY created_at DESC LIMIT :batches),
    means AS (SELECT batch_id, model, avg(finished ->> '$.timings.end_to_end_s') AS seconds
        FROM cells WHERE batch_id IN (SELECT id FROM newest) AND status = 'done' GROUP BY batch_id, model)
    SELECT id, models, model, seconds FROM means JOIN newest ON id = batch_id WHERE seconds IS NOT NULL
"""
_BEGIN = f"""
    UPDATE cells SET status = 'running', at = :at, answer = '', reasoning = '', finished = NULL, error = NULL,
        checks = NULL, routed = NULL
    WHERE {_AT} AND status = 'waiting'
"""
_FINISH = f"""
    UPDATE cells SET status = :status, answer = :answer, reasoning = :reasoning, finished = :finished, error = :error,
        checks = :checks, routed = :routed
    WHERE {_AT} AND status = 'running'
"""
_SAY = """
    INSERT INTO verdicts (batch_id, prompt, repeat, model_a, model_b, verdict)
    VALUES (:batch, :prompt, :repeat, :a, :b, :verdict)
    ON CONFLICT DO UPDATE SET verdict = excluded.verdict
"""
_NOTHING = Spec(models=(), prompts=())


def _batch(connection: sqlite3.Connection, owner: str, id: str) -> Batch:
    row = _owned(connection, owner, id)
    # What another version wrote and this one cannot read has no models: it can be deleted.
    fields: dict[str, Any] = {name: row[name] for name in Batch.__struct_fields__ if name != "spec"}
    return Batch(**fields, spec=records.from_json(row["spec"], Spec) or _NOTHING)


def _owned(connection: sqlite3.Connection, owner: str, id: str) -> sqlite3.Row:
    sql = "SELECT * FROM batches WHERE id = ? AND owner = ?"
    row: sqlite3.Row | None = connection.execute(sql, (records.clean(id), owner)).fetchone()
    if row is None:
        raise NotThere(what=N_("batch"))
    return row


def _found(changed: int) -> None:
    if not changed:
        raise NotThere(what=N_("batch"))


def _key(id: str, place: Place) -> dict[str, Any]:
    return {"batch": id, "model": place.model, "prompt": place.prompt, "repeat": place.repeat}


def _cell(row: sqlite3.Row) -> Cell:
    return Cell(
        place=Place(row["model"], row["prompt"], row["repeat"]),
        status=row["status"],
        at=row["at"],
        answer=row["answer"],
        reasoning=row["reasoning"],
        finished=records.from_json(row["finished"], Finished),
        error=records.from_json(row["error"], dict[str, Any]),
        checks=records.from_json(row["checks"], tuple[Checked, ...]),
        routed=records.from_json(row["routed"], Routed),
    )


def _pair(row: sqlite3.Row) -> Pair:
    return Pair(row["prompt"], row["repeat"], row["model_a"], row["model_b"])


def _forget_verdicts(connection: sqlite3.Connection, id: str, place: Place) -> None:
    sql = "DELETE FROM verdicts WHERE batch_id = ? AND prompt = ? AND repeat = ? AND ? IN (model_a, model_b)"
    connection.execute(sql, (id, place.prompt, place.repeat, place.model))


def _json(value: Iterable[Any] | Any) -> str | None:
    return None if value is None else records.to_json(value)
