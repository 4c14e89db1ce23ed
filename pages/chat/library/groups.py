"""Under which heading of the list a conversation stands. Knows dates, and no page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

from core.store.library import LibraryEntry

Group = Literal["pinned", "today", "yesterday", "week", "earlier"]
"""`week`: since Monday, before yesterday."""


def grouped(entries: Iterable[LibraryEntry], now: datetime) -> list[tuple[Group, Sequence[LibraryEntry]]]:
    """The entries under their headings, in the order they come in: pinned first, then newest first.

    now: the moment on the reader's clock; where a day begins is taken from its time zone.
    """
    return [(group, list(under)) for group, under in groupby(entries, lambda entry: group_of(entry, now))]


def group_of(entry: LibraryEntry, now: datetime) -> Group:
    """The heading of one conversation, by its last message. One from the future is of today."""
    if entry.pinned:
        return "pinned"
    day, today = datetime.fromtimestamp(entry.updated_at, now.tzinfo).date(), now.date()
    if day >= today:
        return "today"
    if day == today - timedelta(days=1):
        return "yesterday"
    return "week" if day >= today - timedelta(days=today.weekday()) else "earlier"


def zone(name: str | None) -> tzinfo | None:
    """The time zone of this name ("Europe/Paris"); None, which is this machine's own, where there is none such."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None
