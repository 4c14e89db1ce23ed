"""Questions that are being typed: what is needed to count them, kept in memory for a while and found by an id.

An id cannot be guessed: whoever knows it may count questions to that conversation, and read nothing. One count at a
time for each draft; of those that wait only the newest is made. Everything public is safe from any thread.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from core import attachments
from core.attachments import Attachment
from core.counting import Counted, Counter
from core.messages import ChatRequest
from core.models.base import ChatModel

MOST = 500
"""Drafts that are kept; the one not used for longest goes first."""

FORGET_AFTER_S = 6 * 3600.0


class Draft:
    """One question being typed. `language`: its reader's, for what is wrong with a file."""

    def __init__(self, id: str, language: str) -> None:
        self.id = id
        self.language = language
        self.used_at = time.monotonic()
        self._files: OrderedDict[str, Attachment] = OrderedDict()
        self._pending: tuple[Attachment, ...] = ()
        self._begin_with = ""
        self._counter: Counter | None = None
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._newest = 0

    def use(self, counter: Counter, *, pending: Sequence[Attachment], begin_with: str, language: str) -> None:
        """What a new run of the page says about it."""
        with self._lock:
            self._counter, self._pending, self._begin_with = counter, tuple(pending), begin_with
            self.language = language

    @property
    def counter(self) -> Counter | None:
        return self._counter

    def add(self, name: str, data: bytes) -> str:
        """Reads a file that is about to be attached, and gives the key to count it by.

        Raises what `attachments.read` raises.
        """
        read = attachments.read(name, data)
        key = hashlib.sha256(read.name.encode("utf-8", "replace") + b"\0" + data).hexdigest()[:32]
        with self._lock:
            self._files[key] = read
            self._files.move_to_end(key)
            while len(self._files) > attachments.LIMIT_FILES:
                self._files.popitem(last=False)
        return key

    def count(self, question: str, files: Sequence[str] = ()) -> Counted | None:
        """What the question would take; None where there is nothing to count, or a newer count has been asked for.

        files: keys from `add`; those not known (any more) are left out. Raises what `Counter.count` raises.
        """
        with self._lock:
            self._newest += 1
            number = self._newest
            self.used_at = time.monotonic()
        with self._counting:
            with self._lock:
                counter = self._counter
                attached = [*self._pending, *(self._files[key] for key in files if key in self._files)]
                begin_with = self._begin_with
                if counter is None or number != self._newest:
                    return None
            return counter.count(question, attached, begin_with)


class Drafts:
    """All drafts of a server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drafts: OrderedDict[str, Draft] = OrderedDict()

    def put(
        self,
        id: str | None,
        model: ChatModel,
        before: Callable[[], ChatRequest],
        *,
        pending: Sequence[Attachment] = (),
        begin_with: str = "",
        language: str = "en",
    ) -> str:
        """Says what a draft would be added to, at each run of its page; None, or an id forgotten, begins a new one.

        before: see `Counter`. pending: files that will be sent with it, besides those that `count` names. Returns the
        draft's id.
        """
        with self._lock:
            draft = self._kept(id) or Draft(secrets.token_hex(16), language)
            self._drafts[draft.id] = draft
            self._drafts.move_to_end(draft.id)
            while len(self._drafts) > MOST:
                self._drafts.popitem(last=False)
        counter = Counter(model, before, like=draft.counter)
        draft.use(counter, pending=pending, begin_with=begin_with, language=language)
        return draft.id

    def get(self, id: str) -> Draft | None:
        """The draft by that id; None when there is none, or it has been left alone for too long."""
        with self._lock:
            return self._kept(id)

    def _kept(self, id: str | None) -> Draft | None:
        oldest = time.monotonic() - FORGET_AFTER_S
        for known, draft in list(self._drafts.items()):
            if draft.used_at < oldest:
                del self._drafts[known]
        return self._drafts.get(id) if id is not None else None
