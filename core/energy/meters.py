"""What this machine's own meters say that an answer took: RAPL for processor and memory, NVML for graphics cards.

RAPL: Linux, Intel since 2011 and AMD since 2017 under the same names; a running total in millionths of a joule for each
part, which begins at 0 again after `max_energy_range_uj`: https://docs.kernel.org/power/powercap/powercap.html. Since
2020 only the administrator may read it (CVE-2020-8694).
NVML: NVIDIA cards since 2017 (Volta), a total in thousandths of a joule since the driver was loaded.
Macs and Windows have no meter that may be read without rights of its own. Thread-safe.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.errors import N_

POWERCAP = Path("/sys/class/powercap")

ADVICE = N_(
    "This machine has a meter for its processor (RAPL), which only its administrator may read. To show what answers "
    "take, run this and start the workbench again: sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"
)


class Meter(Protocol):
    """`name`: what it is, and what it measures. `joules`: a total that only grows; None when it cannot be read."""

    @property
    def name(self) -> str: ...

    def joules(self) -> float | None: ...


@dataclass
class _Zone:
    """A part of the machine with a counter of its own. `total`: what it has counted since it was first read."""

    folder: Path
    size: int
    last: int
    total: int = 0

    def read(self) -> int:
        """Microjoules since the first reading. Raises `OSError` or `ValueError`."""
        now = _number(self.folder / "energy_uj")
        self.total += now - self.last + (self.size if now < self.last else 0)
        self.last = now
        return self.total


class Rapl:
    """The processor's packages, and the memory where it is counted apart from them."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Raises `OSError` (also where a counter may not be read) or `ValueError`."""
        self.name = f"RAPL ({', '.join(sorted({_label(folder) for folder in folders}))})"
        self._lock = threading.Lock()
        self._zones = [
            _Zone(folder, _number(folder / "max_energy_range_uj"), _number(folder / "energy_uj")) for folder in folders
        ]

    def joules(self) -> float | None:
        with self._lock:
            try:
                return sum(zone.read() for zone in self._zones) / 1e6
            except (OSError, ValueError):
                return None


class Nvml:
    """The graphics cards together. `library`: pynvml, initialised."""

    def __init__(self, library: Any, cards: Sequence[Any]) -> None:
        self.name = "NVML"
        self._library = library
        self._cards = cards

    def joules(self) -> float | None:
        try:
            return sum(float(self._library.nvmlDeviceGetTotalEnergyConsumption(card)) for card in self._cards) / 1e3
        except self._library.NVMLError:
            return None


class Together:
    """Several meters of different parts of the machine as one."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self.name = " + ".join(meter.name for meter in meters)
        self._meters = meters

    def joules(self) -> float | None:
        read = [meter.joules() for meter in self._meters]
        known = [joules for joules in read if joules is not None]
        return sum(known) if len(known) == len(read) else None


def found() -> Meter | None:
    """Everything that this machine measures; None where that is nothing, or nothing that may be read."""
    meters: list[Meter] = [meter for meter in (rapl(), nvml()) if meter is not None]
    return Together(meters) if meters else None


def rapl(powercap: Path = POWERCAP) -> Rapl | None:
    """The machine's RAPL meter; None where there is none, or not all of it may be read."""
    try:
        folders = _zones(powercap)
        return Rapl(folders) if folders else None
    except (OSError, ValueError):
        return None


def advice(powercap: Path = POWERCAP) -> str | None:
    """How to allow a meter that is there and may not be read, as English to be translated; None where there is none."""
    try:
        folders = _zones(powercap)
        for folder in folders:
            _number(folder / "energy_uj")
    except PermissionError:
        return ADVICE
    except (OSError, ValueError):
        return None
    return None


def nvml(name: str = "pynvml") -> Nvml | None:
    """The graphics cards whose total can be read; None where there is none. `name`: the module that speaks to NVML."""
    library: Any = importlib.import_module(name)
    try:
        library.nvmlInit()
        cards = [library.nvmlDeviceGetHandleByIndex(index) for index in range(library.nvmlDeviceGetCount())]
    except library.NVMLError:
        return None
    counting = [card for card in cards if Nvml(library, [card]).joules() is not None]
    return Nvml(library, counting) if counting else None


def _zones(powercap: Path) -> list[Path]:
    """The zones that together are the processor and the memory, none counted twice: `core` and `uncore` are parts of a
    `package`, and `psys` holds them all."""
    zones = sorted(powercap.glob("intel-rapl:*"))
    return [folder for folder in zones if _label(folder).startswith("package") or _label(folder) == "dram"]


def _label(folder: Path) -> str:
    return (folder / "name").read_text("ascii").strip()


def _number(file: Path) -> int:
    return int(file.read_text("ascii"))
