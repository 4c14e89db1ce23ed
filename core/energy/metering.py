"""Measuring what the answers of this machine take: a meter read before each and at its end.

A meter tells of the whole machine: answers that came at the same time cannot be told apart, and have no figure.
Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from core.energy.meters import Meter, found
from core.errors import N_
from core.events import Energy, Event, Finished

JOULES_PER_WATT_HOUR = 3600

READ_EVERY_S = 60.0
"""A meter begins at 0 again after some minutes, and is read before it does so twice."""

ALL_OF_IT = N_("All that it took meanwhile is in it: what it takes at rest, and what other programs did.")
LEFT_OUT = N_("Screen, disk and power supply are not in it, nor is the loading of the model.")


class Metering:
    """Puts what was measured into the end of answers. `find`: gives the meter, and is asked once, when it is needed."""

    def __init__(self, find: Callable[[], Meter | None] = found) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._meter: Meter | None = None
        self._sought = False
        self._running: list[_Share] = []

    def measured(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events of an answer, its `Finished` with the energy that it took: None where nothing measures, or another
        answer ran beside it."""
        meter = self._sought_meter()
        if meter is None:
            yield from events
            return
        with self._share() as share:
            before, read_at = meter.joules(), time.monotonic()
            for event in events:
                if time.monotonic() - read_at > READ_EVERY_S:
                    meter.joules()
                    read_at = time.monotonic()
                if isinstance(event, Finished) and share.alone:
                    event = msgspec.structs.replace(event, energy=_energy(meter.name, before, meter.joules()))
                yield event

    def _sought_meter(self) -> Meter | None:
        with self._lock:
            if not self._sought:
                self._meter, self._sought = self._find(), True
            return self._meter

    @contextmanager
    def _share(self) -> Iterator[_Share]:
        share = _Share()
        with self._lock:
            self._running.append(share)
            if len(self._running) > 1:
                for one in self._running:
                    one.alone = False
        try:
            yield share
        finally:
            with self._lock:
                self._running.remove(share)


@dataclass(eq=False)
class _Share:
    """One answer that is being measured, and whether it has been the only one."""

    alone: bool = True


def _energy(method: str, before: float | None, after: float | None) -> Energy | None:
    if before is None or after is None or after <= before:
        return None
    used = (after - before) / JOULES_PER_WATT_HOUR
    return Energy(low=used, high=used, measured=True, method=method, assumptions=(ALL_OF_IT, LEFT_OUT))
