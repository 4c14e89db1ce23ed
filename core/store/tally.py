"""How each model did, in a few figures an answer: taken out of the runs and the messages by the database itself.

A run keeps a moment for every token; here none of them is read. Every read has an owner.
"""

from __future__ import annotations

import msgspec

from core.errors import ModelError, ProviderError, WorkbenchError
from core.store import records
from core.store.database import Database

LAST = 500
"""Answers and failures that are looked at, the newest."""


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: seconds, tokens a second, tokens, and what was paid. None: unknown."""

    model_id: str
    ttft_s: float | None
    decode_rate: float | None
    prompt_tokens: int | None
    generated_tokens: int | None
    cost: float | None
    currency: str | None


class Tally:
    """The figures of all owners in one database. Every method raises `StoreUnavailable` when the database fails."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def speeds(self, owner: str, *, last: int = LAST) -> list[Speed]:
        """Of the answers in conversations, the newest first."""
        with self._db.reading() as connection:
            rows = connection.execute(_SPEEDS, {"owner": owner, "last": last})
            return [msgspec.convert(dict(row), Speed, strict=False) for row in rows]

    def failures(self, owner: str, *, last: int = LAST) -> dict[str, int]:
        """By model, how many of its newest answers in conversations failed by the model's or its provider's fault."""
        with self._db.reading() as connection:
            failed = connection.execute(_FAILED, {"owner": owner, "last": last}).fetchall()
        found: dict[str, int] = {}
        for row in failed:
            error = records.from_json(row["error"], dict[str, object])
            if error is not None and _is_a_failure(WorkbenchError.from_dict(error)):
                found[row["model_id"]] = found.get(row["model_id"], 0) + 1
        return found


def _is_a_failure(error: WorkbenchError) -> bool:
    return isinstance(error, ProviderError | ModelError)


_SPEEDS = """
    SELECT model_id,
        figures ->> '$.cost.amount' AS cost,
        figures ->> '$.cost.currency' AS currency,
        figures ->> '$.timings.ttft_s' AS ttft_s,
        figures ->> '$.timings.decode_rate' AS decode_rate,
        figures ->> '$.usage.prompt_tokens' AS prompt_tokens,
        figures ->> '$.usage.generated_tokens' AS generated_tokens
    FROM runs WHERE owner = :owner AND kind = 'chat' ORDER BY at DESC, number DESC LIMIT :last
"""

_FAILED = """
    SELECT messages.model_id, error FROM messages JOIN conversations ON conversations.id = conversation_id
    WHERE owner = :owner AND comparison_id IS NULL AND status = 'failed' AND messages.model_id IS NOT NULL
    ORDER BY messages.number DESC LIMIT :last
"""
