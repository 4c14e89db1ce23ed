"""How fast this machine reads its memory: measured once, kept in the data folder with its date.

To write a token, a processor reads every weight that the token needs, so this bounds how fast any model can write here.
Measured as STREAM does it (the best of several passes over arrays larger than the caches), by reading alone and with as
many threads as a model gets.
"""

from __future__ import annotations

import platform
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from core.models.local.model_settings import physical_cores

FILE = "bandwidth.json"
TOGETHER = 256 << 20
"""Bytes read in a pass, by all threads together: more than the caches of most processors hold."""

PASSES = 6


class Bandwidth(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes a second, when (seconds since 1970), with how many threads, on which machine."""

    bytes_per_s: float
    at: float
    threads: int
    machine: str


def kept(home: Path) -> Bandwidth | None:
    """What was measured on this machine; None where nothing was, or on another one that had the same folder."""
    try:
        found = msgspec.json.decode((home / FILE).read_bytes(), type=Bandwidth)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None
    same = found.machine == _machine() and found.threads == physical_cores()
    return found if same and found.bytes_per_s > 0 else None


def measure(home: Path) -> Bandwidth:
    """Measures anew, within a second or two, and keeps it where the folder can be written to."""
    found = Bandwidth(
        bytes_per_s=_measured(physical_cores()), at=time.time(), threads=physical_cores(), machine=_machine()
    )
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / FILE).write_bytes(msgspec.json.encode(found))
    except OSError:
        pass  # it is measured again next time
    return found


def _measured(threads: int) -> float:
    import numpy as np

    arrays = [np.ones(TOGETHER // threads // 8, dtype=np.uint64) for _ in range(threads)]
    return max(_pass(arrays) for _ in range(PASSES))


def _pass(arrays: list[Any]) -> float:
    """One pass over all arrays, each in a thread of its own (numpy lets go of the interpreter while it adds up)."""
    gate = threading.Barrier(len(arrays) + 1)

    def read(array: Any) -> None:
        gate.wait()
        array.sum()
        gate.wait()

    for array in arrays:
        threading.Thread(target=read, args=(array,), daemon=True).start()
    gate.wait()
    began = time.perf_counter()
    gate.wait()
    took = time.perf_counter() - began
    return float(sum(array.nbytes for array in arrays)) / took


def _machine() -> str:
    return f"{platform.node()} {platform.machine()} {platform.processor()}".strip()
