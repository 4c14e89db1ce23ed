"""How much of the processor a server and a browser take."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


def server_processes(pid: int) -> list[psutil.Process]:
    """The server's own, and its models'."""
    import psutil

    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def browser_processes() -> list[psutil.Process]:
    """Those of the browser that this process has started."""
    import psutil

    mine = psutil.Process().children(recursive=True)
    return [process for process in mine if "chrom" in process.name().lower() or "headless" in process.name().lower()]


def cores_while(wait: Callable[[], None], *groups: list[psutil.Process]) -> list[float]:
    """Cores that each group takes until `wait` returns."""
    before, began = [_seconds_used(group) for group in groups], time.perf_counter()
    wait()
    took = time.perf_counter() - began
    return [(_seconds_used(group) - used) / took for group, used in zip(groups, before, strict=True)]


def _seconds_used(processes: list[psutil.Process]) -> float:
    """Of the processor, by those that still run."""
    import psutil

    used = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
    return used
