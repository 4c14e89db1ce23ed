"""Conversations of a file into the store, all of the file or nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from core.store.database import Database
from core.store.restoring import Restoring
from core.transfer import imported
from core.transfer.imported import Imported, LeftOut


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was kept, and what was left out and why. `ids`: the new conversations'."""

    ids: tuple[str, ...]
    messages: int
    left_out: tuple[LeftOut, ...]


def write(db: Database, owner: str, conversations: Iterable[Imported]) -> Report:
    """Adds what `detect.read` gave to the owner's conversations, with new ids. Importing twice makes two of each.

    Raises `StoreUnavailable`; whatever is raised, nothing has been added.
    """
    messages = 0
    counted: Counter[str] = Counter()
    with Restoring(db).writing(owner) as writing:
        for one in conversations:
            counted.update({each.reason: each.count for each in one.left_out})
            if one.conversation is not None:
                writing.add(one.conversation)
                messages += len(one.conversation.messages)
    return Report(ids=tuple(writing.ids), messages=messages, left_out=imported.left_out(counted))
