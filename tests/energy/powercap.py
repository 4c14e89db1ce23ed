"""A tree as Linux has it under /sys/class/powercap, whose counters a test turns on."""

from __future__ import annotations

from pathlib import Path

SIZE = 262_143_328_850
"""Microjoules after which the counters of a common processor begin at 0 again."""

PACKAGE = "intel-rapl:0"


def powercap(root: Path) -> Path:
    """One package with its cores and its memory, and the whole machine, which holds them all."""
    zones = {
        PACKAGE: "package-0",
        f"{PACKAGE}:0": "core",
        f"{PACKAGE}:1": "dram",
        "intel-rapl:1": "psys",
        "intel-rapl-mmio:0": "package-0",
    }
    for zone, name in zones.items():
        folder = root / zone
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{SIZE}\n")
        (folder / "energy_uj").write_text("1000000\n")
    return root


def turn(root: Path, joules: float, zone: str = PACKAGE) -> None:
    """Lets a counter run by so many joules."""
    counter = root / zone / "energy_uj"
    counter.write_text(f"{(int(counter.read_text()) + int(joules * 1e6)) % SIZE}\n")
