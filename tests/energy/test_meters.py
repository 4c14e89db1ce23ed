"""The meters of a machine: what is counted and what is not, counters that begin again, meters that may not be read."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from core.energy import meters
from tests.energy.powercap import PACKAGE, SIZE, powercap, turn


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return powercap(tmp_path / "powercap")


def test_the_processor_and_its_memory_are_counted_once(root: Path) -> None:
    meter = meters.rapl(root)
    assert meter is not None and meter.joules() == 0
    turn(root, 5.0)
    turn(root, 2.5, f"{PACKAGE}:1")
    for part_of_another in (f"{PACKAGE}:0", "intel-rapl:1", "intel-rapl-mmio:0"):
        turn(root, 100.0, part_of_another)
    assert meter.joules() == pytest.approx(7.5)
    assert meter.name == "RAPL (dram, package-0)"


def test_a_counter_that_begins_again_goes_on(root: Path) -> None:
    (root / PACKAGE / "energy_uj").write_text(f"{SIZE - 1_000_000}\n")
    meter = meters.rapl(root)
    assert meter is not None
    turn(root, 3.0)
    assert int((root / PACKAGE / "energy_uj").read_text()) < SIZE - 1_000_000
    assert meter.joules() == pytest.approx(3.0)
    turn(root, SIZE / 1e6 - 1)
    assert meter.joules() == pytest.approx(SIZE / 1e6 + 2)


def test_a_meter_that_goes_away_says_nothing(root: Path) -> None:
    meter = meters.rapl(root)
    assert meter is not None
    (root / PACKAGE / "energy_uj").unlink()
    assert meter.joules() is None


@pytest.mark.parametrize("text", ["", "many\n"])
def test_a_counter_that_is_no_number_is_no_meter(root: Path, text: str) -> None:
    (root / PACKAGE / "energy_uj").write_text(text)
    assert meters.rapl(root) is None
    assert meters.advice(root) is None


def test_a_machine_without_rapl_has_no_meter_and_needs_no_advice(tmp_path: Path) -> None:
    assert meters.rapl(tmp_path / "none") is None
    assert meters.advice(tmp_path / "none") is None


def test_a_meter_that_may_not_be_read_is_none_and_how_to_allow_it_is_said(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert meters.advice(root) is None
    locked = root / PACKAGE / "energy_uj"
    read = Path.read_text

    def refusing(path: Path, *args: str) -> str:  # the administrator, as whom tests may run, may read everything
        if path == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *args)

    monkeypatch.setattr(Path, "read_text", refusing)
    assert meters.rapl(root) is None
    assert "chmod a+r" in (meters.advice(root) or "")


class NVMLError(Exception):
    pass


def driver(totals: dict[str, int | None], *, present: bool = True) -> types.ModuleType:
    """NVIDIA's library over cards with these totals in millijoules, None where a card has no counter."""
    library = types.ModuleType("driver")

    def start() -> None:
        if not present:
            raise NVMLError("Driver Not Loaded")

    def total(card: str) -> int:
        counted = totals[card]
        if counted is None:
            raise NVMLError("Not Supported")
        return counted

    vars(library).update(
        NVMLError=NVMLError,
        nvmlInit=start,
        nvmlDeviceGetCount=lambda: len(totals),
        nvmlDeviceGetHandleByIndex=lambda index: list(totals)[index],
        nvmlDeviceGetTotalEnergyConsumption=total,
    )
    return library


def card_meter(monkeypatch: pytest.MonkeyPatch, library: types.ModuleType) -> meters.Nvml | None:
    monkeypatch.setitem(sys.modules, "driver", library)
    return meters.nvml("driver")


def test_graphics_cards_that_count_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    totals: dict[str, int | None] = {"one": 5000, "old": None, "two": 1500}
    meter = card_meter(monkeypatch, driver(totals))
    assert meter is not None and meter.joules() == pytest.approx(6.5)
    totals["two"] = 2500
    assert meter.joules() == pytest.approx(7.5)
    totals["two"] = None
    assert meter.joules() is None


@pytest.mark.parametrize("library", [driver({"old": None}), driver({}), driver({"one": 1}, present=False)])
def test_without_a_counting_card_there_is_no_meter(monkeypatch: pytest.MonkeyPatch, library: types.ModuleType) -> None:
    assert card_meter(monkeypatch, library) is None


def test_the_real_library_either_counts_or_says_that_there_is_no_card() -> None:
    meter = meters.nvml()
    assert meter is None or (meter.joules() or 0) > 0


def test_processor_and_card_are_added_only_where_both_are_known(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    totals: dict[str, int | None] = {"one": 1000}
    card, processor = card_meter(monkeypatch, driver(totals)), meters.rapl(root)
    assert card is not None and processor is not None
    both = meters.Together([processor, card])
    turn(root, 4.0)
    assert both.joules() == pytest.approx(5.0)
    assert both.name == "RAPL (dram, package-0) + NVML"
    totals["one"] = None
    assert both.joules() is None
