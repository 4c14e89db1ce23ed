"""Puts together what is needed to judge a repository for this machine: a header, the memory, how fast models read here.

The header is that of the repository's smallest file. How fast: by what the largest local model with measured answers of
the owner managed, else by the memory bandwidth, which is measured the first time, alone, and kept. Thread-safe.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import msgspec

from core.errors import HubError, ModelError, WorkbenchError
from core.gguf import reader
from core.gguf.header import GGUF
from core.hub import advice, bandwidth
from core.hub.advice import Advice, Pace
from core.hub.client import Hub
from core.hub.values import Repository
from core.models.base import ModelInfo
from core.models.catalog import Catalog
from core.models.in_turn import Turns
from core.models.remote.permit import ANYTHING, Permit
from core.settings import Settings
from core.store.tally import Speed, Tally

LEAST_TOKENS = 32
"""An answer shorter than this says little of how fast a model writes."""

LAST = 5
"""Answers of a model that count, the newest: the middle one of them."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The advice on each model of a repository. header_error: why no header could be read, None where one was.

    pace: what the tokens a second are computed from; None while a measurement would disturb models at work.
    """

    advices: tuple[Advice, ...]
    header: GGUF | None
    header_error: WorkbenchError | None
    pace: Pace | None
    budget: int


class Judge:
    """`budget`: bytes that models may take together; `busy`: how many models are at work now."""

    def __init__(
        self,
        hub: Hub,
        settings: Settings,
        catalog: Catalog,
        tally: Tally,
        turns: Turns,
        *,
        budget: Callable[[], int],
        busy: Callable[[], int],
    ) -> None:
        self._hub = hub
        self._settings = settings
        self._catalog = catalog
        self._tally = tally
        self._turns = turns
        self._budget = budget
        self._busy = busy

    def judged(self, owner: str, repository: Repository, permit: Permit = ANYTHING) -> Judged:
        """Fetches the header of one file. A header that cannot be had is no error: then the estimates are rougher."""
        header, error = self._header(repository, permit)
        pace, budget = self.pace(owner), self._budget()
        return Judged(
            advices=tuple(advice.advise(repository, header, budget=budget, pace=pace)),
            header=header,
            header_error=error,
            pace=pace,
            budget=budget,
        )

    def pace(self, owner: str) -> Pace | None:
        """How fast models read their weights here."""
        found = written(self._tally.speeds(owner), self._catalog.models())
        if found is not None:
            info, rate = found
            return Pace(bytes_per_s=rate * self._bytes_a_token(info), measured=True, model=info.name)
        kept = bandwidth.kept(self._settings.home) or self._measured()
        return Pace(bytes_per_s=kept.bytes_per_s, measured=False, at=kept.at) if kept else None

    def measure_again(self) -> None:
        """Measures the memory bandwidth anew; not where models are at work, which it would disturb."""
        self._measured()

    def _bytes_a_token(self, info: ModelInfo) -> float:
        try:
            share = advice.share_read(reader.read(self._catalog.path(info)))
        except WorkbenchError:
            share = 1.0
        return share * (info.size_bytes or 0)

    def _header(self, repository: Repository, permit: Permit) -> tuple[GGUF | None, WorkbenchError | None]:
        smallest = advice.probe(repository)
        if smallest is None:
            return None, None
        try:
            return self._hub.header(repository, smallest.files[0], permit), None
        except (HubError, ModelError) as error:
            return None, error

    def _measured(self) -> bandwidth.Bandwidth | None:
        """Only where nobody else is timed or at work: it takes all of the memory's time for a moment."""
        with self._turns.take() as ticket:
            if ticket.position or self._busy():
                return None
            return bandwidth.measure(self._settings.home)


def written(speeds: Sequence[Speed], models: Sequence[ModelInfo]) -> tuple[ModelInfo, float] | None:
    """The largest local model that has written here, and its tokens a second; None where none has."""
    rates: dict[str, list[float]] = {}
    for one in speeds:
        if one.decode_rate and (one.generated_tokens or 0) >= LEAST_TOKENS:
            rates.setdefault(one.model_id, []).append(one.decode_rate)
    known = [info for info in models if info.local and info.size_bytes and info.id in rates]
    if not known:
        return None
    largest = max(known, key=lambda info: info.size_bytes or 0)
    return largest, statistics.median(rates[largest.id][:LAST])
